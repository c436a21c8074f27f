"""Terms, privacy, refund rule, and what search engines ask for."""

from xml.sax.saxutils import escape

from sanic import Blueprint, HTTPResponse, Request
from sanic import response as sanic_response

from server.catalog import service as catalog
from server.i18n import language_of
from server.settings import ROOT, settings
from server.web.audience import Audience, audience
from server.web.templating import page

bp = Blueprint("legal")

TEXTS = ROOT / "templates" / "legal"


@bp.get("/terms")
@audience(Audience.ALL)
async def terms(request: Request) -> HTTPResponse:
    return _document("terms")


@bp.get("/privacy")
@audience(Audience.ALL)
async def privacy(request: Request) -> HTTPResponse:
    return _document("privacy")


@bp.get("/refund-policy")
@audience(Audience.ALL)
async def refund_policy(request: Request) -> HTTPResponse:
    return _document("refund_policy")


def _document(name: str) -> HTTPResponse:
    """A contract is written as a whole, language by language; the page names the one it fell back to."""
    written = {path.parent.name: path.name for path in TEXTS.glob(f"*/{name}.html")}
    return page(f"legal/{name}.html", language=language_of(written))


@bp.get("/robots.txt")
@audience(Audience.ALL)
async def robots(request: Request) -> HTTPResponse:
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in PRIVATE),
        f"Sitemap: {settings().public_url}/sitemap.xml",
    ]
    return sanic_response.text("\n".join(lines) + "\n")


PRIVATE = (
    "/courses/*/preview/",
    "/account",
    "/admin",
    "/checkout/",
    "/learn",
    "/login",
    "/orders/",
    "/signup",
)


@bp.get("/sitemap.xml")
@audience(Audience.ALL)
async def sitemap(request: Request) -> HTTPResponse:
    paths = ["/", "/courses", *(f"/courses/{slug}" for slug in await catalog.published_slugs())]
    urls = "".join(f"<url><loc>{escape(settings().public_url + path)}</loc></url>" for path in paths)
    return HTTPResponse(
        f'<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        f"{urls}</urlset>",
        content_type="application/xml; charset=utf-8",
    )
