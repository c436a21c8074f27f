"""Language and currency, chosen by the visitor and kept in this browser."""

from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from server.i18n import N_
from server.settings import settings
from server.web import cookies
from server.web.audience import Audience, audience
from server.web.origin import stands_on_public_pages
from server.web.templating import own_path, redirect

bp = Blueprint("preferences")


@bp.post("/preferences")
@audience(Audience.ALL)
@stands_on_public_pages(N_("Save"))
async def choose(request: Request) -> HTTPResponse:
    """What is not on offer is left as it was: the form offers nothing else."""
    posted: dict[str, Any] = request.form or {}
    response = redirect(own_path(posted.get("next")))
    if (language := posted.get("lang")) in settings().locale_list:
        cookies.put(response, cookies.LANGUAGE, language, max_age=cookies.YEAR_S)
    if (currency := posted.get("currency")) in settings().currency_list:
        cookies.put(response, cookies.CURRENCY, currency, max_age=cookies.YEAR_S)
    return response
