import re
from typing import TypeAlias, Union
from urllib.parse import parse_qsl

from .errors import Fault

Raw: TypeAlias = Union[str, "Form"]
Form: TypeAlias = dict[str, Raw]

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_MOST_FIELDS = 1000


def decode(text: str) -> Form:
    """Read `a[b]=1&list[0]=x&list[]=y` into nested dicts; list places stay digit keys, untyped as yet."""
    form: Form = {}
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError as error:  # not UTF-8, or a flood of fields
        raise Fault(400, f"Invalid request: the parameters cannot be read ({error}).") from error
    for key, value in pairs:
        _insert(form, key, value)
    return form


def _insert(form: Form, key: str, value: str) -> None:
    match = _KEY.fullmatch(key)
    path = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])] if match else [key]
    node = form
    for step in path[:-1]:
        child = node.setdefault(step or str(len(node)), {})
        if isinstance(child, str):
            raise Fault.parameter(path[0], f"Invalid object: {key} is given both as a value and as an object")
        node = child
    last = path[-1] or str(len(node))
    if isinstance(node.get(last), dict):
        raise Fault.parameter(path[0], f"Invalid object: {key} is given both as a value and as an object")
    node[last] = value


def is_list(raw: Raw) -> bool:
    """Whether a decoded object was written as a list (`x[0]=`, `x[]=`); digits of other scripts are names."""
    return isinstance(raw, dict) and all(key.isascii() and key.isdecimal() for key in raw)


def in_order(raw: Form) -> list[Raw]:
    return [raw[key] for key in sorted(raw, key=int)]
