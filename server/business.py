"""The seller's details, which stand in the footer of every page and in every receipt."""

from server.settings import settings


class Business:
    """`business.name`, `business.email`, …: the settings BUSINESS_NAME, BUSINESS_EMAIL, …"""

    def __getattr__(self, name: str) -> str:
        return str(getattr(settings(), f"business_{name}"))
