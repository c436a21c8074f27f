"""What several forms of staff have in common: lines and long texts in each language."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from server.catalog.errors import CatalogError
from server.catalog.records import Texts
from server.i18n import N_
from server.web.forms import Filled, Form, FormInvalid

LANGUAGES = ("ko", "en")  # those that editors write in


def _unix_lines(typed: Any) -> Any:
    return typed.replace("\r\n", "\n") if isinstance(typed, str) else typed


Line = Annotated[str, Field(max_length=300)]
LongText = Annotated[str, Field(max_length=20_000), BeforeValidator(_unix_lines)]


def refilled(posted: Mapping[str, Sequence[Any]] | None, error: FormInvalid | CatalogError) -> Filled:
    """The form once more, with what was typed and what is wrong with it."""
    typed = {name: values[0] for name, values in (posted or {}).items() if values}
    return Filled(typed, error.errors if isinstance(error, FormInvalid) else {error.field: error.text})


def texts_of(form: Form, name: str) -> Texts:
    return {language: text for language in LANGUAGES if (text := getattr(form, f"{name}_{language}"))}


def _in_one_language(typed: str, info: ValidationInfo) -> str:
    """On the last language's field: one of them has to say something."""
    assert info.field_name is not None
    name = info.field_name.removesuffix(LANGUAGES[-1])
    if not typed and not any(info.data.get(name + language) for language in LANGUAGES[:-1]):
        raise ValueError(N_("Please fill this in, in at least one language."))
    return typed


OneOfThese = Annotated[Line, Field(default="", validate_default=True), AfterValidator(_in_one_language)]
