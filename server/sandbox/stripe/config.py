from dataclasses import dataclass
from pathlib import Path

API_VERSION = "2026-10-28.endive"
"""The only version that is spoken; calls made with a secret key must name it."""


@dataclass(frozen=True)
class Config:
    """What one stand-in process is started with.

    `state` is the file that outlives a restart; without it everything is forgotten at the end.
    """

    port: int
    secret_key: str
    publishable_key: str
    webhook_url: str | None = None
    webhook_secret: str | None = None
    state: Path | None = None

    @property
    def public_url(self) -> str:
        """The address for browsers: `localhost`, so that it is another site than a shop on 127.0.0.1."""
        return f"http://localhost:{self.port}"
