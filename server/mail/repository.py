"""The only SQL on the outbox."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Update, and_, exists, func, or_, select, update
from sqlalchemy.orm import defer

from server.database.session import current_session, require_transaction
from server.database.write import changed, insert_once
from server.mail.models import Mail, MailState
from server.mail.records import HeldMail, MailRecord

TROUBLED = (MailState.FAILED, MailState.UNCERTAIN)
# No mail is held or put off for longer: a time beyond was written by a clock that was ahead.
LONGEST_LEASE = timedelta(minutes=10)
LONGEST_PAUSE = timedelta(hours=5)
WITHOUT_CONTENT = (defer(Mail.text), defer(Mail.html))


async def add_once(
    mail_id: str, *, once_key: str, recipient: str, subject: str, text: str, html: str, at: datetime
) -> bool:
    """False if a mail with this `once_key` is there already."""
    return await insert_once(
        Mail,
        {
            "id": mail_id,
            "once_key": once_key,
            "recipient": recipient,
            "subject": subject,
            "text": text,
            "html": html,
            "created_at": at,
            "next_try_at": at,
        },
    )


async def has_work(at: datetime) -> bool:
    """Whether `take_due` or `give_up_lost` would find a row: a read, so that idle workers lock nothing."""
    found = await current_session().scalar(select(exists().where(or_(_due(at), _lost(at)))))
    return bool(found)


async def take_due(at: datetime, held_until: datetime) -> HeldMail | None:
    """Lease the mail that waits longest to this worker and count the try."""
    require_transaction()
    row = await current_session().scalar(
        select(Mail)
        .where(_due(at))
        .order_by(Mail.next_try_at, Mail.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if row is None:
        return None
    row.held_until = held_until
    row.tries += 1
    await current_session().flush()
    return HeldMail.of(row)


async def start_sending(mail: HeldMail, held_until: datetime) -> HeldMail | None:
    """From leased to *sending*, under a new lease; None if another worker has the mail now."""
    if await changed(_held(mail).values(state=MailState.SENDING, held_until=held_until)) == 0:
        return None
    return mail.model_copy(update={"state": MailState.SENDING, "held_until": held_until})


async def mark_sent(mail: HeldMail, at: datetime) -> None:
    sent = {
        "state": MailState.SENT,
        "sent_at": at,
        "held_until": None,
        "last_error": "",
        "text": "",
        "html": "",
    }
    if await changed(_held(mail).values(sent)) == 0:
        # The answer came so late that another worker had given the mail up.
        await changed(_mail_in(mail.id, MailState.UNCERTAIN).values(sent))


async def try_again(mail: HeldMail, next_try_at: datetime, error: str, *, counts: bool = True) -> bool:
    """False if another worker has the mail now."""
    waiting = _held(mail).values(
        state=MailState.WAITING,
        tries=mail.tries if counts else mail.tries - 1,
        next_try_at=next_try_at,
        held_until=None,
        last_error=error[:300],
    )
    return await changed(waiting) == 1


async def give_up(mail: HeldMail, state: MailState, error: str) -> bool:
    """False if another worker has the mail now."""
    given_up = _held(mail).values(state=state, held_until=None, last_error=error[:300])
    return await changed(given_up) == 1


async def give_up_lost(at: datetime) -> list[MailRecord]:
    """Mails whose worker died between handing over and recording: nobody knows whether they went out."""
    require_transaction()
    rows = await current_session().scalars(select(Mail).where(_lost(at)).with_for_update(skip_locked=True))
    lost = []
    for row in rows:
        row.state = MailState.UNCERTAIN
        row.held_until = None
        row.last_error = "The worker stopped before the server's answer."
        lost.append(MailRecord.of(row))
    await current_session().flush()
    return lost


async def list_troubled() -> list[MailRecord]:
    rows = await current_session().scalars(
        select(Mail)
        .options(*WITHOUT_CONTENT)
        .where(Mail.state.in_(TROUBLED))
        .order_by(Mail.created_at, Mail.id)
    )
    return [MailRecord.of(row) for row in rows]


async def count_troubled() -> int:
    found = await current_session().scalar(
        select(func.count()).select_from(Mail).where(Mail.state.in_(TROUBLED))
    )
    return found or 0


async def list_told(once_key: str, beginning: str) -> list[MailRecord]:
    rows = await current_session().scalars(
        select(Mail)
        .options(*WITHOUT_CONTENT)
        .where(or_(Mail.once_key == once_key, Mail.once_key.startswith(beginning, autoescape=True)))
        .order_by(Mail.created_at, Mail.id)
    )
    return [MailRecord.of(row) for row in rows]


async def lock(mail_id: str) -> MailRecord | None:
    require_transaction()
    query = select(Mail).options(*WITHOUT_CONTENT).where(Mail.id == mail_id)
    row = await current_session().scalar(query.with_for_update())
    return MailRecord.of(row) if row else None


async def wait_again(mail_id: str, at: datetime) -> None:
    troubled = _mail_in(mail_id, *TROUBLED)
    await changed(troubled.values(state=MailState.WAITING, tries=0, next_try_at=at, held_until=None))


async def drop(mail_id: str) -> None:
    troubled = _mail_in(mail_id, *TROUBLED)
    await changed(troubled.values(state=MailState.DROPPED, held_until=None, text="", html=""))


def _held(mail: HeldMail) -> Update:
    """A mail that this worker holds: no row if its lease ran out and somebody else took over."""
    return update(Mail).where(
        Mail.id == mail.id, Mail.state == mail.state, Mail.held_until == mail.held_until
    )


def _mail_in(mail_id: str, *states: MailState) -> Update:
    return update(Mail).where(Mail.id == mail_id, Mail.state.in_(states))


def _due(at: datetime) -> ColumnElement[bool]:
    return and_(
        Mail.state == MailState.WAITING,
        or_(Mail.next_try_at <= at, Mail.next_try_at > at + LONGEST_PAUSE),
        or_(Mail.held_until.is_(None), _lease_is_over(at)),
    )


def _lost(at: datetime) -> ColumnElement[bool]:
    return and_(Mail.state == MailState.SENDING, _lease_is_over(at))


def _lease_is_over(at: datetime) -> ColumnElement[bool]:
    return or_(Mail.held_until <= at, Mail.held_until > at + LONGEST_LEASE)
