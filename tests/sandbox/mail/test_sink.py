"""The mail sink: takes everything, shows it, and fails on demand."""

from datetime import UTC, datetime, timedelta

import aiosmtplib
import pytest

from .support import MailSink, mail

LONG = "영수증 ₩33,000 · 주문 번호가 길어서 머리글이 여러 줄로 접히는 제목이에요, 정말로 길어요"


async def test_message_is_decoded_whatever_its_encoding(sink: MailSink) -> None:
    await sink.send(mail(LONG, "<h1>고마워요</h1>", "고마워요.\n안녕히 가세요."))
    (message,) = await sink.messages()
    age = datetime.now(UTC) - datetime.fromisoformat(message.pop("at"))
    assert timedelta() <= age < timedelta(seconds=10)
    assert message == {
        "to": "viewer@playbill.example",
        "subject": LONG,
        "text": "고마워요.\n안녕히 가세요.\n",
        "html": "<h1>고마워요</h1>\n",
    }


async def test_messages_are_listed_as_they_came_and_shown_newest_first(sink: MailSink) -> None:
    for subject in ("First", "Second"):
        await sink.send(mail(subject))
    assert [message["subject"] for message in await sink.messages()] == ["First", "Second"]
    page = (await sink.http.get("/")).text
    assert page.index("Second") < page.index("First")


async def test_deleted_messages_are_gone(sink: MailSink) -> None:
    await sink.send(mail())
    assert (await sink.http.delete("/messages")).status_code == 204
    assert await sink.messages() == []
    assert (await sink.http.get("/messages/0/html")).status_code == 404


async def test_html_body_is_shut_off(sink: MailSink) -> None:
    await sink.send(mail("<b>Bold</b>", "<script>alert(1)</script><a href='https://x.example'>x</a>"))
    page = (await sink.http.get("/")).text
    assert '<iframe src="/messages/0/html"' in page
    assert "<b>Bold</b>" not in page
    assert "<script>" not in page
    body = await sink.http.get("/messages/0/html")
    policy = body.headers["content-security-policy"]
    assert "<script>alert(1)</script>" in body.text
    assert policy.startswith("default-src 'none'")
    assert "sandbox" in policy
    assert "allow-scripts" not in policy


async def test_links_of_a_text_mail_can_be_followed(sink: MailSink) -> None:
    await sink.send(mail(text="Open https://playbill.example/l?a=1&b=2 <now>"))
    page = (await sink.http.get("/")).text
    assert '<a href="https://playbill.example/l?a=1&amp;b=2"' in page
    assert "&lt;now&gt;" in page


@pytest.mark.parametrize(("how", "code"), [("4xx", 451), ("5xx", 550)])
async def test_refused_message_is_not_taken(sink: MailSink, how: str, code: int) -> None:
    await sink.fail(how)
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
        await sink.send(mail())
    assert [recipient.code for recipient in refused.value.recipients] == [code]
    assert await sink.messages() == []


@pytest.mark.parametrize(("how", "taken"), [("drop", 0), ("drop_after_data", 1)])
async def test_sink_hangs_up_before_or_after_it_has_the_message(sink: MailSink, how: str, taken: int) -> None:
    await sink.fail(how)
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await sink.send(mail())
    assert len(await sink.messages()) == taken
    await sink.fail(None)
    await sink.send(mail())
    assert len(await sink.messages()) == taken + 1


async def test_unknown_failure_is_refused(sink: MailSink) -> None:
    for changes in ({"smtp_fail": "6xx"}, {"other": 1}, ["4xx"]):
        assert (await sink.http.post("/_sandbox/settings", json=changes)).status_code == 400
    assert (await sink.http.get("/_sandbox/settings")).json() == {"smtp_fail": None}
