"""How the stand-ins of Stripe, Kollus and mail are started for a site with these settings."""

import socket
import time
import urllib.request
from importlib.util import find_spec
from urllib.error import URLError

from server.processes import Child, module
from server.settings import ROOT, Settings

START_WITHIN_S = 30.0


def standins(settings: Settings) -> list[Child]:
    """Three separate processes that speak the real protocols; the site knows nothing but their addresses."""
    state = settings.var_dir.absolute() / "sandbox"
    state.mkdir(parents=True, exist_ok=True)
    callbacks = f"{settings.public_url}/callbacks/kollus"
    return [
        Child(
            "stripe stand-in",
            module(
                "server.sandbox.stripe",
                f"--port={settings.sandbox_stripe_port}",
                f"--secret-key={settings.stripe_secret_key}",
                f"--publishable-key={settings.stripe_publishable_key}",
                f"--webhook-url={settings.public_url}/webhooks/stripe",
                f"--webhook-secret={settings.webhook_secrets[0]}",
                f"--state={state / f'stripe-{settings.sandbox_stripe_port}.db'}",
            ),
        ),
        Child(
            "kollus stand-in",
            module(
                "server.sandbox.kollus",
                f"--port={settings.sandbox_kollus_port}",
                f"--service-account-key={settings.kollus_service_account_key}",
                f"--security-key={settings.kollus_security_key}",
                f"--custom-key={settings.kollus_custom_key}",
                f"--api-token={settings.kollus_api_token}",
                f"--channel-key={settings.kollus_channel_key}",
                f"--play-callback-url={callbacks}/play",
                f"--lms-url={callbacks}/lms?json_data={{JSON_DATA}}&uservalue0={{USERVALUE0}}",
                f"--media={ROOT / 'server' / 'sandbox' / 'media'}",
            ),
        ),
        Child(
            "mail stand-in",
            module(
                "server.sandbox.mail",
                f"--port={settings.sandbox_mail_port}",
                f"--smtp-port={settings.sandbox_smtp_port}",
            ),
        ),
    ]


def are_installed() -> bool:
    """Whether `pip install '.[demo]'` was done: the site needs none of it."""
    return find_spec("aiosmtpd") is not None


def refuse_taken_ports(settings: Settings) -> None:
    """Raise OSError, naming the port, if a stand-in could not listen: somebody else's would answer for it."""
    for port in (
        settings.sandbox_stripe_port,
        settings.sandbox_kollus_port,
        settings.sandbox_mail_port,
        settings.sandbox_smtp_port,
    ):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise OSError(error.errno, f"port {port} of a stand-in is taken") from error


def health_addresses(settings: Settings) -> list[str]:
    ports = (settings.sandbox_stripe_port, settings.sandbox_kollus_port, settings.sandbox_mail_port)
    return [f"http://127.0.0.1:{port}/_sandbox/healthz" for port in ports]


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - an address of this machine
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


class Awaited:
    """True once every address answers; raises TimeoutError after 30 s."""

    def __init__(self, urls: list[str]) -> None:
        self._left = list(urls)
        self._deadline = time.monotonic() + START_WITHIN_S

    def __call__(self) -> bool:
        self._left = [url for url in self._left if not answers(url)]
        if self._left and time.monotonic() > self._deadline:
            raise TimeoutError(f"no answer from {', '.join(self._left)}")
        return not self._left
