"""Records: the frozen values that repositories hand out instead of live ORM objects.

A record takes a relationship only if the query loaded it. One that was not loaded is absent, and
reading it names the loader option to add: neither an empty list nor a hidden query.
"""

from functools import cache
from typing import TYPE_CHECKING, Any, Self, get_args

from pydantic import BaseModel, ConfigDict
from sqlalchemy import inspect
from sqlalchemy.orm.state import InstanceState

from server.database.base import Base


class NotLoaded(AttributeError):
    """A relationship was read that its query did not load."""


class Record(BaseModel):
    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    @classmethod
    def of(cls, row: Base, **computed: Any) -> Self:
        """Build the record from a row; `computed` adds or replaces fields the table does not have."""
        state: InstanceState[Any] = inspect(row)
        unloaded = state.unloaded
        values: dict[str, Any] = {}
        for name, nested in _fields(cls, type(row)):
            if name in computed or name in unloaded:
                continue
            value = getattr(row, name)
            if nested is not None and value is not None:
                value = [nested.of(one) for one in value] if isinstance(value, list) else nested.of(value)
            values[name] = value
        return cls.model_construct(**values, **computed)  # type: ignore[return-value]

    if not TYPE_CHECKING:  # or every misspelled name would pass for a field

        def __getattr__(self, name: str) -> Any:
            if name in type(self).model_fields:
                raise NotLoaded(
                    f"{type(self).__name__}.{name} was not loaded: add .options(selectinload(….{name}))"
                )
            return super().__getattr__(name)


@cache
def _fields(cls: type[Record], table: type[Base]) -> list[tuple[str, type[Record] | None]]:
    """The fields that the table has, each with the record that its relationship leads to."""
    fields = cls.model_fields.items()
    return [(name, _nested(field.annotation)) for name, field in fields if hasattr(table, name)]


def _nested(annotation: Any) -> type[Record] | None:
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, Record):
            return candidate
    return None
