"""Every staff page answers exactly the roles it is for."""

import pytest

from server.accounts.models import Role
from server.web.audience import ROLES
from tests.conftest import Site
from tests.factories import course, post, signed_in, stock_site

STAFF = {Role.EDITOR, Role.SUPPORT, Role.ADMIN}
EDITORS = {Role.EDITOR, Role.ADMIN}
SUPPORT = {Role.SUPPORT, Role.ADMIN}
Paths = dict[str, tuple[set[Role], int]]

# For whom each is, and what they get: the forms are sent empty, and nothing is called *none*.
PAGES: Paths = {
    "/admin": (STAFF, 200),
    "/admin/orders": (SUPPORT, 200),
    "/admin/orders/NONE": (SUPPORT, 404),
    "/admin/alerts": (SUPPORT, 200),
    "/admin/audit": ({Role.ADMIN}, 200),
    "/admin/jobs": ({Role.ADMIN}, 200),
    "/admin/users": (SUPPORT, 200),
    "/admin/users/none": (SUPPORT, 404),
    "/admin/courses": (EDITORS, 200),
    "/admin/courses/new": (EDITORS, 200),
    "/admin/courses/knife": (EDITORS, 200),
    "/admin/courses/knife/sections/none": (EDITORS, 404),
    "/admin/courses/knife/lectures/none": (EDITORS, 404),
}
ACTS: Paths = {
    "/admin/orders/NONE/refund": (SUPPORT, 404),
    "/admin/alerts/none/resolve": (SUPPORT, 404),
    "/admin/alerts/mails/none": (SUPPORT, 422),
    "/admin/jobs": ({Role.ADMIN}, 422),
    "/admin/jobs/none/cancel": ({Role.ADMIN}, 404),
    "/admin/jobs/none/again": ({Role.ADMIN}, 404),
    "/admin/users/grants": (SUPPORT, 422),
    "/admin/users/none/grants": (SUPPORT, 404),
    "/admin/users/none/grants/none/revoke": (SUPPORT, 404),
    "/admin/users/none/role": ({Role.ADMIN}, 422),
    "/admin/courses": (EDITORS, 422),
    "/admin/courses/knife": (EDITORS, 422),
    "/admin/courses/knife/publish": (EDITORS, 303),
    "/admin/courses/knife/unpublish": (EDITORS, 303),
    "/admin/courses/knife/archive": (EDITORS, 303),
    "/admin/courses/knife/sections": (EDITORS, 422),
    "/admin/courses/knife/sections/none": (EDITORS, 404),
    "/admin/courses/knife/sections/none/move": (EDITORS, 422),
    "/admin/courses/knife/sections/none/delete": (EDITORS, 404),
    "/admin/courses/knife/lectures": (EDITORS, 422),
    "/admin/courses/knife/lectures/none": (EDITORS, 404),
    "/admin/courses/knife/lectures/none/move": (EDITORS, 422),
    "/admin/courses/knife/lectures/none/delete": (EDITORS, 404),
}


@pytest.mark.parametrize(("method", "paths"), [("GET", PAGES), ("POST", ACTS)])
async def test_these_are_all_the_staff_routes(
    site: Site, method: str, paths: dict[str, tuple[set[Role], int]]
) -> None:
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

    opened = {path: (await client.get(path)).status_code for path in PAGES}
    done = {path: (await post(client, path)).status_code for path in ACTS}

    assert opened == _expected(role, PAGES)
    assert done == _expected(role, ACTS)


def _expected(role: Role, paths: Paths) -> dict[str, int]:
    return {path: status if role in allowed else 403 for path, (allowed, status) in paths.items()}


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
    for path, (allowed, _) in PAGES.items():
        if f'href="{path}"' in rail:
            assert role in allowed, path
