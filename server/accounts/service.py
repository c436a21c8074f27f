"""Accounts: who somebody is, and how that is shown: by a mailed link, or by a password set after one.

Nothing here tells a stranger whether an address has an account: asking for a link does the same work
for every address, and a wrong password, an unknown address and an unproven account are one answer.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from server.access import service as access
from server.accounts import passwords, repository, turnstile
from server.accounts.addresses import email_key, valid_email
from server.accounts.models import Role
from server.accounts.records import AccountRecord, LinkRecord, SignInRecord
from server.clock import now
from server.database.session import in_transaction, require_transaction, transaction
from server.errors import NotFound, PlaybillError, TooMany
from server.i18n import N_, current_locale
from server.mail import service as mail
from server.paging import Page
from server.settings import settings
from server.throttle import service as throttle
from server.tokens import new_id, new_token, token_hash

__all__ = ["email_key", "valid_email"]  # the other domains ask for them here

SIGN_IN_LASTS = timedelta(days=30)  # since the last visit
TOUCH_EVERY = timedelta(minutes=10)
LINK_MINUTES = 30
FRESH = timedelta(minutes=15)
MAX_NEXT_LENGTH = 500
ACCOUNTS_PER_PAGE = 50

WINDOW_S = 600
WRONG_PASSWORDS_PER_ADDRESS, WRONG_PASSWORDS_PER_IP = 10, 100  # one office is one IP
# No longer than a link lasts: whoever cannot get another one has one in the mailbox that still works.
LINK_WINDOW_S = LINK_MINUTES * 60
LINKS_PER_ADDRESS_AND_IP, LINKS_PER_ADDRESS, LINKS_PER_IP = 5, 10, 60

Act = Callable[[AccountRecord], Awaitable[None]]
_when_proven: list[Act] = []


class SignInRefused(PlaybillError):
    status = 422
    code = "sign_in_refused"
    message = N_("This address and this password do not belong together. A sign-in link always works.")


class WrongPassword(PlaybillError):
    status = 422
    code = "wrong_password"
    message = N_("This is not your present password.")


class LinkGone(PlaybillError):
    """Used, expired or never made: one answer."""

    status = 404
    code = "link_gone"
    message = N_("This link has been used, or it is too old.")


class TooManyLinks(TooMany):
    message = N_(
        "Several links were asked for just now. If one is in your mailbox, it still works; "
        "otherwise please try again in half an hour."
    )


class PasswordTooShort(PlaybillError):
    status = 422
    code = "password_too_short"
    message = N_("A password has at least 10 characters.")


class AddressTaken(PlaybillError):
    status = 409
    code = "address_taken"
    message = N_("There is an account of this address already.")


class OwnRole(PlaybillError):
    status = 409
    code = "own_role"
    message = N_("Nobody changes their own role. Ask another admin.")


class LastAdmin(PlaybillError):
    status = 409
    code = "last_admin"
    message = N_("This is the last admin. Make another one first.")


@dataclass(frozen=True, slots=True)
class Browser:
    """Where a sign-in happens; `sign_in_token` is the one that this browser held before, if any."""

    ip: str
    user_agent: str
    sign_in_token: str | None


@dataclass(frozen=True, slots=True)
class FollowedLink:
    sign_in_token: str
    next: str
    is_first: bool  # the address had not been proven before


def when_proven(act: Act) -> None:
    """Register an act for the transaction of every followed link: it moves what waits for that address."""
    if act not in _when_proven:
        _when_proven.append(act)


# Who is who


async def get(user_id: str) -> AccountRecord:
    account = await repository.get(user_id)
    if account is None:
        raise NotFound
    return account


async def find_by_email(email: str) -> AccountRecord | None:
    return await repository.find_by_email(email_key(email))


async def list_accounts(query: str, page_number: int) -> Page[AccountRecord]:
    """For staff: accounts whose address or name contains `query`, newest first."""
    items, total = await repository.list_page(
        query.strip(), email_key(query), (page_number - 1) * ACCOUNTS_PER_PAGE, ACCOUNTS_PER_PAGE
    )
    return Page(items, total, page_number, ACCOUNTS_PER_PAGE)


async def signed_in_account(token: str) -> AccountRecord | None:
    """The account of a sign-in cookie: one SELECT, and now and then a note that the browser was seen."""
    at = now()
    sign_in = await repository.find_sign_in(token_hash(token), at)
    if sign_in is None:
        return None
    if at - sign_in.last_seen_at >= TOUCH_EVERY:
        async with transaction():
            await repository.touch_sign_in(sign_in.id, at, at + SIGN_IN_LASTS)
    return sign_in.user


# Sign-in by link


async def send_link(email: str, next_path: str, ip: str) -> None:
    """Mail a sign-in link; raises TooManyLinks.

    The same work for every address: signing up and signing in are one thing.
    """
    address = email_key(email)
    from_here = {f"address:{address}|{ip}": LINKS_PER_ADDRESS_AND_IP, f"ip:{ip}": LINKS_PER_IP}
    try:
        await throttle.hit("link", from_here, LINK_WINDOW_S)
        # By itself and last: it counts the mails that really go to this mailbox, whoever asks for them.
        await throttle.hit("link", {f"address:{address}": LINKS_PER_ADDRESS}, LINK_WINDOW_S)
    except TooMany:
        raise TooManyLinks from None
    async with transaction():
        token = await issue_link(email, next=next_path, valid_for=timedelta(minutes=LINK_MINUTES))
        await mail.enqueue(
            f"sign-in-link:{token_hash(token)}",
            email,
            "sign_in_link",
            current_locale(),
            link=f"{settings().public_url}/login/link/{token}",
            minutes=LINK_MINUTES,
        )


async def issue_link(email: str, *, next: str = "", valid_for: timedelta) -> str:
    """Make a link that proves `email` once, leads to the path `next`, and lasts `valid_for`.

    Returns the token for its address, /login/link/<token>.
    """
    require_transaction()
    token = new_token()
    at = now()
    await repository.add_link(
        id=new_id(),
        token_hash=token_hash(token),
        email=email,
        email_key=email_key(email),
        next=next if len(next) <= MAX_NEXT_LENGTH else "",
        created_at=at,
        expires_at=at + valid_for,
    )
    return token


async def look_at_link(token: str) -> LinkRecord:
    """The link, unspent; raises LinkGone."""
    return _good(await repository.find_link(token_hash(token)), now())


async def followed_before(account: AccountRecord, token: str) -> str | None:
    """Where a link leads that this very person has spent: a receipt's button is pressed again and again."""
    link = await repository.find_link(token_hash(token))
    return link.next if link and link.used_at and link.email_key == account.email_key else None


async def follow_link(token: str, browser: Browser) -> FollowedLink:
    """Spend a link: its address is proven, its account made or opened, and this browser signed in.

    Raises LinkGone.
    """
    return await in_transaction(partial(_follow, token, browser))


async def _follow(token: str, browser: Browser) -> FollowedLink:
    at = now()
    link = _good(await repository.lock_link(token_hash(token)), at)
    await repository.spend_link(link.id, at)
    account = await _open(link.email, current_locale())
    is_first = not account.is_proven
    if is_first:
        # Whoever set a password or signed in before did not show that this address is theirs.
        await repository.change(account.id, email_proven_at=at, password_hash=None)
        await repository.end_sign_ins_of(account.id)
        account = account.model_copy(update={"email_proven_at": at})
    for act in _when_proven:
        await act(account)
    return FollowedLink(await _begin_sign_in(account.id, browser, at), link.next, is_first)


def _good(link: LinkRecord | None, at: datetime) -> LinkRecord:
    if link is None or not link.is_good(at):
        raise LinkGone
    return link


# Sign-in by password


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
    async with transaction():
        again = await repository.credentials_by_email(key, lock=True)
        if again is None or again.password_hash != stored:
            raise SignInRefused  # the password was changed while we were looking
        if newer != stored:
            await repository.change(again.user_id, password_hash=newer)
        token = await _begin_sign_in(again.user_id, browser, now())
    await throttle.forgive("sign-in", limits, WINDOW_S)
    return token


async def _begin_sign_in(user_id: str, browser: Browser, at: datetime) -> str:
    """Always with a new token: one that somebody planted in this browser before must not become good."""
    if browser.sign_in_token:
        await repository.end_sign_in(token_hash(browser.sign_in_token))
    token = new_token()
    await repository.add_sign_in(
        id=new_id(),
        token_hash=token_hash(token),
        user_id=user_id,
        user_agent=browser.user_agent[:200],
        created_at=at,
        last_seen_at=at,
        expires_at=at + SIGN_IN_LASTS,
    )
    return token


# What a signed-in person does


async def sign_out(token: str) -> None:
    async with transaction():
        await repository.end_sign_in(token_hash(token))


async def sign_ins_of(user_id: str) -> list[SignInRecord]:
    return await repository.list_sign_ins(user_id, now())


async def end_sign_in(user_id: str, sign_in_id: str) -> None:
    """Sign one of a person's browsers out; raises NotFound if it is not theirs."""
    async with transaction():
        if not await repository.end_sign_in_of(user_id, sign_in_id):
            raise NotFound


async def end_other_sign_ins(user_id: str, token: str) -> None:
    async with transaction():
        await repository.end_sign_ins_of(user_id, except_hash=token_hash(token))


async def save_profile(user_id: str, name: str, locale: str) -> None:
    async with transaction():
        await repository.change(user_id, name=name, locale=locale)


async def asks_present_password(user_id: str, token: str) -> bool:
    """Whether setting a password takes the present one: there is one, and this sign-in is not fresh."""
    found = await repository.credentials(user_id)
    if found is None or found.password_hash is None:
        return False
    at = now()
    sign_in = await repository.find_sign_in(token_hash(token), at)
    return sign_in is None or at - sign_in.created_at >= FRESH


async def set_password(user_id: str, browser: Browser, new: str, present: str) -> None:
    """Set a password and sign every other browser out.

    Raises WrongPassword; TooMany after many of these; NetworkCrowded or Crowded while many sign in.
    """
    assert browser.sign_in_token is not None, "somebody who is signed in"
    with turnstile.passed(browser.ip):
        await _set_password(user_id, browser.sign_in_token, new, present)


async def _set_password(user_id: str, token: str, new: str, present: str) -> None:
    must_know = await asks_present_password(user_id, token)
    found = await repository.credentials(user_id)
    stored = found.password_hash if found else None
    if must_know:
        await throttle.hit("password", {f"account:{user_id}": WRONG_PASSWORDS_PER_ADDRESS}, WINDOW_S)
        if not await passwords.matches(present, stored):
            raise WrongPassword
    new_hash = await passwords.hashed(new)
    async with transaction():
        again = await repository.credentials(user_id, lock=True)
        if again is None or again.password_hash != stored:
            raise WrongPassword  # it was changed in another tab meanwhile
        await repository.change(user_id, password_hash=new_hash)
        await repository.end_sign_ins_of(user_id, except_hash=token_hash(token))


# Acts of staff and of the operator


async def open_unproven(email: str, locale: str) -> AccountRecord:
    """The account of an address, made if there is none.

    Nobody can sign in to it until a mailed link has been followed.
    """
    require_transaction()
    return await _open(email, locale)


async def create_account(email: str, password: str, role: Role, name: str) -> AccountRecord:
    """A proven account with a password, for `playbill create-admin` and the demo.

    Raises AddressTaken, PasswordTooShort.
    """
    if len(password) < passwords.MIN_LENGTH:
        raise PasswordTooShort
    password_hash = await passwords.hashed(password)
    async with transaction():
        if await repository.find_by_email(email_key(email)):
            raise AddressTaken
        account = await _open(email, None)
        await repository.change(
            account.id, email_proven_at=now(), password_hash=password_hash, role=role, name=name
        )
        return await get(account.id)


async def change_role(user_id: str, role: Role, by: str) -> None:
    """Raises OwnRole if somebody changes their own, LastAdmin if none would be left, NotFound."""
    await in_transaction(partial(_change_role, user_id, role, by))


async def _change_role(user_id: str, role: Role, by: str) -> None:
    admins = await repository.lock_admins()
    account = await repository.lock(user_id)
    if account is None:
        raise NotFound
    # The row's own id from here on: MariaDB also finds it under an id with blanks behind.
    if account.id == by:
        raise OwnRole
    if role is not Role.ADMIN and admins == [account.id]:
        raise LastAdmin
    await repository.change(account.id, role=role)


async def forget_expired() -> None:
    """Delete sign-ins and links that nobody can use any more: addresses must not pile up."""
    await in_transaction(partial(repository.forget_expired, now()))


async def _open(email: str, locale: str | None) -> AccountRecord:
    """The account of an address, locked; made, unproven, if there is none."""
    key = email_key(email)
    account = await repository.lock_by_email(key)
    if account is None:
        user_id = new_id()
        await access.register_viewer(user_id)
        # False if another link of this address was followed just now: then that account is it.
        await repository.add(id=user_id, email=email, email_key=key, locale=locale, created_at=now())
        account = await repository.lock_by_email(key)
    assert account is not None
    return account
