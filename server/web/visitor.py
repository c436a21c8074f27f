"""Who asks: account, order key, language and currency, found once before the handler runs."""

from ipaddress import IPv6Address, ip_address, ip_network

from sanic import Request

from server.access.records import Viewer
from server.accounts import service as accounts
from server.i18n import negotiate, use_locale
from server.settings import settings
from server.tokens import order_key_id
from server.web import cookies


def start(request: Request) -> None:
    """Defaults that hold even if nothing else can be found out (database down, unknown path)."""
    request.ctx.account = None
    request.ctx.viewer = Viewer()
    request.ctx.currency = settings().currency_list[0]
    _choose_language(request)


async def find(request: Request) -> None:
    if token := cookies.read(request, cookies.SIGN_IN):
        request.ctx.account = await accounts.signed_in_account(token)
    key = cookies.read(request, cookies.ORDER_KEY)
    request.ctx.viewer = Viewer(
        account_id=request.ctx.account.id if request.ctx.account else None,
        order_key_id=order_key_id(key) if key else None,
    )
    locale = _choose_language(request)
    request.ctx.currency = _choose_currency(request, locale)


def _choose_language(request: Request) -> str:
    """`?lang=` for one page, then this browser's choice, the account's, the browser's wish, our first."""
    offered = settings().locale_list
    account = request.ctx.account
    candidates = (
        request.args.get("lang"),
        cookies.read(request, cookies.LANGUAGE),
        account.locale if account else None,
        negotiate(request.headers.get("accept-language", ""), offered),
    )
    locale = next((one for one in candidates if one in offered), offered[0])
    use_locale(locale)
    return locale


def _choose_currency(request: Request, locale: str) -> str:
    offered = settings().currency_list
    chosen = cookies.read(request, cookies.CURRENCY)
    if chosen in offered:
        return chosen
    # By the language that the browser wishes for, also where the site does not speak it (Japanese).
    wished = negotiate(request.headers.get("accept-language", ""), ["ko", "ja", "en"])
    by_language = {"ko": "KRW", "ja": "JPY"}.get("ja" if wished == "ja" else locale, "USD")
    return by_language if by_language in offered else offered[0]


def client_ip(request: Request) -> str:
    """The visitor's address, for brakes: of IPv6 the first 64 bits, which are one customer's.

    Behind proxies it is what the outermost of PROXIES_COUNT says.
    """
    given = str(request.remote_addr or request.ip)
    if given.startswith("["):  # so Sanic writes the IPv6 address that a proxy tells
        given = given[1:].partition("]")[0]
    elif given.count(":") == 1:  # some proxies add the port, which changes with every connection
        given = given.partition(":")[0]
    try:
        address = ip_address(given)
    except ValueError:
        return given
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, 64), strict=False))
    return given
