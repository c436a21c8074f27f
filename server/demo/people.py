"""The demo's people: one of each role, with a password that is printed everywhere."""

from datetime import timedelta

from server.accounts import service as accounts
from server.accounts.models import Role
from server.audit.records import Actor
from server.clock import set_back

PASSWORD = "playbill-demo"  # noqa: S105 - the demo's, and printed by it
PEOPLE = [
    ("admin@playbill.example", "Ada Admin", Role.ADMIN),
    ("support@playbill.example", "Sol Support", Role.SUPPORT),
    ("editor@playbill.example", "Eun Editor", Role.EDITOR),
    ("viewer@playbill.example", "Vera Viewer", Role.VIEWER),
]


async def seed_people() -> None:
    with set_back(timedelta(days=30)):
        for email, name, role in PEOPLE:
            if await accounts.find_by_email(email) is None:
                await accounts.create_account(Actor.command("demo"), email, PASSWORD, role, name)


async def people_here() -> list[str]:
    """Addresses of the demo's people that have an account: the whole world may read their password."""
    return [email for email, _, _ in PEOPLE if await accounts.find_by_email(email) is not None]
