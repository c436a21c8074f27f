"""What other domains may ask of accounts. Each act lives in the room that it is named by:

`people` (accounts), `links` (by mail), `signing_in` (by password, behind the `turnstile`), `sign_ins`
(browsers that are signed in), `profile` (what somebody changes about themselves), `roles`.

Nothing here tells a stranger whether an address has an account: asking for a link does the same work
for every address, and a wrong password, an unknown address and an unproven account are one answer.
"""

from server.accounts import repository
from server.accounts.addresses import email_key, valid_email
from server.accounts.links import LINK_MINUTES, FollowedLink, issue_link, send_link, spend_link
from server.accounts.people import (
    accounts_by_id,
    create_account,
    find_by_email,
    get,
    list_accounts,
    open_unproven,
)
from server.accounts.profile import save_profile
from server.accounts.roles import change_role
from server.accounts.sign_ins import Browser, sign_ins_of, signed_in_account
from server.clock import now
from server.database.session import in_transaction

__all__ = [
    "LINK_MINUTES",
    "Browser",
    "FollowedLink",
    "accounts_by_id",
    "change_role",
    "create_account",
    "email_key",
    "find_by_email",
    "forget_expired",
    "get",
    "issue_link",
    "list_accounts",
    "open_unproven",
    "save_profile",
    "send_link",
    "sign_ins_of",
    "signed_in_account",
    "spend_link",
    "valid_email",
]


async def forget_expired() -> None:
    """Delete sign-ins and links that nobody can use any more: addresses must not pile up."""
    await in_transaction(repository.forget_expired, now())
