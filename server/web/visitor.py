"""Who asks: account, order key, language and currency, found once before the handler runs."""

from ipaddress import IPv6Address, ip_address, ip_network

from sanic import Request

from server import languages
from server.access.records import Viewer
from server.accounts import service as accounts
from server.i18n import first_offered, use_locale
from server.settings import settings
from server.tokens import order_key_id
from server.web import cookies


def start(request: Request) -> None:
    """What holds if nothing else can be found out (database down, unknown path)."""
    request.ctx.account = None
    request.ctx.viewer = Viewer()
    request.ctx.wishes = languages.wished(request.headers.get("accept-language", ""))
    _choose(request)


async def find(request: Request) -> None:
    if token := cookies.read(request, cookies.SIGN_IN):
        request.ctx.account = await accounts.signed_in_account(token)
    key = cookies.read(request, cookies.ORDER_KEY)
    request.ctx.viewer = Viewer(
        account_id=request.ctx.account.id if request.ctx.account else None,
        order_key_id=order_key_id(key) if key else None,
    )
    if request.ctx.account:
        _choose(request)  # now that an account may have something to say


def _choose(request: Request) -> None:
    """`?lang=` for one page, then this browser's choice, the account's, the browser's wish, our first."""
    account = request.ctx.account
    locale = first_offered(
        request.args.get("lang"),
        cookies.read(request, cookies.LANGUAGE),
        account.locale if account else None,
        *request.ctx.wishes,
    )
    use_locale(locale)
    request.ctx.currency = _currency(request, locale)


def _currency(request: Request, locale: str) -> str:
    offered = settings().currency_list
    chosen = cookies.read(request, cookies.CURRENCY)
    if chosen in offered:
        return chosen
    # Whoever wishes above all for a language that the site does not speak (Japanese) pays as people there do.
    known = {*settings().locale_list, *languages.CURRENCIES}
    wish = next((wish for wish in request.ctx.wishes if wish in known), locale)
    language = locale if wish in settings().locale_list else wish
    currency = languages.CURRENCIES.get(language, languages.CURRENCY_ELSEWHERE)
    return currency if currency in offered else offered[0]


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
