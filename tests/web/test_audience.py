"""Promise 10: every route states whom it answers."""

import re

import httpx

from server.accounts import sign_ins
from server.accounts.models import Role
from server.catalog import service as catalog
from server.web.audience import Audience
from server.web.csrf import CsrfRejected
from server.web.origin import SAFE
from tests.conftest import Sandbox, Site
from tests.engines import on_sqlite
from tests.factories import bought, course, create_account, csrf_of, post, sign_in, signed_in, stock

ON_PUBLIC_PAGES = {"/preferences", "/logout", "/checkout/none/sign-in-link"}
ONCE_MORE = "Please press once more"
PUBLIC = (Audience.ALL, Audience.BUYER, Audience.WATCHER, Audience.MACHINE)


def routes(site: Site) -> list[tuple[str, set[str], Audience | None]]:
    return [
        ("/" + route.path, set(route.methods), getattr(route.handler, "audience", None))
        for route in site.app.router.routes
        if not route.name.endswith(".static")
    ]


def address(path: str) -> str:
    """A path with something plausible in each of its places."""
    parts = [("none" if part.startswith("<") else part) for part in path.split("/")]
    return "/".join(parts)


@on_sqlite
def test_every_route_states_its_audience(site: Site) -> None:
    assert [path for path, _, audience in routes(site) if audience is None] == []


@on_sqlite
async def test_a_stranger_is_sent_to_sign_in_by_every_private_page(site: Site) -> None:
    private = [path for path, methods, who in routes(site) if who not in PUBLIC and "GET" in methods]
    assert private
    async with site.client() as client:
        for path in private:
            answer = await client.get(address(path))
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/login?next="), path


@on_sqlite
async def test_no_unsafe_route_works_without_proof_of_its_origin(site: Site, session: None) -> None:
    await create_account("admin@mail.example", Role.ADMIN)
    async with site.client() as client:
        await sign_in(client, "admin@mail.example")
        unsafe = [
            (method, address(path))
            for path, methods, who in routes(site)
            for method in methods - SAFE
            if who is not Audience.MACHINE
        ]
        assert len(unsafe) > 30
        for method, path in unsafe:
            answer = await client.request(method, path, data={"csrf_token": "forged"})
            assert answer.status_code == 403, (method, path)
            asks_again = path in ON_PUBLIC_PAGES
            assert (ONCE_MORE if asks_again else CsrfRejected.message) in answer.text, (method, path)
            answer = await client.request(method, path, headers={"Origin": "https://evil.example"})
            assert answer.status_code == 403, (method, path)
            assert f"This site lives at {site.url}." in answer.text, (method, path)


@on_sqlite
async def test_the_token_of_one_browser_is_worth_nothing_in_another(site: Site, session: None) -> None:
    await create_account()
    async with site.client() as mine, site.client() as yours:
        token = csrf_of((await mine.get("/login")).text)
        await yours.get("/login")
        answer = await yours.post(
            "/login", data={"email": "vera@mail.example", "password": "x", "csrf_token": token}
        )

    assert answer.status_code == 403


async def test_what_is_not_yours_is_answered_like_what_is_not_there(
    site: Site, session: None, sandbox: Sandbox
) -> None:
    """To the letter: no page tells a stranger that an order, a draft or an account exists."""
    await stock(course("first-night"), course("second-night"), course("draft", status="draft"))
    _, order = await bought(site, sandbox, "second-night")
    number = order["order"]
    owner, _ = await bought(site, sandbox, "first-night", "owner@mail.example")
    viewer, _ = await signed_in(site)
    _, other = await signed_in(site, name="other")
    slugs = ("first-night", "second-night", "draft")
    own, foreign, unpublished = [await lecture_of(slug) for slug in slugs]
    (sign_in_id,) = [one.id for one in await sign_ins.sign_ins_of(other.id)]

    pairs = [
        (owner, f"/orders/{number}", "/orders/AAAAA-AAAAA"),
        (viewer, f"/orders/{number}", "/orders/AAAAA-AAAAA"),
        (viewer, f"/orders/{number}/status", "/orders/AAAAA-AAAAA/status"),
        (viewer, "/courses/draft", "/courses/none"),
        (viewer, "/checkout/draft", "/checkout/none"),
        (viewer, "/learn/draft", "/learn/none"),
        (viewer, f"/learn/draft/{unpublished}", "/learn/draft/none"),
        (owner, f"/learn/first-night/{foreign}", "/learn/first-night/none"),
        (viewer, f"/courses/first-night/preview/{own}", "/courses/first-night/preview/none"),
        (viewer, f"/admin/orders/{number}", "/admin/orders/AAAAA-AAAAA"),
        (viewer, f"/admin/users/{other.id}", "/admin/users/none"),
        (viewer, "/admin/courses/draft", "/admin/courses/none"),
        (viewer, f"POST /account/sign-ins/{sign_in_id}/end", "POST /account/sign-ins/none/end"),
        (viewer, f"POST /admin/orders/{number}/refund", "POST /admin/orders/AAAAA-AAAAA/refund"),
    ]
    for client, not_yours, not_there in pairs:
        assert await told(client, not_yours) == await told(client, not_there), not_yours


async def told(client: httpx.AsyncClient, request: str) -> tuple[int, str, list[str], str]:
    path = request.removeprefix("POST ")
    answer = await (client.get(path) if path is request else post(client, path))
    page = re.sub(r'(csrf[^>]*(?:content|value)=")[^"]+', r"\1", answer.text).replace(path, "")
    return answer.status_code, answer.headers.get("location", ""), sorted(answer.headers), page


async def lecture_of(slug: str) -> str:
    """The one that is no preview."""
    found = await catalog.get_any(slug)
    sections = await catalog.curriculum(found.id)
    return next(one.id for section in sections for one in section.lectures if not one.is_preview)
