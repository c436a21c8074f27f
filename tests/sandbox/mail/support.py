from dataclasses import dataclass
from email.message import EmailMessage

import aiosmtplib
import httpx


def mail(subject: str = "Receipt", html: str = "", text: str = "Thank you.\nBye.") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Playbill <shop@playbill.example>"
    message["To"] = "김철수 <viewer@playbill.example>"
    message["Subject"] = subject
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message


@dataclass(frozen=True)
class MailSink:
    """The running sink, as a test talks to it."""

    http: httpx.AsyncClient
    smtp_port: int

    async def send(self, message: EmailMessage) -> None:
        await aiosmtplib.send(message, hostname="127.0.0.1", port=self.smtp_port, timeout=5)

    async def messages(self) -> list[dict[str, str]]:
        messages: list[dict[str, str]] = (await self.http.get("/messages")).json()
        return messages

    async def fail(self, how: str | None) -> None:
        response = await self.http.post("/_sandbox/settings", json={"smtp_fail": how})
        assert response.json() == {"smtp_fail": how}
