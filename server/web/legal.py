"""Terms, privacy, refund rule, and what search engines ask for."""

from xml.sax.saxutils import escape

from sanic import Blueprint, HTTPResponse, Request
from sanic import response as sanic_response

from server.catalog import service as catalog
from server.settings import settings
from server.web.audience import Audience, audience
from server.web.templating import page

bp = Blueprint("legal")


@bp.get("/terms")
@audience(Audience.ALL)
async def terms(request: Request) -> HTTPResponse:
    return page("legal/terms.html")


@bp.get("/privacy")
@audience(Audience.ALL)
async def privacy(request: Request) -> HTTPResponse:
    return page("legal/privacy.html")


@bp.get("/refund-policy")
@audience(Audience.ALL)
async def refund_policy(request: Request) -> HTTPResponse:
    return page("legal/refund_policy.html")


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
