"""What may be done with mails; sending them is the worker's."""

from typing import Any

from server.audit import service as audit
from server.audit.records import Actor
from server.clock import now
from server.database.session import in_transaction, require_transaction
from server.errors import NotFound, PlaybillError
from server.i18n import N_
from server.mail import rendering, repository
from server.mail.models import MailState
from server.mail.records import MailRecord
from server.tokens import new_id


class NotTroubled(PlaybillError):
    status = 409
    code = "mail_not_troubled"
    message = N_("This mail has been dealt with meanwhile.")


async def enqueue(once_key: str, recipient: str, template: str, locale: str, **context: Any) -> bool:
    """Put a mail into the outbox. It goes out if, and only if, the open transaction commits.

    `once_key` (up to 120 characters) names what it tells about; False if that was told already.
    """
    require_transaction()
    content = rendering.render(template, locale, **context)
    at = now()
    return await repository.add_once(
        new_id(),
        once_key=once_key,
        recipient=recipient,
        subject=content.subject[:300],
        text=content.text,
        html=content.html,
        at=at,
    )


async def told_of(order_id: str) -> list[MailRecord]:
    """What a buyer was told of an order (`receipt:<order id>`, `refund:<order id>:…`), oldest first."""
    return await repository.list_told(f"receipt:{order_id}", f"refund:{order_id}:")


async def troubled() -> list[MailRecord]:
    """Mails that a person has to look at: refused for good, or perhaps sent and perhaps not."""
    return await repository.list_troubled()


async def count_troubled() -> int:
    return await repository.count_troubled()


async def settle_troubled(actor: Actor, mail_id: str, *, resend: bool) -> None:
    """Send a troubled mail again, or let it be; raises NotFound, and NotTroubled if it no longer is."""
    await in_transaction(_settle_troubled, actor, mail_id, resend)


async def _settle_troubled(actor: Actor, mail_id: str, resend: bool) -> None:
    mail = await repository.lock(mail_id)
    if mail is None:
        raise NotFound
    if mail.state not in repository.TROUBLED:
        raise NotTroubled
    if resend:
        await repository.wait_again(mail.id, now())
        act, state = "mail.resend", MailState.WAITING
    else:
        await repository.drop(mail.id)
        act, state = "mail.drop", MailState.DROPPED
    await audit.note(
        actor, act, "mail", mail.id, before={"state": mail.state.value}, after={"state": state.value}
    )
