"""Settings: environment variables with the prefix PLAYBILL_, or the same names in `.env`."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.numbers import list_currencies
from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from server import languages
from server.currencies import MINIMUM
from server.settings_checks import (
    SANDBOX_SECRETS,
    about_secret,
    encrypts_mail,
    is_mail_address,
    is_mail_server,
    is_nowhere,
    is_origin,
    is_private,
    is_script,
    is_this_machine,
    listed,
    repeats_itself,
)

ROOT = Path(__file__).resolve().parent.parent

LIVE_ADDRESSES = {
    "stripe_api_url": "https://api.stripe.com",
    "stripe_js_url": "https://js.stripe.com/endive/stripe.js",
    "kollus_api_url": "https://c-api-kr.kollus.com",
    "kollus_gateway_url": "https://v.kr.kollus.com",
    "kollus_player_js_url": "https://file.kollus.com/vgcontroller/vg-controller-client.latest.min.js",
}
# Addresses that stand in a page's Content-Security-Policy or are called as they are: nothing but an origin.
ORIGINS = ("public_url", "stripe_api_url", "kollus_api_url", "kollus_gateway_url")
SCRIPTS = ("stripe_js_url", "kollus_player_js_url")
# Seconds. More often would only burden Stripe and the database; a shorter lease would be lost in a hiccup.
SHORTEST_INTERVALS = {"sweep_interval_s": 5, "outbox_interval_s": 1, "jobs_interval_s": 1, "lease_s": 10}
DATABASES = ("sqlite+aiosqlite://", "mysql+aiomysql://")


Port = Annotated[int, Field(ge=1, le=65535)]


class UnsafeSettings(ValueError):
    """Live mode was asked for with settings that must not meet real money."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="PLAYBILL_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,  # a refusal must not write a secret into a log
    )

    mode: Literal["sandbox", "live"] = "sandbox"
    host: str = "127.0.0.1"
    port: Port = 8000
    workers: int = Field(default=1, ge=1)
    # Proxies in front that append to X-Forwarded-For; None: nobody has said.
    proxies_count: int | None = Field(default=None, ge=0)
    public_url: str = ""
    secret_key: str = ""
    var_dir: Path = Path("var")
    database_url: str = ""

    stripe_secret_key: str = ""
    stripe_publishable_key: str = ""
    stripe_webhook_secrets: str = ""
    stripe_api_url: str = ""
    stripe_js_url: str = ""

    kollus_service_account_key: str = ""
    kollus_security_key: str = ""
    kollus_custom_key: str = ""
    kollus_api_token: str = ""
    kollus_channel_key: str = ""
    kollus_api_url: str = ""
    kollus_gateway_url: str = ""
    kollus_player_js_url: str = ""
    kollus_callback_secret: str = ""

    smtp_url: str = ""
    mail_from: str = ""
    currencies: str = "KRW,USD,JPY"
    locales: str = "ko,en"
    business_timezone: str = "Asia/Seoul"
    metrics_token: str = ""

    # How soon a purchase is found of which no webhook told; each time is one question to Stripe.
    sweep_interval_s: float = Field(default=20, ge=0.2, le=300)
    # How soon a mail goes out, and a job begins; each time is one question to the database by each worker.
    outbox_interval_s: float = Field(default=2, ge=0.1, le=60)
    jobs_interval_s: float = Field(default=2, ge=0.1, le=60)
    # How long a killed worker's sweep or job waits for another worker.
    lease_s: float = Field(default=20, ge=1, le=30)

    business_name: str = ""
    business_representative: str = ""
    business_registration_no: str = ""
    business_mail_order_no: str = ""
    business_address: str = ""
    business_phone: str = ""
    business_email: str = ""

    sandbox_stripe_port: Port = 8001
    sandbox_kollus_port: Port = 8002
    sandbox_mail_port: Port = 8003
    sandbox_smtp_port: Port = 8025

    @model_validator(mode="before")
    @classmethod
    def _defaults_per_mode(cls, given: dict[str, object]) -> dict[str, object]:
        mode = given.get("mode", "sandbox")
        host = given.get("host", "127.0.0.1")
        var_dir = given.get("var_dir", "var")
        defaults: dict[str, object] = {
            "public_url": f"http://{f'[{host}]' if ':' in str(host) else host}:{given.get('port', 8000)}",
            "database_url": f"sqlite+aiosqlite:///{var_dir}/playbill.db",
        }
        if mode == "live":
            defaults |= LIVE_ADDRESSES
        else:
            stripe_port = given.get("sandbox_stripe_port", 8001)
            kollus_port = given.get("sandbox_kollus_port", 8002)
            # A browser reaches the stand-ins under another host name than the site, so that they
            # really are another site: cookies, frames and CSP behave as they will in earnest.
            defaults |= SANDBOX_SECRETS | {
                "stripe_api_url": f"http://127.0.0.1:{stripe_port}",
                "stripe_js_url": f"http://localhost:{stripe_port}/endive/stripe.js",
                "kollus_api_url": f"http://127.0.0.1:{kollus_port}",
                "kollus_gateway_url": f"http://localhost:{kollus_port}",
                "kollus_player_js_url": (
                    f"http://localhost:{kollus_port}/vgcontroller/vg-controller-client.latest.min.js"
                ),
                "smtp_url": f"smtp://127.0.0.1:{given.get('sandbox_smtp_port', 8025)}",
                "mail_from": "Playbill <hello@playbill.example>",
                "business_name": "Playbill Studio",
                "business_representative": "Hana Seo",
                "business_registration_no": "000-00-00000",
                "business_mail_order_no": "2026-Seoul-0000",
                "business_address": "1 Sandbox-ro, Jongno-gu, Seoul",
                "business_phone": "+82 2 0000 0000",
                "business_email": "hello@playbill.example",
            }
        return defaults | {name: value for name, value in given.items() if value not in ("", None)}

    @field_validator(*ORIGINS)
    @classmethod
    def _without_a_slash_at_the_end(cls, value: str) -> str:
        return value.rstrip("/")

    @model_validator(mode="after")
    def _refuse_what_does_not_exist(self) -> Self:
        try:
            ZoneInfo(self.business_timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"PLAYBILL_BUSINESS_TIMEZONE: there is no {self.business_timezone}") from error
        if unknown := set(self.currency_list) - list_currencies():
            raise ValueError(f"PLAYBILL_CURRENCIES: unknown {', '.join(sorted(unknown))}")
        if unknown := set(self.currency_list) - MINIMUM.keys():
            names = ", ".join(sorted(unknown))
            raise ValueError(f"PLAYBILL_CURRENCIES: server/currencies.py knows no smallest charge in {names}")
        if not self.currency_list:
            raise ValueError("PLAYBILL_CURRENCIES is empty")
        if unknown := set(self.locale_list) - languages.written():
            raise ValueError(f"PLAYBILL_LOCALES: no texts in {', '.join(sorted(unknown))}")
        if not self.locale_list:
            raise ValueError("PLAYBILL_LOCALES is empty")
        return self

    @model_validator(mode="after")
    def _refuse_what_live_mode_must_not_meet(self) -> Self:
        complaints = list(self._about_forms())
        if self.mode == "live" and (
            complaints := [
                *complaints,
                *self._about_secrets(),
                *self._about_addresses(),
                *self._about_intervals(),
            ]
        ):
            raise UnsafeSettings("live mode refuses to start: " + "; ".join(complaints))
        if complaints:
            raise ValueError("; ".join(complaints))
        return self

    def _about_forms(self) -> Iterator[str]:
        """What would otherwise fail later, at every page or every mail."""
        for name in ORIGINS:
            if not is_origin(getattr(self, name)):
                yield f"PLAYBILL_{name.upper()} is not of the form http[s]://host[:port], without a path"
        for name in SCRIPTS:
            if not is_script(getattr(self, name)):
                yield f"PLAYBILL_{name.upper()} is not of the form http[s]://host[:port]/path"
        if not self.database_url.startswith(DATABASES):
            yield f"PLAYBILL_DATABASE_URL begins with neither {' nor '.join(DATABASES)}"
        if self.smtp_url and not is_mail_server(self.smtp_url):
            yield "PLAYBILL_SMTP_URL is not of the form smtp[s|+starttls]://[user:password@]host[:port]"
        for name in ("mail_from", "business_email"):
            if (value := getattr(self, name)) and not is_mail_address(value):
                yield f"PLAYBILL_{name.upper()} is no e-mail address"

    def _about_secrets(self) -> Iterator[str]:
        for name in SANDBOX_SECRETS:
            if complaint := about_secret(name, getattr(self, name)):
                yield f"PLAYBILL_{name.upper()} {complaint}"
        if len(self.metrics_token) < 16:
            yield "PLAYBILL_METRICS_TOKEN is empty or shorter than 16 characters"
        elif repeats_itself(self.metrics_token):
            yield "PLAYBILL_METRICS_TOKEN repeats itself and is easily guessed"

    def _about_addresses(self) -> Iterator[str]:
        for name in ("public_url", *LIVE_ADDRESSES):
            if not (is_origin if name in ORIGINS else is_script)(getattr(self, name)):
                continue  # said already
            address = urlsplit(getattr(self, name))
            if address.scheme != "https":
                yield f"PLAYBILL_{name.upper()} is not https"
            elif is_this_machine(address.hostname or ""):
                yield f"PLAYBILL_{name.upper()} is an address of this machine"
            elif name == "public_url" and is_private(address.hostname or ""):
                yield "PLAYBILL_PUBLIC_URL is an address of a private network"
            elif name == "public_url" and is_nowhere(address.hostname or ""):
                yield "PLAYBILL_PUBLIC_URL is not a name that the internet knows"
        if is_mail_server(self.smtp_url):
            yield from self._about_mail_server()
        if self.proxies_count is None:
            yield "PLAYBILL_PROXIES_COUNT is not set: how many proxies stand in front (0 if there is none)"
        for name in ("smtp_url", "mail_from", "business_name", "business_email"):
            if not getattr(self, name):
                yield f"PLAYBILL_{name.upper()} is empty"

    def _about_mail_server(self) -> Iterator[str]:
        server = urlsplit(self.smtp_url)
        if is_this_machine(server.hostname or ""):
            if server.port == self.sandbox_smtp_port:
                yield "PLAYBILL_SMTP_URL is the sandbox's mail server"
        elif server.username and not encrypts_mail(self.smtp_url):
            # To encrypt when it is offered is not enough: whoever stands between can take the offer away.
            yield "PLAYBILL_SMTP_URL would send the password unencrypted: write smtp+starttls:// or smtps://"

    def _about_intervals(self) -> Iterator[str]:
        for name, shortest in SHORTEST_INTERVALS.items():
            if getattr(self, name) < shortest:
                yield f"PLAYBILL_{name.upper()} is shorter than {shortest} seconds"

    @property
    def is_live(self) -> bool:
        return self.mode == "live"

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    @cached_property
    def webhook_secrets(self) -> list[str]:
        return listed(self.stripe_webhook_secrets)

    @cached_property
    def currency_list(self) -> list[str]:
        return [code.upper() for code in listed(self.currencies)]

    @cached_property
    def locale_list(self) -> list[str]:
        return listed(self.locales)

    @cached_property
    def timezone(self) -> ZoneInfo:
        return ZoneInfo(self.business_timezone)


_current: Settings | None = None


def configure(settings: Settings) -> None:
    """Make these the settings of this process; called once, by whoever starts it."""
    global _current  # noqa: PLW0603 - one process serves one site
    _current = settings


def settings() -> Settings:
    assert _current is not None, "configure() was not called"
    return _current
