"""Signing in by password."""

from server.accounts import passwords, repository, sign_ins, turnstile
from server.accounts.addresses import email_key
from server.accounts.sign_ins import Browser
from server.clock import now
from server.database.session import in_transaction
from server.errors import PlaybillError
from server.i18n import N_
from server.throttle import service as throttle

WINDOW_S = 600
WRONG_PASSWORDS_PER_ADDRESS, WRONG_PASSWORDS_PER_IP = 10, 100  # one office is one IP


class SignInRefused(PlaybillError):
    status = 422
    code = "sign_in_refused"
    message = N_("This address and this password do not belong together. A sign-in link always works.")


async def sign_in(email: str, password: str, browser: Browser) -> str:
    """The token of a new sign-in.

    Raises SignInRefused; TooMany after many wrong passwords; NetworkCrowded or Crowded while many sign in.
    """
    with turnstile.passed(browser.ip):
        return await _sign_in(email_key(email), password, browser)


async def _sign_in(key: str, password: str, browser: Browser) -> str:
    limits = {
        f"address:{key} ip:{browser.ip}": WRONG_PASSWORDS_PER_ADDRESS,
        f"ip:{browser.ip}": WRONG_PASSWORDS_PER_IP,
    }
    await throttle.hit("sign-in", limits, WINDOW_S)
    found = await repository.credentials_by_email(key)
    stored = found.password_hash if found and found.is_proven else None
    if not await passwords.matches(password, stored) or stored is None:
        raise SignInRefused
    newer = await passwords.hashed(password) if passwords.is_outdated(stored) else stored
    token = await in_transaction(_begin, key, stored, newer, browser)
    await throttle.forgive("sign-in", limits, WINDOW_S)
    return token


async def _begin(key: str, checked: str, newer: str, browser: Browser) -> str:
    again = await repository.credentials_by_email(key, lock=True)
    if again is None or again.password_hash != checked:
        raise SignInRefused  # it was changed while we were hashing
    if newer != checked:
        await repository.set_password_hash(again.user_id, newer)
    return await sign_ins.begin(again.user_id, browser, now())
