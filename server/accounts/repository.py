"""The only SQL on accounts, sign-ins and sign-in links."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Select, Update, delete, func, insert, or_, select, update
from sqlalchemy.orm import contains_eager

from server.accounts.models import Role, SignIn, SignInLink, User
from server.accounts.records import AccountRecord, Credentials, LinkRecord, SignInRecord
from server.database.session import current_session, require_transaction
from server.database.write import changed, insert_once
from server.paging import Page, offset_of

# accounts


async def get(user_id: str) -> AccountRecord | None:
    return await _account(User.id == user_id)


async def find_by_email(email_key: str) -> AccountRecord | None:
    return await _account(User.email_key == email_key)


async def lock(user_id: str) -> AccountRecord | None:
    return await _account(User.id == user_id, lock=True)


async def lock_by_email(email_key: str) -> AccountRecord | None:
    return await _account(User.email_key == email_key, lock=True)


async def _account(condition: ColumnElement[bool], *, lock: bool = False) -> AccountRecord | None:
    if lock:
        require_transaction()
    query = select(User).where(condition)
    row = await current_session().scalar(query.with_for_update() if lock else query)
    return AccountRecord.of(row) if row else None


async def list_by_ids(user_ids: Collection[str]) -> list[AccountRecord]:
    rows = await current_session().scalars(select(User).where(User.id.in_(user_ids)))
    return [AccountRecord.of(row) for row in rows]


async def lock_admins() -> list[str]:
    """The ids of all admins, locked in one order, so that two of them cannot unmake each other."""
    require_transaction()
    found = await current_session().scalars(
        select(User.id).where(User.role == Role.ADMIN).order_by(User.id).with_for_update()
    )
    return list(found)


async def list_page(query: str, email_key: str, number: int, size: int) -> Page[AccountRecord]:
    """Accounts whose address or name contains what was typed, newest first."""
    condition = or_(
        User.email_key.contains(email_key, autoescape=True),
        func.lower(User.name).contains(query.lower(), autoescape=True),
    )
    total = await current_session().scalar(select(func.count()).select_from(User).where(condition))
    rows = await current_session().scalars(
        select(User)
        .where(condition)
        .order_by(User.created_at.desc(), User.id.desc())
        .offset(offset_of(number, size))
        .limit(size)
    )
    return Page([AccountRecord.of(row) for row in rows], total or 0, number, size)


async def add(
    user_id: str,
    *,
    email: str,
    email_key: str,
    created_at: datetime,
    locale: str | None = None,
    email_proven_at: datetime | None = None,
    password_hash: str | None = None,
    role: Role = Role.VIEWER,
    name: str = "",
) -> bool:
    """False if there is an account of that address already."""
    return await insert_once(
        User,
        {
            "id": user_id,
            "email": email,
            "email_key": email_key,
            "created_at": created_at,
            "locale": locale,
            "email_proven_at": email_proven_at,
            "password_hash": password_hash,
            "role": role,
            "name": name,
        },
    )


async def prove(user_id: str, at: datetime) -> None:
    """The address is proven; a password that was set before is not its owner's."""
    await changed(_changing(user_id).values(email_proven_at=at, password_hash=None))


async def set_password_hash(user_id: str, password_hash: str) -> None:
    await changed(_changing(user_id).values(password_hash=password_hash))


async def change_role(user_id: str, role: Role) -> None:
    await changed(_changing(user_id).values(role=role))


async def save_profile(user_id: str, name: str, locale: str | None) -> None:
    await changed(_changing(user_id).values(name=name, locale=locale))


def _changing(user_id: str) -> Update:
    return update(User).where(User.id == user_id)


async def credentials_by_email(email_key: str, *, lock: bool = False) -> Credentials | None:
    return await _credentials(User.email_key == email_key, lock)


async def credentials(user_id: str, *, lock: bool = False) -> Credentials | None:
    return await _credentials(User.id == user_id, lock)


async def _credentials(condition: ColumnElement[bool], lock: bool) -> Credentials | None:
    if lock:
        require_transaction()
    query = select(User.id, User.email_proven_at, User.password_hash).where(condition)
    row = (await current_session().execute(query.with_for_update() if lock else query)).one_or_none()
    return Credentials(row.id, row.email_proven_at is not None, row.password_hash) if row else None


# sign-ins


async def find_sign_in(token_hash: str, at: datetime) -> SignInRecord | None:
    row = await current_session().scalar(
        select(SignIn)
        .join(SignIn.user)
        .options(contains_eager(SignIn.user))
        .where(SignIn.token_hash == token_hash, SignIn.expires_at > at)
    )
    return SignInRecord.of(row) if row else None


async def list_sign_ins(user_id: str, at: datetime) -> list[SignInRecord]:
    """Those that are still good, last seen first; without their `user`."""
    rows = await current_session().scalars(
        select(SignIn)
        .where(SignIn.user_id == user_id, SignIn.expires_at > at)
        .order_by(SignIn.last_seen_at.desc(), SignIn.id)
    )
    return [SignInRecord.of(row) for row in rows]


async def add_sign_in(
    sign_in_id: str, *, token_hash: str, user_id: str, user_agent: str, at: datetime, expires_at: datetime
) -> None:
    require_transaction()
    await current_session().execute(
        insert(SignIn).values(
            id=sign_in_id,
            token_hash=token_hash,
            user_id=user_id,
            user_agent=user_agent,
            created_at=at,
            last_seen_at=at,
            expires_at=expires_at,
        )
    )


async def touch_sign_in(sign_in_id: str, seen_at: datetime, expires_at: datetime) -> None:
    await changed(
        update(SignIn).where(SignIn.id == sign_in_id).values(last_seen_at=seen_at, expires_at=expires_at)
    )


async def end_sign_in(token_hash: str) -> None:
    await changed(delete(SignIn).where(SignIn.token_hash == token_hash))


async def end_sign_in_of(user_id: str, sign_in_id: str) -> bool:
    return await changed(delete(SignIn).where(SignIn.id == sign_in_id, SignIn.user_id == user_id)) == 1


async def end_sign_ins_of(user_id: str, *, except_hash: str = "") -> None:
    await changed(delete(SignIn).where(SignIn.user_id == user_id, SignIn.token_hash != except_hash))


# links


async def add_link(
    link_id: str,
    *,
    token_hash: str,
    email: str,
    email_key: str,
    next: str,
    created_at: datetime,
    expires_at: datetime,
) -> None:
    require_transaction()
    await current_session().execute(
        insert(SignInLink).values(
            id=link_id,
            token_hash=token_hash,
            email=email,
            email_key=email_key,
            next=next,
            created_at=created_at,
            expires_at=expires_at,
        )
    )


async def find_link(token_hash: str) -> LinkRecord | None:
    return await _link(select(SignInLink).where(SignInLink.token_hash == token_hash))


async def lock_link(token_hash: str) -> LinkRecord | None:
    require_transaction()
    return await _link(select(SignInLink).where(SignInLink.token_hash == token_hash).with_for_update())


async def _link(query: Select[SignInLink]) -> LinkRecord | None:
    row = await current_session().scalar(query)
    return LinkRecord.of(row) if row else None


async def spend_link(link_id: str, at: datetime) -> None:
    await changed(update(SignInLink).where(SignInLink.id == link_id).values(used_at=at))


async def forget_expired(at: datetime) -> None:
    await changed(delete(SignIn).where(SignIn.expires_at <= at))
    await changed(delete(SignInLink).where(SignInLink.expires_at <= at))
