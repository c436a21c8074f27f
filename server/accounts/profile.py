"""What people change about themselves: name, language, password."""

from datetime import datetime, timedelta

from server.accounts import passwords, repository, turnstile
from server.accounts.records import SignInRecord
from server.accounts.sign_ins import Browser
from server.clock import now
from server.database.session import in_transaction
from server.errors import PlaybillError, SignInFirst
from server.i18n import N_
from server.throttle import service as throttle
from server.tokens import token_hash

FRESH = timedelta(minutes=15)
WINDOW_S = 600
WRONG_PASSWORDS = 10


class WrongPassword(PlaybillError):
    status = 422
    code = "wrong_password"
    field = "present"
    message = N_("This is not your current password.")


async def save_profile(user_id: str, name: str, locale: str | None) -> None:
    await in_transaction(repository.save_profile, user_id, name, locale)


async def asks_present_password(user_id: str, token: str) -> bool:
    """Whether setting a password takes the present one: there is one, and this sign-in is not fresh."""
    found = await repository.credentials(user_id)
    at = now()
    sign_in = await repository.find_sign_in(token_hash(token), at)
    return found is not None and _must_know(found.password_hash, sign_in, at)


def _must_know(stored: str | None, sign_in: SignInRecord | None, at: datetime) -> bool:
    return stored is not None and (sign_in is None or at - sign_in.created_at >= FRESH)


async def set_password(user_id: str, browser: Browser, new: str, present: str) -> None:
    """Set a password and sign every other browser out.

    Raises PasswordTooShort; WrongPassword; SignInFirst if this browser is signed out meanwhile; TooMany
    after many wrong passwords; NetworkCrowded or Crowded while many sign in.
    """
    assert browser.sign_in_token is not None, "somebody who is signed in"
    passwords.require_long_enough(new)
    with turnstile.passed(browser.ip):
        await _set_password(user_id, browser.sign_in_token, new, present)


async def _set_password(user_id: str, token: str, new: str, present: str) -> None:
    knows_it = False
    found = await repository.credentials(user_id)
    stored = found.password_hash if found else None
    if await asks_present_password(user_id, token):
        await throttle.hit("password", {f"account:{user_id}": WRONG_PASSWORDS}, WINDOW_S)
        if not await passwords.matches(present, stored):
            raise WrongPassword
        knows_it = True
    new_hash = await passwords.hashed(new)
    await in_transaction(_keep, user_id, token, stored, knows_it, new_hash)


async def _keep(user_id: str, token: str, checked: str | None, knows_it: bool, new_hash: str) -> None:
    """What was checked before the hashing is checked again: that takes its time, and an owner who signs a
    stranger's browser out meanwhile must not be signed out by it."""
    again = await repository.credentials(user_id, lock=True)
    if again is None or again.password_hash != checked:
        raise WrongPassword  # it was changed in another tab
    at = now()
    sign_in = await repository.find_sign_in(token_hash(token), at)
    if sign_in is None:
        raise SignInFirst
    if not knows_it and _must_know(checked, sign_in, at):
        raise WrongPassword
    await repository.set_password_hash(user_id, new_hash)
    await repository.end_sign_ins_of(user_id, except_hash=token_hash(token))
