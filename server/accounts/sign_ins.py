"""Browsers that are signed in: begun by a link or a password, seen, ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from server.accounts import repository
from server.accounts.records import AccountRecord, SignInRecord
from server.clock import now
from server.database.session import in_transaction, in_transaction_if_possible, require_transaction
from server.errors import NotFound
from server.tokens import new_id, new_token, token_hash

LASTS = timedelta(days=30)  # since the last visit
TOUCH_EVERY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Browser:
    """Where a sign-in happens; `sign_in_token` is the one that this browser held before, if any."""

    ip: str
    user_agent: str
    sign_in_token: str | None


async def signed_in_account(token: str) -> AccountRecord | None:
    """The account of a sign-in cookie: one SELECT, and now and then a note that the browser was seen."""
    at = now()
    sign_in = await repository.find_sign_in(token_hash(token), at)
    if sign_in is None:
        return None
    if at - sign_in.last_seen_at >= TOUCH_EVERY:
        await in_transaction_if_possible(repository.touch_sign_in, sign_in.id, at, at + LASTS)
    return sign_in.user


async def begin(user_id: str, browser: Browser, at: datetime) -> str:
    """Always with a new token: one that somebody planted in this browser before must not become good."""
    require_transaction()
    if browser.sign_in_token:
        await repository.end_sign_in(token_hash(browser.sign_in_token))
    token = new_token()
    await repository.add_sign_in(
        new_id(),
        token_hash=token_hash(token),
        user_id=user_id,
        user_agent=browser.user_agent[:200],
        at=at,
        expires_at=at + LASTS,
    )
    return token


async def sign_out(token: str) -> None:
    await in_transaction(repository.end_sign_in, token_hash(token))


async def sign_ins_of(user_id: str) -> list[SignInRecord]:
    return await repository.list_sign_ins(user_id, now())


async def end_sign_in(user_id: str, sign_in_id: str) -> None:
    """Sign one of a person's browsers out; raises NotFound if it is not theirs."""
    if not await in_transaction(repository.end_sign_in_of, user_id, sign_in_id):
        raise NotFound


async def end_other_sign_ins(user_id: str, token: str) -> None:
    await in_transaction(repository.end_sign_ins_of, user_id, except_hash=token_hash(token))
