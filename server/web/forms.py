"""Forms: Pydantic models of what is posted; an error names its field and keeps what was typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from server.errors import PlaybillError
from server.i18n import N_, gettext

MESSAGES = {
    "missing": N_("Please fill this in."),
    "string_too_short": N_("Please fill this in."),
    "string_too_long": N_("This is too long."),
    "int_parsing": N_("Please type a whole number."),
    "int_from_float": N_("Please type a whole number."),
    "greater_than_equal": N_("This number is too small."),
    "less_than_equal": N_("This number is too large."),
    "enum": N_("Please choose one of the given options."),
    "literal_error": N_("Please choose one of the given options."),
    "string_pattern_mismatch": N_("This does not have the expected form."),
}
OTHERWISE = N_("Please check this.")


@dataclass(frozen=True, slots=True)
class Filled:
    """What a template shows of a form: what stands in its fields, and one sentence per wrong field.

    The error of the name "" is about the form as a whole.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    def refused(self, error: PlaybillError) -> "Filled":
        """The same with what is wrong with it."""
        errors = error.errors if isinstance(error, FormInvalid) else {error.field: error.text}
        return Filled(self.values, errors)


def refilled(posted: Mapping[str, Any] | None, error: PlaybillError) -> Filled:
    """The form once more, as it was typed (a date stays the day that was picked), with what is wrong with it.

    A field of type "password" shows nothing of this: see macros/forms.html.
    """
    return Filled(_first_of_each(posted)).refused(error)


class FormInvalid(PlaybillError):
    """What was posted does not do; `errors` says why, field by field."""

    status = 422
    code = "invalid_form"
    message = N_("Please check the marked fields.")

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(dict(errors))
        self.errors = dict(errors)

    @property
    def details(self) -> dict[str, object]:
        return {"fields": self.errors}


class Form(BaseModel):
    """Unknown fields are ignored (a browser extension may add some); missing ones are errors."""

    model_config = ConfigDict(str_strip_whitespace=True, extra="ignore", frozen=True)

    @classmethod
    def parse(cls, posted: Mapping[str, Any] | None) -> Self:
        """Read `request.form` (first value of each field) or a JSON object; raises FormInvalid.

        Fields `title.ko` and `title.en` are the parts of one, `title`: a dictionary.
        """
        values = _first_of_each(posted)
        try:
            return cls.model_validate(_with_parts_joined(values))
        except ValidationError as error:
            raise FormInvalid(_sentences(error, values)) from None


def _first_of_each(posted: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        name: (value[0] if isinstance(value, list) and value else value)
        for name, value in (posted or {}).items()
    }


def _with_parts_joined(values: Mapping[str, Any]) -> dict[str, Any]:
    parts: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        whole, dot, part = name.partition(".")
        if dot:
            parts.setdefault(whole, {})[part] = value
    return {**values, **parts}


def _sentences(error: ValidationError, values: Mapping[str, Any]) -> dict[str, str]:
    """One for each field; for a part of one where the part is wrong."""
    found: dict[str, str] = {}
    for detail in error.errors(include_url=False, include_context=True):
        whole, part = (".".join(map(str, detail["loc"][:count])) for count in (1, 2))
        name = part if part in values else whole
        if detail["type"] == "value_error":  # raised by a validator of ours, with words of ours
            sentence = gettext(str(detail["ctx"]["error"]))
        else:
            sentence = gettext(MESSAGES.get(detail["type"], OTHERWISE))
        found.setdefault(name, sentence)
    return found
