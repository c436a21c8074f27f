"""Who of the team may do what."""

from server.accounts import repository
from server.accounts.models import Role
from server.audit import service as audit
from server.audit.records import Actor
from server.database.session import transactional
from server.errors import NotFound, PlaybillError
from server.i18n import N_


class OwnRole(PlaybillError):
    status = 409
    code = "own_role"
    message = N_("Nobody changes their own role. Ask another admin.")


class LastAdmin(PlaybillError):
    status = 409
    code = "last_admin"
    message = N_("This is the last admin. Make another one first.")


@transactional
async def change_role(actor: Actor, user_id: str, role: Role) -> None:
    """Raises OwnRole if somebody changes their own, LastAdmin if none would be left, NotFound."""
    admins = await repository.lock_admins()
    account = await repository.lock(user_id)
    if account is None:
        raise NotFound
    # The row's own id from here on: MariaDB also finds it under an id with blanks behind.
    if account.id == actor.account_id:
        raise OwnRole
    if role is not Role.ADMIN and admins == [account.id]:
        raise LastAdmin
    if role is account.role:
        return
    await repository.change_role(account.id, role)
    await audit.note(
        actor,
        "account.change_role",
        "account",
        account.id,
        before={"role": account.role.value},
        after={"role": role.value},
    )
