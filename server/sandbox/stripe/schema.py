"""Strict checks of request parameters against the SDK's own generated types.

The SDK writes its types for people who type-check their code, so three things are read differently here:
a TypedDict is closed (an unknown key is an error at every depth), `Literal[...] | str` means the literals
alone, and the eight request options that the SDK mixes into its top-level types are no parameters.
"""

import re
import typing
from collections.abc import Callable
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from typing_extensions import get_type_hints, is_typeddict

from .errors import Fault, Json
from .form import Form, Raw, in_order, is_list

_REQUEST_OPTIONS = frozenset(
    [
        "api_key",
        "stripe_version",
        "stripe_account",
        "stripe_context",
        "idempotency_key",
        "content_type",
        "headers",
        "max_network_retries",
    ]
)
_INTEGER = re.compile(r"-?[0-9]{1,18}")


def checked(params: type, form: Form) -> Json:
    """A decoded form as typed values (int, bool, str, list, dict); raises the `Fault` of the first misfit."""
    return _object(params, form, "")


@cache
def fields_of(params: type) -> tuple[dict[str, Any], frozenset[str]]:
    """The parameters of a TypedDict with their types, and which of them are required."""
    hints = get_type_hints(params, localns={**vars(typing), "StripeContext": object})
    if hints.keys() >= _REQUEST_OPTIONS:
        hints = {name: hint for name, hint in hints.items() if name not in _REQUEST_OPTIONS}
    required: frozenset[str] = params.__required_keys__  # type: ignore[attr-defined]
    return hints, required


def _object(params: type, raw: Raw, name: str) -> Json:
    if not isinstance(raw, dict):
        raise Fault.parameter(name, "Invalid object")
    hints, required = fields_of(params)
    for key in raw:
        if key not in hints:
            raise _unknown(_join(name, key))
    for key in sorted(required - raw.keys()):
        path = _join(name, key)
        raise Fault.parameter(path, f"Missing required param: {path}.", "parameter_missing")
    return {key: _check(hints[key], value, _join(name, key)) for key, value in raw.items()}


def _unknown(path: str) -> Fault:
    if path == "payment_method_types":
        message = "`payment_method_types` is no longer supported; use `automatic_payment_methods` instead."
        return Fault.parameter(path, message, "payment_method_types_no_longer_supported")
    return Fault.parameter(path, f"Received unknown parameter: {path}", "parameter_unknown")


def _join(name: str, key: str) -> str:
    return f"{name}[{key}]" if name else key


def _check(hint: Any, raw: Raw, name: str) -> Any:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return _union(get_args(hint), raw, name)
    if is_typeddict(hint):
        return _object(hint, raw, name)
    if origin is list:
        return _list(get_args(hint)[0], raw, name)
    if origin is dict:
        return _mapping(raw, name)
    if origin is Literal:
        return _word(get_args(hint), raw, name)
    if hint in _SCALARS:
        return _SCALARS[hint](raw, name)
    raise TypeError(f"{name}: no check is written for the type {hint!r}")


def _union(options: tuple[Any, ...], raw: Raw, name: str) -> Any:
    words = [word for option in options if get_origin(option) is Literal for word in get_args(option)]
    if raw == "" and "" in words:
        return ""
    words = [word for word in words if word]
    if isinstance(raw, dict):
        shapes = [option for option in options if _takes_object(option)]
        if len(shapes) > 1:
            shapes = [option for option in shapes if (get_origin(option) is list) == is_list(raw)]
        if shapes:
            return _check(shapes[0], raw, name)
    if raw in words:
        return raw
    scalars = [option for option in options if option in _SCALARS and not (words and option is str)]
    if scalars:
        return _check(scalars[0], raw, name)
    if words:
        return _word(tuple(words), raw, name)
    return _check(next(option for option in options if _takes_object(option)), raw, name)


def _takes_object(hint: Any) -> bool:
    return is_typeddict(hint) or get_origin(hint) in (list, dict)


def _list(item: Any, raw: Raw, name: str) -> list[Any]:
    if not isinstance(raw, dict) or not is_list(raw):
        raise Fault.parameter(name, "Invalid array")
    return [_check(item, value, f"{name}[{place}]") for place, value in enumerate(in_order(raw))]


def _mapping(raw: Raw, name: str) -> dict[str, str]:
    if not isinstance(raw, dict):
        raise Fault.parameter(name, "Invalid object")
    return {key: _plain(value, _join(name, key)) for key, value in raw.items()}


def _word(words: tuple[Any, ...], raw: Raw, name: str) -> str:
    if isinstance(raw, str) and raw in words:
        return raw
    raise Fault.parameter(name, f"Invalid {name}: must be one of {', '.join(map(str, words))}")


def _plain(raw: Raw, name: str) -> str:
    if isinstance(raw, str):
        return raw
    raise Fault.parameter(name, "Invalid string")


def _text(raw: Raw, name: str) -> str:
    if raw == "":
        message = f"You passed an empty string for '{name}', which cannot be unset."
        raise Fault.parameter(name, message, "parameter_invalid_empty")
    return _plain(raw, name)


def _integer(raw: Raw, name: str) -> int:
    if isinstance(raw, str) and _INTEGER.fullmatch(raw):
        return int(raw)
    raise Fault.parameter(name, f"Invalid integer: {raw}", "parameter_invalid_integer")


def _boolean(raw: Raw, name: str) -> bool:
    if raw in ("true", "false"):
        return raw == "true"
    raise Fault.parameter(name, f"Invalid boolean: {raw}")


_SCALARS: dict[Any, Callable[[Raw, str], Any]] = {str: _text, int: _integer, bool: _boolean}
