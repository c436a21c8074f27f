"""Settings: environment variables with the prefix PLAYBILL_, or the same names in `.env`."""

from functools import cached_property
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent

# What the stand-ins know and the whole world may read; live mode refuses every one of them.
SANDBOX_SECRETS = {
    "secret_key": "playbill-sandbox-secret-key-0123456789abcdef",
    "stripe_secret_key": "sk_test_playbillsandbox",
    "stripe_publishable_key": "pk_test_playbillsandbox",
    "stripe_webhook_secrets": "whsec_playbillsandbox",
    "kollus_service_account_key": "playbill-sandbox",
    "kollus_security_key": "playbill-sandbox-security-key-0123456789",
    "kollus_custom_key": "9f3c1e7a5b2d4860a1c3e5f7092b4d6e8fa0c2e4061829304b5d6f7081a2b3c4",
    "kollus_api_token": "playbill-sandbox-api-token",
    "kollus_channel_key": "playbill1",
    "kollus_callback_secret": "playbill-sandbox-callback-secret",
}
LIVE_ADDRESSES = {
    "stripe_api_url": "https://api.stripe.com",
    "stripe_js_url": "https://js.stripe.com/endive/stripe.js",
    "kollus_api_url": "https://c-api-kr.kollus.com",
    "kollus_gateway_url": "https://v.kr.kollus.com",
    "kollus_player_js_url": "https://file.kollus.com/vgcontroller/vg-controller-client.latest.min.js",
}
SECRETS_OF_16_OR_MORE = ("kollus_callback_secret",)


class UnsafeSettings(ValueError):
    """Live mode was asked for with settings that must not meet real money."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="PLAYBILL_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    mode: Literal["sandbox", "live"] = "sandbox"
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = Field(default=1, ge=1)
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

    business_name: str = ""
    business_representative: str = ""
    business_registration_no: str = ""
    business_mail_order_no: str = ""
    business_address: str = ""
    business_phone: str = ""
    business_email: str = ""

    sandbox_stripe_port: int = 8001
    sandbox_kollus_port: int = 8002
    sandbox_mail_port: int = 8003
    sandbox_smtp_port: int = 8025

    @model_validator(mode="before")
    @classmethod
    def _defaults_per_mode(cls, given: dict[str, object]) -> dict[str, object]:
        mode = given.get("mode", "sandbox")
        host = given.get("host", "127.0.0.1")
        var_dir = given.get("var_dir", "var")
        defaults: dict[str, object] = {
            "public_url": f"http://{host}:{given.get('port', 8000)}",
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

    @model_validator(mode="after")
    def _refuse_what_live_mode_must_not_meet(self) -> Self:
        if self.mode == "live" and (complaints := list(self._complaints())):
            raise UnsafeSettings("live mode refuses to start: " + "; ".join(complaints))
        return self

    def _complaints(self) -> list[str]:
        found = []
        for name, sandbox_value in SANDBOX_SECRETS.items():
            value = getattr(self, name)
            if not value:
                found.append(f"PLAYBILL_{name.upper()} is empty")
            elif sandbox_value in value:
                found.append(f"PLAYBILL_{name.upper()} is the sandbox's value")
        if self.secret_key and len(self.secret_key) < 32:
            found.append("PLAYBILL_SECRET_KEY is shorter than 32 characters")
        found += [
            f"PLAYBILL_{name.upper()} is shorter than 16 characters"
            for name in SECRETS_OF_16_OR_MORE
            if getattr(self, name) and len(getattr(self, name)) < 16
        ]
        if not self.metrics_token or len(self.metrics_token) < 16:
            found.append("PLAYBILL_METRICS_TOKEN is empty or shorter than 16 characters")
        if self.stripe_secret_key.startswith(("sk_test_", "rk_test_")):
            found.append("PLAYBILL_STRIPE_SECRET_KEY is a test key")
        if any(len(secret) < 16 for secret in self.webhook_secrets):
            found.append("PLAYBILL_STRIPE_WEBHOOK_SECRETS holds a short secret")
        for name in ("public_url", *LIVE_ADDRESSES):
            address = urlsplit(getattr(self, name))
            if address.scheme != "https":
                found.append(f"PLAYBILL_{name.upper()} is not https")
            elif address.hostname in (None, "localhost", "127.0.0.1", "::1"):
                found.append(f"PLAYBILL_{name.upper()} is an address of this machine")
        for name in ("smtp_url", "mail_from", "business_name", "business_email"):
            if not getattr(self, name):
                found.append(f"PLAYBILL_{name.upper()} is empty")
        return found

    @property
    def is_live(self) -> bool:
        return self.mode == "live"

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    @cached_property
    def webhook_secrets(self) -> list[str]:
        return [secret.strip() for secret in self.stripe_webhook_secrets.split(",") if secret.strip()]

    @cached_property
    def currency_list(self) -> list[str]:
        return [code.strip().upper() for code in self.currencies.split(",") if code.strip()]

    @cached_property
    def locale_list(self) -> list[str]:
        return [code.strip() for code in self.locales.split(",") if code.strip()]

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
