"""Every staff page answers exactly the roles it is for."""

import httpx
import pytest

from server.accounts.models import Role
from server.web.audience import ROLES
from tests.conftest import Site
from tests.factories import course, post, signed_in, stock_site

STAFF = {Role.EDITOR, Role.SUPPORT, Role.ADMIN}
EDITORS = {Role.EDITOR, Role.ADMIN}
SUPPORT = {Role.SUPPORT, Role.ADMIN}
PAGES = {
    "/admin": STAFF,
    "/admin/orders": SUPPORT,
    "/admin/orders/NONE": SUPPORT,
    "/admin/alerts": SUPPORT,
    "/admin/users": SUPPORT,
    "/admin/users/none": SUPPORT,
    "/admin/courses": EDITORS,
    "/admin/courses/new": EDITORS,
    "/admin/courses/knife": EDITORS,
    "/admin/courses/knife/sections/none": EDITORS,
    "/admin/courses/knife/lectures/none": EDITORS,
}
ACTS = {
    "/admin/orders/NONE/refund": SUPPORT,
    "/admin/alerts/none/resolve": SUPPORT,
    "/admin/alerts/mails/none": SUPPORT,
    "/admin/users/grants": SUPPORT,
    "/admin/users/none/grants": SUPPORT,
    "/admin/users/none/grants/none/revoke": SUPPORT,
    "/admin/users/none/role": {Role.ADMIN},
    "/admin/courses": EDITORS,
    "/admin/courses/knife": EDITORS,
    "/admin/courses/knife/publish": EDITORS,
    "/admin/courses/knife/unpublish": EDITORS,
    "/admin/courses/knife/archive": EDITORS,
    "/admin/courses/knife/sections": EDITORS,
    "/admin/courses/knife/sections/none": EDITORS,
    "/admin/courses/knife/sections/none/move": EDITORS,
    "/admin/courses/knife/sections/none/delete": EDITORS,
    "/admin/courses/knife/lectures": EDITORS,
    "/admin/courses/knife/lectures/none": EDITORS,
    "/admin/courses/knife/lectures/none/move": EDITORS,
    "/admin/courses/knife/lectures/none/delete": EDITORS,
}


@pytest.mark.parametrize(("method", "paths"), [("GET", PAGES), ("POST", ACTS)])
async def test_these_are_all_the_staff_routes(site: Site, method: str, paths: dict[str, set[Role]]) -> None:
    """A new one has to be added above."""
    routes = {
        route.path
        for route in site.app.router.routes
        if (route.path.startswith("admin") or getattr(route.handler, "audience", None) in ROLES)
        and method in route.methods
    }
    assert {site.app.router.get(path, method, None)[0].path for path in paths} == routes


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_opens_its_own_pages_alone(site: Site, role: Role) -> None:
    await stock_site(site, [course("knife")])
    client, _ = await signed_in(site, role)
    for path, allowed in PAGES.items():
        _expect(await client.get(path), path, is_allowed=role in allowed)
    for path, allowed in ACTS.items():
        _expect(await post(client, path), path, is_allowed=role in allowed)


def _expect(answer: httpx.Response, path: str, *, is_allowed: bool) -> None:
    if is_allowed:
        assert answer.status_code in (200, 303, 404, 422), (path, answer.status_code)
        assert (answer.status_code == 404) == ("none" in path.lower() and answer.status_code != 422), path
    else:
        assert answer.status_code == 403, (path, answer.status_code)


async def test_signed_out_every_page_leads_to_the_sign_in(site: Site) -> None:
    client = site.client()
    for path in PAGES:
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/login?next={path}")
    for path in ACTS:
        assert (await post(client, path)).headers["location"].startswith("/login")


@pytest.mark.parametrize("role", sorted(STAFF))
async def test_the_rail_leads_nowhere_that_is_closed(site: Site, role: Role) -> None:
    client, _ = await signed_in(site, role)
    rail = (await client.get("/admin")).text.split('class="rail"')[1].split("</nav>")[0]
    for path, allowed in PAGES.items():
        if f'href="{path}"' in rail:
            assert role in allowed, path
