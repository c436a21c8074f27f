import re
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from .errors import Json
from .form import Raw, in_order, is_list

_LONGEST = 2000
_SECRET_FIELDS = frozenset({"cvc", "client_secret", "key"})


class RequestLog:
    """The latest API calls, oldest first, secrets masked. It does not outlive the process."""

    def __init__(self) -> None:
        self.entries: deque[Json] = deque(maxlen=_LONGEST)

    def begin(self, method: str, path: str, headers: Mapping[str, str]) -> Json:
        entry: Json = {
            "method": method,
            "path": path,
            "params": {},
            "headers": {name.lower(): _masked_header(name, value) for name, value in headers.items()},
            "status": None,
            "at": datetime.now(UTC).isoformat(),
        }
        self.entries.append(entry)
        return entry


def masked(raw: Raw, name: str = "") -> Any:
    """Parameters as people read them: lists as lists, without card numbers and secrets."""
    if isinstance(raw, dict):
        if raw and is_list(raw) and name != "metadata":
            return [masked(value) for value in in_order(raw)]
        return {key: masked(value, key) for key, value in raw.items()}
    if name == "number":
        return "*" * (len(raw) - 4) + raw[-4:]
    return "***" if name in _SECRET_FIELDS else raw


def _masked_header(name: str, value: str) -> str:
    if name.lower() not in ("authorization", "cookie"):
        return value
    return re.sub(r"\b((?:sk|pk|rk)_(?:test|live)_)?[^\s]{4,}$", lambda match: f"{match[1] or ''}***", value)
