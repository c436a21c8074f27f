"""Links by mail: each proves an address once, and opens or makes the account of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from server.accounts import people, repository, sign_ins
from server.accounts.addresses import email_key
from server.accounts.records import AccountRecord, LinkRecord
from server.accounts.sign_ins import Browser
from server.clock import now
from server.database.session import in_transaction, require_transaction
from server.errors import PlaybillError, TooMany
from server.i18n import N_, current_locale
from server.mail import service as mail
from server.settings import settings
from server.throttle import service as throttle
from server.tokens import new_id, new_token, token_hash

LINK_MINUTES = 30
MAX_NEXT_LENGTH = 500
# No longer than a link lasts: whoever cannot get another one has one in the mailbox that still works.
WINDOW_S = LINK_MINUTES * 60
PER_ADDRESS_AND_IP, PER_ADDRESS, PER_IP = 5, 10, 60


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


@dataclass(frozen=True, slots=True)
class FollowedLink:
    account: AccountRecord
    sign_in_token: str
    next: str
    is_first: bool  # the address had not been proven before


async def send_link(email: str, next_path: str, ip: str) -> None:
    """Mail a sign-in link; raises TooManyLinks.

    The same work for every address: signing up and signing in are one thing.
    """
    address = email_key(email)
    from_here = {f"address:{address}|{ip}": PER_ADDRESS_AND_IP, f"ip:{ip}": PER_IP}
    try:
        await throttle.hit("link", from_here, WINDOW_S)
        # By itself and last: it counts the mails that really go to this mailbox, whoever asks for them.
        await throttle.hit("link", {f"address:{address}": PER_ADDRESS}, WINDOW_S)
    except TooMany:
        raise TooManyLinks from None
    await in_transaction(_send, email, next_path)


async def _send(email: str, next_path: str) -> None:
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
        new_id(),
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


async def spend_link(token: str, browser: Browser) -> FollowedLink:
    """Spend a link: its address is proven, its account made or opened, and this browser signed in.

    Raises LinkGone. What waits for a proven address is moved in the same transaction: see `claiming`.
    """
    require_transaction()
    at = now()
    link = _good(await repository.lock_link(token_hash(token)), at)
    await repository.spend_link(link.id, at)
    account = await people.open_unproven(link.email, current_locale())
    is_first = not account.is_proven
    if is_first:
        # Whoever set a password or signed in before did not show that this address is theirs.
        await repository.prove(account.id, at)
        await repository.end_sign_ins_of(account.id)
        account = account.model_copy(update={"email_proven_at": at})
    return FollowedLink(account, await sign_ins.begin(account.id, browser, at), link.next, is_first)


def _good(link: LinkRecord | None, at: datetime) -> LinkRecord:
    if link is None or not link.is_good(at):
        raise LinkGone
    return link
