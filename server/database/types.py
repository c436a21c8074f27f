"""Column types that mean the same on SQLite and on MySQL/MariaDB."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CHAR, DateTime, Dialect, Enum, String, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeDecorator, TypeEngine

Id = CHAR(16)
CurrencyCode = CHAR(3)
TokenHash = CHAR(64)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in Python, microsecond-exact in both databases, which know no time zones."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name in ("mysql", "mariadb"):
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no meaning here; use server.clock")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None else None


# 16 MB instead of MySQL's 64 KB: a long course text in two languages is more than that.
LongText = Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


class JsonText(TypeDecorator[Any]):
    """JSON kept as readable text: Korean stays Korean, and no engine reorders the keys."""

    impl = LongText
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


def enum_column(kind: type[StrEnum]) -> Enum:
    """The value itself as text ("paid"), not the member's name and not an engine's enum type."""
    return Enum(kind, native_enum=False, length=24, values_callable=lambda k: [m.value for m in k])


def email_column() -> String:
    return String(254)
