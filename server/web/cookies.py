"""Our cookies. Over https their names carry `__Host-`, so no other host can set or read them."""

from sanic import HTTPResponse, Request

from server.settings import settings

SIGN_IN = "playbill_sign_in"
ORDER_KEY = "playbill_order_key"
CSRF = "playbill_csrf"
LANGUAGE = "playbill_lang"
CURRENCY = "playbill_currency"
FLASH = "playbill_flash"

YEAR_S = 365 * 24 * 3600


def _name(name: str) -> str:
    return f"__Host-{name}" if settings().is_https else name


def read(request: Request, name: str) -> str | None:
    value = request.cookies.get(_name(name))
    # Ours are ASCII; whatever else a header carries is nobody's.
    return str(value) if value and value.isascii() else None


def put(response: HTTPResponse, name: str, value: str, *, max_age: int) -> None:
    response.add_cookie(
        _name(name),
        value,
        path="/",
        secure=settings().is_https,
        httponly=True,
        samesite="Lax",  # a bank's page must be able to lead back to the order
        max_age=max_age,
    )


def drop(response: HTTPResponse, name: str) -> None:
    response.add_cookie(_name(name), "", path="/", secure=settings().is_https, httponly=True, max_age=0)
