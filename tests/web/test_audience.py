"""Promise 10: every route states whom it answers."""

from server.accounts.models import Role
from server.web.audience import ROLES, Audience
from tests.conftest import Site
from tests.factories import create_account, csrf_of, sign_in

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


def test_every_route_states_its_audience(site: Site) -> None:
    assert [path for path, _, audience in routes(site) if audience is None] == []


async def test_a_stranger_is_sent_to_sign_in_by_every_private_page(site: Site) -> None:
    private = [path for path, methods, who in routes(site) if who not in PUBLIC and "GET" in methods]
    assert private
    async with site.client() as client:
        for path in private:
            answer = await client.get(address(path))
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/login?next="), path


async def test_each_role_opens_its_pages_and_no_others(site: Site, session: None) -> None:
    for role in Role:
        await create_account(f"{role}@mail.example", role)
    private = [(path, who) for path, methods, who in routes(site) if who in ROLES and "GET" in methods]
    for role in Role:
        async with site.client() as client:
            await sign_in(client, f"{role}@mail.example")
            for path, who in private:
                status = (await client.get(address(path))).status_code
                allowed = who is not None and role in ROLES[who]
                assert (status in (200, 303, 404)) if allowed else (status == 403), f"{role} {path} {status}"


async def test_no_unsafe_route_works_without_a_csrf_token(site: Site, session: None) -> None:
    await create_account("admin@mail.example", Role.ADMIN)
    async with site.client() as client:
        await sign_in(client, "admin@mail.example")
        for path, methods, who in routes(site):
            if "POST" not in methods or who is Audience.MACHINE:
                continue
            answer = await client.post(address(path), data={"csrf_token": "forged"})
            assert answer.status_code == 403, path


async def test_the_token_of_one_browser_is_worth_nothing_in_another(site: Site, session: None) -> None:
    await create_account()
    async with site.client() as mine, site.client() as yours:
        token = csrf_of((await mine.get("/login")).text)
        await yours.get("/login")
        answer = await yours.post(
            "/login", data={"email": "vera@mail.example", "password": "x", "csrf_token": token}
        )

    assert answer.status_code == 403
