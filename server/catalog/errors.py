"""What the catalog refuses, each with words for the editor who asked."""

from server.currencies import MAXIMUM, MINIMUM, step
from server.errors import PlaybillError
from server.i18n import N_, gettext
from server.money import format_money


class CatalogError(PlaybillError):
    status = 409
    code = "catalog"


class SlugTaken(CatalogError):
    code = "slug_taken"
    field = "slug"
    message = N_("Another course has this address. Please choose another one.")


class SlugIsFixed(CatalogError):
    code = "slug_is_fixed"
    field = "slug"
    message = N_("This course was published: links to it are out there, so its address stays.")


class UnknownCategory(CatalogError):
    status = 422
    code = "unknown_category"
    field = "category"
    message = N_("Please choose one of the given options.")


class PriceRefused(CatalogError):
    """Base of what is wrong with one price; names the field of its currency."""

    status = 422
    code = "price_refused"

    def __init__(self, currency: str) -> None:
        super().__init__(currency)
        self.currency = currency
        self.field = f"price.{currency}"


class PriceTooLow(PriceRefused):
    code = "price_too_low"
    message = N_("The smallest amount that can be charged is {amount}.")

    @property
    def text(self) -> str:
        return gettext(self.message).format(amount=format_money(MINIMUM[self.currency], self.currency))


class PriceTooHigh(PriceRefused):
    code = "price_too_high"
    message = N_("The largest amount that can be charged is {amount}.")

    @property
    def text(self) -> str:
        return gettext(self.message).format(amount=format_money(MAXIMUM, self.currency))


class PriceUneven(PriceRefused):
    code = "price_uneven"
    message = N_("Amounts in this currency can only be charged in steps of {amount}.")

    @property
    def text(self) -> str:
        return gettext(self.message).format(amount=format_money(step(self.currency), self.currency))


class CurrencyNotOffered(PriceRefused):
    code = "currency_not_offered"
    message = N_("This site does not sell in that currency.")


class NotReady(CatalogError):
    """Base of what a course lacks that is, or is to be, on sale."""

    code = "not_ready"


class NoPrice(NotReady):
    code = "no_price"
    message = N_("A published course needs a price in at least one currency.")


class NoLecture(NotReady):
    code = "no_lecture"
    message = N_("A published course needs at least one lecture with a media content key.")


class NoTexts(NotReady):
    code = "no_texts"
    message = N_("A published course needs its title, promise, description and teacher in one language.")


class LectureInUse(CatalogError):
    code = "lecture_in_use"
    message = N_("This lecture has been watched, so it stays: viewers would lose their progress.")


class SectionInUse(CatalogError):
    code = "section_in_use"
    message = N_("This section still has lectures. Delete or move them first.")
