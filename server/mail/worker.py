"""Sends what waits in the outbox; runs in every worker process, any number at once.

A mail is leased, then offered to the mail server; when the server has accepted the recipient, *sending*
is committed, and only then the content goes out. So whoever finds a mail in *sending* after its lease
knows that it may have been delivered: it becomes *uncertain* and is never sent again by itself.
"""

import logging
import traceback
from datetime import timedelta

from server.alerts import service as alerts
from server.alerts.records import MailStuck
from server.clock import now
from server.database.session import in_transaction
from server.integrations import smtp
from server.integrations.gateways import gateways
from server.mail import message, repository
from server.mail.models import MailState
from server.mail.records import HeldMail
from server.metrics import mail_total

# Longer than what may happen under them: the gateway's time-outs add up to less. Whoever outlives his
# lease all the same changes nothing any more.
LEASE = timedelta(minutes=2)
SENDING_LEASE = timedelta(minutes=5)
PAUSES = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(hours=4),
    timedelta(hours=4),
)
TRIES = len(PAUSES) + 1
# While the mail server is away: no try of the mail's, but ever more seldom; a log-in that is refused every
# two seconds would lock us out.
AWAY_PAUSES = timedelta(minutes=1), timedelta(hours=1)
TELL_STAFF_AFTER = timedelta(hours=1)

log = logging.getLogger("playbill.mail")


class _LeaseLost(Exception):
    """This worker was slow, and another one has the mail now."""


async def send_waiting() -> int:
    """Send every mail that is due; returns how many the server took."""
    if not await repository.has_work(now()):
        return 0
    await _give_up_lost()
    sent = 0
    while (mail := await _take_due()) is not None:
        if mail.tries > TRIES:
            await _give_up(mail, MailState.FAILED, "Every try ended with its worker.", "worker died")
            continue
        try:
            sent += await _send(mail)
        except smtp.ServerAway:
            break  # the next one would meet the same; it is tried in the next round
    return sent


async def _give_up_lost() -> None:
    lost = await in_transaction(repository.give_up_lost, now())
    for mail in lost:
        log.error("mail %s is uncertain: its worker stopped while sending", mail.id)
        mail_total.labels("uncertain").inc()


async def _take_due() -> HeldMail | None:
    at = now()
    return await in_transaction(repository.take_due, at, held_until=at + LEASE)


async def _send(mail: HeldMail) -> bool:
    async def record_sending() -> None:
        nonlocal mail
        sending = await in_transaction(repository.start_sending, mail, held_until=now() + SENDING_LEASE)
        if sending is None:
            raise _LeaseLost
        mail = sending

    try:
        content = message.as_bytes(mail)
    except Exception as error:
        # A mail that cannot even be written must not stop those behind it for ever. The log gets the place
        # where it failed and not the words, which may quote the recipient.
        where = "".join(traceback.format_tb(error.__traceback__))
        log.error("mail %s cannot be written: %s\n%s", mail.id, type(error).__name__, where)
        await _give_up(mail, MailState.FAILED, str(error), type(error).__name__)
        return False
    try:
        await gateways().smtp.send(message.sender(), mail.recipient, content, record_sending)
    except _LeaseLost:
        log.warning("mail %s: the lease ran out before the content was sent", mail.id)
        return False
    except smtp.ServerAway as error:
        await _wait_for_server(mail, error)
        raise
    except smtp.NotAccepted as error:
        await _later(mail, error)
        return False
    except smtp.Refused as error:
        await _give_up(mail, MailState.FAILED, str(error), error.brief)
        return False
    except smtp.AnswerLost as error:
        await _give_up(mail, MailState.UNCERTAIN, str(error), error.brief)
        return False
    # Worth several tries: a delivered mail that is not recorded as sent counts as uncertain.
    await in_transaction(repository.mark_sent, mail, now())
    mail_total.labels("sent").inc()
    return True


async def _later(mail: HeldMail, error: smtp.NotAccepted) -> None:
    if mail.tries >= TRIES:
        await _give_up(mail, MailState.FAILED, str(error), error.brief)
        return
    await in_transaction(repository.try_again, mail, now() + PAUSES[mail.tries - 1], str(error))
    log.warning("mail %s: try %d of %d: %s", mail.id, mail.tries, TRIES, error.brief)
    mail_total.labels("retried").inc()


async def _wait_for_server(mail: HeldMail, error: smtp.ServerAway) -> None:
    """Put a mail off for as long as it takes: no receipt is lost to an outage."""
    await in_transaction(_put_off, mail, str(error))
    log.warning("mail %s waits for the mail server: %s", mail.id, error.brief)
    mail_total.labels("retried").inc()


async def _put_off(mail: HeldMail, error: str) -> None:
    at = now()
    waited = at - mail.created_at
    shortest, longest = AWAY_PAUSES
    pause = min(longest, max(shortest, waited / 10))
    await repository.try_again(mail, at + pause, error, counts=False)
    if waited >= TELL_STAFF_AFTER:
        # Once a day, as long as it lasts.
        day = at.date().isoformat()
        await alerts.raise_alert(MailStuck(reason=error[:300]), f"mail_stuck:{day}")


async def _give_up(mail: HeldMail, state: MailState, error: str, brief: str) -> None:
    """`error` is kept with the mail, for staff; a log gets the `brief` alone."""
    await in_transaction(repository.give_up, mail, state, error)
    log.error("mail %s is %s: %s", mail.id, state, brief)
    mail_total.labels(state.value).inc()
