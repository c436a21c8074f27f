"""Support gives and revokes access; admins change roles."""

import asyncio
import re

import httpx
import pytest

from server.access import service as access
from server.access.records import GrantRecord, Viewer
from server.accounts import service as accounts
from server.accounts.models import Role
from server.catalog import service as catalog
from server.clock import now
from server.database.session import session_scope
from tests.conftest import Site
from tests.factories import course, csrf_of, entries_of, post, signed_in, stock_site


async def support(site: Site) -> httpx.AsyncClient:
    await stock_site(site, [course("knife"), course("attic", status="archived")])
    client, _ = await signed_in(site, Role.SUPPORT)
    return client


async def course_id(site: Site, slug: str) -> str:
    async with session_scope(site.app.ctx.sessions):
        return (await catalog.get_any(slug)).id


async def grants_of(site: Site, email: str) -> list[GrantRecord]:
    async with session_scope(site.app.ctx.sessions):
        account = await accounts.find_by_email(email)
        return await access.grants_of(account.id) if account else []


async def test_access_is_given_with_an_end_and_revoked(site: Site) -> None:
    client = await support(site)
    viewer, account = await signed_in(site, name="mina")
    fields = {
        "course": await course_id(site, "knife"),
        "reason": "gift",
        "note": "Birthday",
        "ends_on": "2099-12-31",
    }
    answer = await post(client, f"/admin/users/{account.id}/grants", **fields)
    assert answer.status_code == 303
    [grant] = await grants_of(site, account.email)
    assert grant.is_open(now())
    assert grant.ends_at is not None
    assert grant.ends_at.isoformat() == "2099-12-31T15:00:00+00:00"  # midnight in Seoul
    page = (await client.get(f"/admin/users/{account.id}")).text
    assert "Knife" in page
    assert "Birthday" in page
    assert 'href="/learn/knife"' in (await viewer.get("/courses")).text

    path = f"/admin/users/{account.id}/grants/{grant.id}/revoke"
    assert (await post(client, path)).status_code == 303
    [grant] = await grants_of(site, account.email)
    assert not grant.is_open(now())
    assert "Revoked" in (await client.get(f"/admin/users/{account.id}")).text


async def test_an_address_without_account_gets_access_that_only_its_owner_can_use(site: Site) -> None:
    client = await support(site)
    fields = {"course": await course_id(site, "attic"), "reason": "staff", "note": "Press", "ends_on": ""}
    answer = await post(client, "/admin/users/grants", email="New.Person@Playbill.Example", **fields)
    assert answer.status_code == 303
    async with session_scope(site.app.ctx.sessions):
        account = await accounts.find_by_email("new.person@playbill.example")
        assert account is not None
        assert not account.is_proven
        assert await access.open_course_ids(Viewer(account.id)) == {fields["course"]}
    assert answer.headers["location"] == f"/admin/users/{account.id}"
    again = await post(client, "/admin/users/grants", email="new.person@playbill.example", **fields)
    assert again.status_code == 409
    assert len(await grants_of(site, "new.person@playbill.example")) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("email", "nobody"),
        ("note", ""),
        ("ends_on", "2001-01-01"),
        ("ends_on", "soon"),
        ("reason", "purchase"),
    ],
)
async def test_a_refused_gift_names_the_field_and_keeps_what_was_typed(
    site: Site, name: str, value: str
) -> None:
    client = await support(site)
    fields = {
        "email": "mina@playbill.example",
        "course": await course_id(site, "knife"),
        "reason": "gift",
        "note": "Typed words",
        "ends_on": "2099-12-31",
    }
    answer = await post(client, "/admin/users/grants", **{**fields, name: value})
    assert answer.status_code == 422
    assert f'id="{name}-error"' in answer.text
    if name != "note":
        assert 'value="Typed words"' in answer.text
    assert await grants_of(site, "mina@playbill.example") == []


async def test_a_grant_is_revoked_only_on_its_own_persons_page(site: Site) -> None:
    client = await support(site)
    _, mina = await signed_in(site, name="mina")
    _, joon = await signed_in(site, name="joon")
    fields = {"course": await course_id(site, "knife"), "reason": "gift", "note": "x"}
    await post(client, f"/admin/users/{mina.id}/grants", **fields)
    [grant] = await grants_of(site, mina.email)
    assert (await post(client, f"/admin/users/{joon.id}/grants/{grant.id}/revoke")).status_code == 404
    [grant] = await grants_of(site, mina.email)
    assert grant.is_open(now())


async def test_people_are_found_by_a_part_of_their_address(site: Site) -> None:
    client = await support(site)
    _, mina = await signed_in(site, name="mina")
    await signed_in(site, name="joon")
    page = (await client.get("/admin/users?q=mina")).text
    assert f"/admin/users/{mina.id}" in page
    assert "joon@" not in page


async def test_an_admin_changes_the_role_of_others_and_not_their_own(site: Site) -> None:
    admin, me = await signed_in(site, Role.ADMIN)
    _, mina = await signed_in(site, name="mina")
    assert f"/admin/users/{mina.id}/role" in (await admin.get(f"/admin/users/{mina.id}")).text
    assert (await post(admin, f"/admin/users/{mina.id}/role", role="editor")).status_code == 303
    async with session_scope(site.app.ctx.sessions):
        assert (await accounts.get(mina.id)).role is Role.EDITOR
    answer = await post(admin, f"/admin/users/{me.id}/role", role="viewer")
    assert answer.status_code == 409
    assert "Nobody changes their own role" in answer.text
    assert f"/admin/users/{me.id}/role" not in (await admin.get(f"/admin/users/{me.id}")).text


@pytest.mark.parametrize("page", ["/admin/users", "/admin/users/{id}"])
async def test_access_given_twice_is_given_once_and_what_was_typed_stays(site: Site, page: str) -> None:
    """A day that is lost on the way back is an end that is lost: an empty field means access for ever."""
    client = await support(site)
    _, account = await signed_in(site, name="mina")
    fields = {
        "email": account.email,
        "course": await course_id(site, "knife"),
        "reason": "staff",
        "note": "Press",
        "ends_on": "2099-03-31",
    }

    path = page.format(id=account.id) + "/grants"
    given, refused = [await post(client, path, **fields) for _ in range(2)]

    assert (given.status_code, refused.status_code) == (303, 409)
    assert "has been given the course already" in _error_of(refused.text, "course")
    assert re.search(r'name="ends_on"[^>]* value="2099-03-31"', refused.text)
    assert re.search(r'name="note"[^>]* value="Press"', refused.text)
    for chosen in (fields["course"], "staff"):
        assert f'<option value="{chosen}" selected>' in refused.text
    assert len(await grants_of(site, account.email)) == 1


def _error_of(page: str, field: str) -> str:
    found = re.search(rf'<p class="field-error" id="{field}-error">(.*?)</p>', page)
    assert found, f"no error beside {field}"
    return found[1]


async def test_gifts_and_their_end_are_written_down_with_who_did_it(site: Site) -> None:
    knife = course("knife")
    await stock_site(site, [knife])
    client, me = await signed_in(site, Role.SUPPORT)
    _, mina = await signed_in(site, name="mina")
    fields = {"course": await course_id(site, "knife"), "reason": "gift", "note": "For Mina"}
    await post(client, f"/admin/users/{mina.id}/grants", **fields)
    [grant] = await grants_of(site, mina.email)
    for _ in range(2):  # the second one finds nothing left to do
        await post(client, f"/admin/users/{mina.id}/grants/{grant.id}/revoke")

    async with session_scope(site.app.ctx.sessions):
        given, revoked = await entries_of("grant", grant.id)
    whose = {"viewer": mina.id, "course": fields["course"]}
    assert grant.given_by == given.actor_id == revoked.actor_id == me.id
    assert (given.act, given.before, given.after) == ("grant.give", {}, whose | {"reason": "gift"})
    assert revoked.act == "grant.revoke"
    assert revoked.before == whose | {"state": "active"}
    assert revoked.after == whose | {"state": "revoked"}


async def test_twenty_gifts_to_two_new_addresses_at_once_are_all_given(site: Site) -> None:
    """On MariaDB some of the first ones deadlock over the accounts that they make."""
    slugs = [f"course-{number}" for number in range(20)]
    await stock_site(site, [course(slug) for slug in slugs])
    client, _ = await signed_in(site, Role.SUPPORT)
    people = ["mina@playbill.example", "joon@playbill.example"]
    fields = {"reason": "gift", "note": "x", "csrf_token": csrf_of((await client.get("/admin/users")).text)}
    gifts = [
        {"email": people[number % 2], "course": await course_id(site, slug), **fields}
        for number, slug in enumerate(slugs)
    ]

    answers = await asyncio.gather(*(client.post("/admin/users/grants", data=gift) for gift in gifts))

    assert [answer.status_code for answer in answers] == [303] * 20
    assert [len(await grants_of(site, email)) for email in people] == [10, 10]
