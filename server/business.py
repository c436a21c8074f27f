"""The seller's details, which stand in the footer of every page and in every receipt."""

from dataclasses import dataclass

from server.i18n import gettext
from server.settings import settings


@dataclass(frozen=True, slots=True)
class Business:
    name: str
    representative: str
    registration_no: str
    mail_order_no: str
    address: str
    phone: str
    email: str

    def lines(self) -> list[tuple[str, str]]:
        """What the law wants told of who sells: label and value of every detail that there is."""
        details = [
            (gettext("Seller"), self.name),
            (gettext("Represented by"), self.representative),
            (gettext("Business registration no."), self.registration_no),
            (gettext("Mail-order sales no."), self.mail_order_no),
            (gettext("Address"), self.address),
            (gettext("Phone"), self.phone),
            (gettext("E-mail"), self.email),
        ]
        return [(label, value) for label, value in details if value]


def business() -> Business:
    given = settings()
    return Business(
        name=given.business_name,
        representative=given.business_representative,
        registration_no=given.business_registration_no,
        mail_order_no=given.business_mail_order_no,
        address=given.business_address,
        phone=given.business_phone,
        email=given.business_email,
    )
