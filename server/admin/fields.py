"""What several forms of staff have in common: lines and long texts, one for each language of the site."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from server.catalog.records import Texts
from server.i18n import N_
from server.settings import settings


def _unix_lines(typed: Any) -> Any:
    return typed.replace("\r\n", "\n") if isinstance(typed, str) else typed


Line = Annotated[str, Field(max_length=300)]
LongText = Annotated[str, Field(max_length=20_000), BeforeValidator(_unix_lines)]


def of_the_site(typed: Any) -> dict[str, Any]:
    """Of what was typed, the languages that the site offers."""
    given = typed if isinstance(typed, dict) else {}
    return {language: given.get(language, "") for language in settings().locale_list}


def without_empty(texts: Texts) -> Texts:
    return {language: text for language, text in texts.items() if text}


def _in_one_language(texts: Texts) -> Texts:
    if not texts:
        raise ValueError(N_("Please fill this in, in at least one language."))
    return texts


# Fields `title.ko`, `title.en` and so on; what stays empty is left out.
_Texts = Annotated[dict[str, Line], BeforeValidator(of_the_site), AfterValidator(without_empty)]
Lines = Annotated[_Texts, Field(default_factory=dict)]
OneOfLines = Annotated[
    _Texts, AfterValidator(_in_one_language), Field(default_factory=dict, validate_default=True)
]
LongTexts = Annotated[
    dict[str, LongText],
    BeforeValidator(of_the_site),
    AfterValidator(without_empty),
    Field(default_factory=dict),
]


def filled_texts(name: str, texts: Texts) -> dict[str, str]:
    """The fields of `Lines` or `LongTexts`, as `texts` fill them."""
    return {f"{name}.{language}": texts.get(language, "") for language in settings().locale_list}
