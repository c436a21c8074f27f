"""Accounts themselves: found, listed, opened."""

from collections.abc import Collection

from server.access import service as access
from server.accounts import passwords, repository
from server.accounts.addresses import email_key
from server.accounts.models import Role
from server.accounts.records import AccountRecord
from server.audit import service as audit
from server.audit.records import Actor
from server.clock import now
from server.database.session import in_transaction, require_transaction
from server.errors import NotFound, PlaybillError
from server.i18n import N_
from server.paging import Page
from server.tokens import new_id

ACCOUNTS_PER_PAGE = 50


class AddressTaken(PlaybillError):
    status = 409
    code = "address_taken"
    message = N_("There is an account of this address already.")


async def get(user_id: str) -> AccountRecord:
    account = await repository.get(user_id)
    if account is None:
        raise NotFound
    return account


async def accounts_by_id(user_ids: Collection[str]) -> dict[str, AccountRecord]:
    """Those of these accounts that there are."""
    return {one.id: one for one in await repository.list_by_ids(user_ids)} if user_ids else {}


async def find_by_email(email: str) -> AccountRecord | None:
    return await repository.find_by_email(email_key(email))


async def list_accounts(query: str, page_number: int) -> Page[AccountRecord]:
    """For staff: accounts whose address or name contains `query`, newest first."""
    return await repository.list_page(query.strip(), email_key(query), page_number, ACCOUNTS_PER_PAGE)


async def open_unproven(email: str, locale: str | None) -> AccountRecord:
    """The account of an address, locked; made, unproven, if there is none.

    Nobody can sign in to a new one until a mailed link has been followed.
    """
    require_transaction()
    key = email_key(email)
    account = await repository.lock_by_email(key)
    if account is None:
        user_id = new_id()
        await access.register_viewer(user_id)
        # False if another link of this address was followed just now: then that account is it.
        await repository.add(user_id, email=email, email_key=key, locale=locale, created_at=now())
        account = await repository.lock_by_email(key)
    assert account is not None
    return account


async def create_account(actor: Actor, email: str, password: str, role: Role, name: str) -> AccountRecord:
    """A proven account with a password, for `playbill create-admin` and the demo.

    Raises AddressTaken, PasswordTooShort.
    """
    passwords.require_long_enough(password)
    password_hash = await passwords.hashed(password)
    return await in_transaction(_create, actor, email, password_hash, role, name)


async def _create(actor: Actor, email: str, password_hash: str, role: Role, name: str) -> AccountRecord:
    user_id, at = new_id(), now()
    await access.register_viewer(user_id)
    is_new = await repository.add(
        user_id,
        email=email,
        email_key=email_key(email),
        created_at=at,
        email_proven_at=at,
        password_hash=password_hash,
        role=role,
        name=name,
    )
    if not is_new:
        raise AddressTaken
    await audit.note(actor, "account.create", "account", user_id, after={"role": role.value})
    return await get(user_id)
