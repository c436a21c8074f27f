"""The pages with a player, and the shelf of a viewer's courses."""

from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from server.catalog import service as catalog
from server.errors import SignInFirst
from server.playback import pages
from server.playback.records import PreviewPage, WatchPage
from server.settings import settings
from server.tokens import new_id
from server.web.audience import Audience, audience
from server.web.security import player_sources
from server.web.templating import page, redirect

bp = Blueprint("playback")


@bp.get("/learn")
@audience(Audience.WATCHER)
async def shelf(request: Request) -> HTTPResponse:
    courses = await pages.shelf(request.ctx.viewer)
    if not courses and request.ctx.account is None:
        raise SignInFirst  # an empty shelf of nobody's says nothing to an owner who is signed out
    return page("playback/courses.html", courses=courses)


@bp.get("/learn/<slug:str>")
@audience(Audience.WATCHER)
async def continue_course(request: Request, slug: str) -> HTTPResponse:
    try:
        lecture_id = await pages.lecture_to_continue(request.ctx.viewer, slug)
    except pages.NoGrant:
        return redirect(f"/courses/{slug}")
    return redirect(f"/learn/{slug}/{lecture_id}")


@bp.get("/learn/<slug:str>/<lecture_id:str>")
@audience(Audience.WATCHER)
async def watch(request: Request, slug: str, lecture_id: str) -> HTTPResponse:
    try:
        shown = await pages.watch_page(request.ctx.viewer, slug, lecture_id)
    except pages.NoGrant:
        return redirect(f"/courses/{slug}")
    return _player_page(
        "playback/watch.html", shown, next_lecture=shown.next_lecture, progress=shown.progress
    )


@bp.get("/courses/<slug:str>/preview/<lecture_id:str>")
@audience(Audience.ALL)
async def preview(request: Request, slug: str, lecture_id: str) -> HTTPResponse:
    try:
        shown = await pages.preview_page(request.ctx.viewer, slug, lecture_id)
    except pages.HasGrant:
        return redirect(f"/learn/{slug}/{lecture_id}")
    return _player_page(
        "catalog/preview.html", shown, offer=catalog.price_in(shown.course, request.ctx.currency)
    )


def _player_page(template: str, shown: WatchPage | PreviewPage, **context: Any) -> HTTPResponse:
    response = page(
        template,
        sources=player_sources(),
        course=shown.course,
        lecture=shown.lecture,
        player_url=shown.player_url,
        # On *Back* a browser restores a frame by its name: with one of its own it loads the new address.
        player_name=f"player-{new_id()}",
        controller_script=settings().kollus_player_js_url,
        **context,
    )
    # The player's address is one viewer's and lives for minutes.
    response.headers["Cache-Control"] = "no-store"
    return response
