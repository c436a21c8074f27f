import json
import secrets
import sqlite3
import string
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from .errors import Json

_ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str) -> str:
    return f"{prefix}_{''.join(secrets.choice(_ALPHABET) for _ in range(24))}"


def now() -> int:
    return int(time.time())


@dataclass
class Settings:
    """Chaos on demand. `fail_rate` is the share of delivery attempts that get lost."""

    deliver: Literal["now", "manual"] = "now"
    delay_ms: int = 0
    duplicate: int = 1
    fail_rate: float = 0.0
    shuffle: bool = False
    signature: Literal["good", "old", "wrong_secret", "v0_only", "rotated"] = "good"
    """How deliveries are signed; `rotated` as after a change of the secret: by another one and by ours."""
    processing: bool = False
    """A good card's money stays on its way until `/_sandbox/processing/{intent}` says how it ended."""
    api_delay_ms: int = 0
    api_fail: Literal["429", "lock_timeout", "500", "502", "drop"] | None = None
    api_only: str | None = None
    """Which calls `api_delay_ms` and `api_fail` are for: a beginning of `METHOD /path`, `*` allowed."""


@dataclass(frozen=True)
class Cause:
    """The API call that an event is reported to come from."""

    request_id: str | None = None
    idempotency_key: str | None = None


class State:
    """Everything the stand-in remembers: objects by kind, oldest first, written through to one SQLite file.

    An act changes objects in memory and calls `put`; `flush` then writes them all in one transaction, so that
    the file never holds half an act. Acts are plain functions: nothing else runs before their `flush`.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.settings = Settings()
        self.cause = Cause()
        self.on_flush: Callable[[], None] = lambda: None
        self._kinds: dict[str, dict[str, Json]] = {}
        self._changed: dict[str, Json | None] = {}
        self._file = _open(file) if file else None
        if self._file:
            self._load(self._file)

    def get(self, kind: str, object_id: str) -> Json | None:
        return self._kinds.get(kind, {}).get(object_id)

    def all(self, kind: str) -> list[Json]:
        return list(self._kinds.get(kind, {}).values())

    def where(self, kind: str, **facts: Any) -> list[Json]:
        return [
            found for found in self.all(kind) if all(found[name] == value for name, value in facts.items())
        ]

    def put(self, found: Json) -> Json:
        """Keep a new object, or say that a kept one was changed in place."""
        self._kinds.setdefault(found["object"], {})[found["id"]] = found
        self._changed[found["id"]] = found
        return found

    def drop(self, found: Json) -> None:
        self._kinds.get(found["object"], {}).pop(found["id"], None)
        self._changed[found["id"]] = None

    def change_settings(self, settings: Settings) -> None:
        self.settings = settings
        self.put({"object": "sandbox.settings", "id": "settings", **asdict(settings)})

    def clear(self) -> None:
        for kind in list(self._kinds):
            for found in self.all(kind):
                self.drop(found)
        self.settings = Settings()

    @contextmanager
    def caused_by(self, cause: Cause) -> Iterator[None]:
        self.cause = cause
        try:
            yield
        finally:
            self.cause = Cause()

    def flush(self) -> None:
        if not self._changed:
            return
        if self._file:
            gone = [(object_id,) for object_id, found in self._changed.items() if found is None]
            kept = [
                (object_id, found["object"], json.dumps(found))
                for object_id, found in self._changed.items()
                if found
            ]
            with self._file:
                self._file.executemany("DELETE FROM objects WHERE id = ?", gone)
                self._file.executemany(
                    "INSERT INTO objects (id, kind, body) VALUES (?, ?, ?)"
                    " ON CONFLICT (id) DO UPDATE SET body = excluded.body",
                    kept,
                )
        self._changed.clear()
        self.on_flush()

    def close(self) -> None:
        self.flush()
        if self._file:
            self._file.close()

    def _load(self, file: sqlite3.Connection) -> None:
        for kind, object_id, body in file.execute("SELECT kind, id, body FROM objects ORDER BY position"):
            self._kinds.setdefault(kind, {})[object_id] = json.loads(body)
        if kept := self.get("sandbox.settings", "settings"):
            # A file of an older version knows fewer settings.
            self.settings = Settings(**{name: kept[name] for name in asdict(Settings()) if name in kept})


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = sqlite3.connect(path)
    file.execute("PRAGMA synchronous = NORMAL")
    file.execute(
        "CREATE TABLE IF NOT EXISTS objects"
        " (position INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL,"
        " id TEXT NOT NULL UNIQUE, body TEXT NOT NULL)"
    )
    return file
