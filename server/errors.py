"""The base of every planned error: a status, a code for machines, a sentence for people."""

from server.i18n import N_, gettext


class PlaybillError(Exception):
    """Raised for what was foreseen; rendered by web.errors. Anything else is a bug and answers 500."""

    status = 400
    code = "bad_request"
    message = N_("That did not work. Please try again.")
    field = ""  # of the form that was posted, beside which the words stand; "": the form as a whole

    @property
    def details(self) -> dict[str, object]:
        """What a script is told beside code and message."""
        return {}

    @property
    def text(self) -> str:
        """The sentence in the language of the current request."""
        return gettext(self.message)


class Unreadable(PlaybillError):
    message = N_("The request could not be read.")


class NotFound(PlaybillError):
    """The same answer for what does not exist and for what is somebody else's."""

    status = 404
    code = "not_found"
    message = N_("There is no such page here.")


class SignInFirst(PlaybillError):
    """Rendered as a redirect to the sign-in page (for JSON: 401)."""

    status = 401
    code = "sign_in_first"
    message = N_("Please sign in first.")


class Forbidden(PlaybillError):
    status = 403
    code = "forbidden"
    message = N_("This page is for other members of the team.")


class TooMany(PlaybillError):
    status = 429
    code = "too_many_requests"
    message = N_("That was a lot at once. Please wait a few minutes and try again.")


class Unavailable(PlaybillError):
    status = 503
    code = "unavailable"
    message = N_("This is not answering right now. Please try again in a moment.")
