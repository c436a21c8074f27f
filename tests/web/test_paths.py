"""A path names a thing in one way only."""

import pytest

from server.accounts import service as accounts
from server.accounts.models import Role
from server.database.session import current_session
from tests.conftest import Site
from tests.factories import create_course, post, signed_in


@pytest.mark.parametrize("more", ["%20", "%20%20", "%00", "%09", "%C2%A0", "."])
async def test_what_is_not_quite_a_name_is_not_there(site: Site, session: None, more: str) -> None:
    await create_course()
    client = site.client()

    for path in ("/courses/first-night", "/checkout/first-night"):
        assert (await client.get(path)).status_code == 200
        assert (await client.get(path + more)).status_code == 404


async def test_a_blank_makes_no_admin_somebody_else(site: Site, session: None) -> None:
    """MariaDB finds the row all the same; the last admin could have unmade themselves."""
    browser, admin = await signed_in(site, Role.ADMIN)

    answer = await post(browser, f"/admin/users/{admin.id}%20/role", role="viewer")

    assert answer.status_code == 404
    await current_session().reset()
    assert (await accounts.get(admin.id)).role is Role.ADMIN
