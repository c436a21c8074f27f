from typing import Literal

from .errors import Fault

MOST_KEYS = 50
LONGEST_KEY = 40
LONGEST_VALUE = 500


def merged(old: dict[str, str], new: dict[str, str] | Literal[""]) -> dict[str, str]:
    """Keys that are not named stay, an empty value unsets its key, an empty `metadata` unsets all."""
    if new == "":
        return {}
    for key, value in new.items():
        _check_entry(key, value)
    result = {key: value for key, value in {**old, **new}.items() if value != ""}
    if len(result) > MOST_KEYS:
        raise Fault.parameter(
            "metadata", f"You can only have up to {MOST_KEYS} keys; you have {len(result)}."
        )
    return result


def _check_entry(key: str, value: str) -> None:
    if len(key) > LONGEST_KEY:
        message = f"Metadata keys can be up to {LONGEST_KEY} characters long; this one has {len(key)}: {key}"
        raise Fault.parameter("metadata", message)
    if len(value) > LONGEST_VALUE:
        message = (
            f"Metadata values can be up to {LONGEST_VALUE} characters long; this one has {len(value)}: {key}"
        )
        raise Fault.parameter(f"metadata[{key}]", message)
