"""What is told, in which words, and what staff can do about a mail in trouble."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from server.audit.records import Actor
from server.clock import now
from server.database.session import transaction
from server.errors import NotFound
from server.mail import message, worker
from server.mail import service as mail
from server.mail.models import MailState
from server.mail.records import HeldMail
from server.mail.rendering import render
from server.settings import Settings
from tests.factories import entries_of
from tests.mail.conftest import Outbox
from tests.statements import Statements

STAFF = Actor.staff("0" * 16)
ORDER = {
    "number": "AB2CD-9XYZ1",
    "amount": 33000,
    "currency": "KRW",
    "items": [{"course_title": {"ko": "빛 & 그림자", "en": "Light & shade"}, "amount": 33000}],
}
CONTEXTS: dict[str, dict[str, Any]] = {
    "sign_in_link": {"link": "https://shop.example/login/link/abc", "minutes": 30},
    "receipt": {
        "order": ORDER,
        "paid_at": now(),
        "link": "https://shop.example/learn/light",
        "is_guest": True,
        "bought_twice": True,
        "paid_twice": True,
    },
    "refund": {"order": ORDER, "refunded_amount": 33000, "closes_access": True, "paid_twice": False},
}


@pytest.mark.parametrize("locale", ["ko", "en"])
@pytest.mark.parametrize("template", CONTEXTS)
async def test_every_mail_stands_in_every_language(template: str, locale: str, settings: Settings) -> None:
    content = render(template, locale, **CONTEXTS[template])

    assert content.subject
    assert "\n" not in content.subject
    assert f'lang="{locale}"' in content.html
    assert settings.business_email in content.text
    hangul = any("가" <= letter <= "힣" for letter in content.subject)
    assert hangul is (locale == "ko")


@pytest.mark.parametrize("template", ["receipt", "refund"])
async def test_money_mails_name_amount_order_and_seller(template: str, settings: Settings) -> None:
    content = render(template, "ko", **CONTEXTS[template])

    for text in (content.text, content.html):
        assert "₩33,000" in text
        assert "AB2CD-9XYZ1" in text
        for detail in (
            settings.business_registration_no,
            settings.business_mail_order_no,
            settings.business_address,
        ):
            assert detail in text
    assert "빛 & 그림자" in content.text
    assert "빛 &amp; 그림자" in content.html


async def test_message_has_the_headers_of_a_message_from_a_machine(settings: Settings) -> None:
    held = HeldMail(
        id="0123456789abcdef",
        once_key="test",
        recipient="reader@mail.example",
        subject="영수증",
        text="본문\n",
        html="<p>본문</p>",
        state=MailState.WAITING,
        tries=1,
        last_error="",
        held_until=now(),
        next_try_at=now(),
        created_at=now(),
        sent_at=None,
    )

    head = message.as_bytes(held).decode("ascii")

    assert "Message-ID: <0123456789abcdef@playbill.example>\r\n" in head
    assert "From: Playbill <hello@playbill.example>\r\n" in head
    assert f"Reply-To: {settings.business_email}\r\n" in head
    assert "Auto-Submitted: auto-generated\r\n" in head
    assert "multipart/alternative" in head


async def test_the_same_thing_is_told_once(outbox: Outbox) -> None:
    await outbox.put()
    async with transaction():
        again = await mail.enqueue("test:1", "other@mail.example", "sign_in_link", "ko", link="x", minutes=1)

    assert again is False
    assert (await outbox.row()).recipient == "reader1@mail.example"


async def test_what_a_buyer_was_told_of_an_order_is_found(session: None) -> None:
    async with transaction():
        for key in ("receipt:one", "refund:one:3", "receipt:another", "refund:one-and-a-half:1"):
            await mail.enqueue(key, "reader@mail.example", "sign_in_link", "ko", link="x", minutes=1)

    assert {told.once_key for told in await mail.told_of("one")} == {"receipt:one", "refund:one:3"}


async def test_staff_send_a_failed_mail_again(outbox: Outbox) -> None:
    await outbox.put()
    await outbox.server_fails("5xx")
    await worker.send_waiting()
    await outbox.server_fails(None)
    (troubled,) = await mail.troubled()

    await mail.settle_troubled(STAFF, troubled.id, resend=True)
    await worker.send_waiting()

    assert (await outbox.row()).state is MailState.SENT
    assert await mail.troubled() == []
    assert len(outbox.delivered()) == 1


async def test_staff_let_an_uncertain_mail_be(outbox: Outbox) -> None:
    await outbox.put()
    await outbox.server_fails("drop_after_data")
    await worker.send_waiting()
    (troubled,) = await mail.troubled()

    await mail.settle_troubled(STAFF, troubled.id, resend=False)

    row = await outbox.row()
    assert (row.state, row.text) == (MailState.DROPPED, "")
    assert await mail.troubled() == []
    with pytest.raises(mail.NotTroubled):
        await mail.settle_troubled(STAFF, troubled.id, resend=True)


async def test_unknown_mail_cannot_be_settled(outbox: Outbox) -> None:
    with pytest.raises(NotFound):
        await mail.settle_troubled(STAFF, "0" * 16, resend=True)


async def test_what_staff_decide_of_a_mail_is_written_down(outbox: Outbox) -> None:
    await outbox.put()
    await outbox.server_fails("5xx")
    await worker.send_waiting()
    await outbox.server_fails(None)
    (troubled,) = await mail.troubled()

    await mail.settle_troubled(STAFF, troubled.id, resend=True)

    (entry,) = await entries_of("mail", troubled.id)
    assert (entry.act, entry.actor_id) == ("mail.resend", STAFF.id)
    assert (entry.before, entry.after) == ({"state": "failed"}, {"state": "waiting"})


async def test_troubled_mails_are_counted_and_listed_without_their_content(
    outbox: Outbox, engine: AsyncEngine
) -> None:
    await outbox.put(1)
    await outbox.put(2)
    await outbox.change(state=MailState.FAILED)

    with Statements.of(engine) as statements:
        count, listed = await mail.count_troubled(), await mail.troubled()

    assert count == len(listed) == 2
    assert not [one for one in statements if "mails.text" in one or "mails.html" in one]
