"""The audit log as admins read it: who did what to what, in words."""

import re
from html import unescape
from typing import Any

import httpx
from sqlalchemy import select

from server.accounts.models import Role
from server.admin.audit import wording
from server.audit import service as audit
from server.audit.models import AuditEntry
from server.audit.records import Actor
from server.catalog import service as catalog
from server.database.session import current_session, session_scope, transaction
from server.jobs import service as jobs
from server.settings import ROOT
from tests.conftest import Sandbox, Site
from tests.factories import bought, course, post, signed_in, stock_site


async def lines(client: httpx.AsyncClient, path: str = "/admin/audit", after: str = "<h1") -> list[str]:
    """The list as a person reads it, one line an entry, without its time; newest first."""
    page = (await client.get(path)).text.split(after)[1]
    rows = re.findall(r"<tr>(.*?)</tr>", page.split("<tbody>")[1].split("</tbody>")[0], re.DOTALL)
    cells = [re.split(r"</td>", row)[1:] for row in rows]
    return [unescape(" ".join(re.sub(r"<[^>]+>", " ", " | ".join(row)).split())) for row in cells]


async def note(site: Site, actor: Actor, act: str, subject: str, subject_id: str, **more: Any) -> None:
    async with session_scope(site.app.ctx.sessions), transaction():
        await audit.note(actor, act, subject, subject_id, **more)


async def test_what_staff_did_is_told_in_words_newest_first(site: Site, sandbox: Sandbox) -> None:
    await stock_site(site, [course("knife")])
    _, order = await bought(site, sandbox, "knife")
    admin, me = await signed_in(site, Role.ADMIN, "ada")
    _, mina = await signed_in(site, name="mina")
    async with session_scope(site.app.ctx.sessions):
        knife = await catalog.get_any("knife")
    begun = len(await lines(admin))
    gift = {"course": knife.id, "reason": "gift", "note": "Birthday", "ends_on": "2099-12-31"}
    await post(admin, f"/admin/users/{mina.id}/grants", **gift)
    await post(admin, f"/admin/users/{mina.id}/role", role="editor")
    await post(admin, f"/admin/orders/{order['order']}/refund")
    await post(admin, "/admin/courses/knife/archive")

    told = await lines(admin)
    assert told[: len(told) - begun] == [
        "ada | Course archived | Knife | State Published → Archived |",
        f"ada | Refund asked for | Order {order['order']} | Amount ₩33,000 Reason By staff |",
        "ada | Role changed | mina | Role Viewer → Editor |",
        "ada | Access given | Access | Viewer mina Course Knife Reason Gift Until December 31, 2099 |",
    ]
    page = (await admin.get("/admin/audit")).text
    for href in (f"/admin/users/{me.id}", "/admin/courses/knife", f"/admin/orders/{order['order']}"):
        assert f'href="{href}"' in page, href
    assert page.count(f'href="/admin/users/{mina.id}"') == 3  # her account, her role, her access


async def test_a_change_of_a_course_names_the_texts_and_tells_prices_as_money(site: Site) -> None:
    admin, _ = await signed_in(site, Role.ADMIN, "ada")
    change = {
        "before": {"price.KRW": 33000, "level": "beginner"},
        "after": {"price.KRW": 44000, "price.USD": 3300, "level": "advanced", "texts": ["title", "learn"]},
    }
    await note(site, Actor.command("import"), "course.edit", "course", "gone", **change)
    part: dict[str, Any] = {"lecture": "0123456789abcdef"}
    await note(
        site,
        Actor.job("sweep"),
        "course.edit_lecture",
        "course",
        "gone",
        before=part | {"duration_s": 70},
        after=part | {"duration_s": 90},
    )

    assert (await lines(admin))[:2] == [
        "Job sweep | Lecture changed | Course gone | Lecture 0123456789abcdef Length 1:10 → 1:30 |",
        "Command import | Course changed | Course gone | KRW ₩33,000 → ₩44,000"
        " Level Beginner → Advanced USD $33.00 Texts Title, What you'll learn |",
    ]


async def test_code_words_of_mails_jobs_and_refunds_are_told_in_words(site: Site) -> None:
    admin, _ = await signed_in(site, Role.ADMIN, "ada")
    paid_twice = {"amount": 33000, "currency": "KRW", "reason": "paid_twice"}
    await note(site, Actor.job("settlement"), "order.refund", "order", "A-1", after=paid_twice)
    resent = {"before": {"state": "uncertain"}, "after": {"state": "waiting"}}
    await note(site, Actor.command("ops"), "mail.resend", "mail", "m-1", **resent)
    await note(site, Actor.command("ops"), "job.start", "job", "j-1", after={"kind": "recount"})
    await note(site, Actor.command("ops"), "job.cancel", "job", "j-1", before={"state": "running"})

    assert (await lines(admin))[:4] == [
        "Command ops | Job canceled | Job j-1 | State Running |",
        f"Command ops | Job started | Job j-1 | Kind {jobs.kinds()['recount'].label} |",
        "Command ops | Mail sent again | Mail m-1 | State Unclear → Waiting |",
        "Job settlement | Refund asked for | Order A-1 | Amount ₩33,000 Reason Paid twice |",
    ]


async def test_the_list_speaks_korean(site: Site) -> None:
    admin, _ = await signed_in(site, Role.ADMIN, "ada")
    await note(site, Actor.staff("gone"), "course.publish", "course", "gone", after={"status": "published"})

    page = (await admin.get("/admin/audit?lang=ko")).text
    for words in ("활동 기록", "강좌 공개", "공개"):
        assert words in page, words


async def test_what_the_page_has_no_words_for_stands_as_it_was_written(site: Site) -> None:
    admin, _ = await signed_in(site, Role.ADMIN, "ada")
    odd = {
        "before": {"amount": "much", "price.KRW": "3"},
        "after": {"amount": None, "price.KRW": [], "duration_s": "x"},
    }
    await note(site, Actor.staff("gone"), "ghost.wake", "ghost", "g-1", **odd)

    assert (await lines(admin))[0] == (
        "gone | ghost.wake | ghost g-1 | Amount much → None KRW 3 → – Length x |"
    )


def test_every_act_that_the_code_notes_has_words() -> None:
    server = ROOT / "server"
    found: set[str] = set()
    for path in server.rglob("*.py"):
        if not path.is_relative_to(server / "sandbox") and path != server / "admin" / "audit" / "wording.py":
            found |= set(re.findall(r'"([a-z]+\.[a-z_]+)"', path.read_text("utf-8")))
    acts = {one for one in found if one.split(".")[0] in wording.SUBJECTS}

    assert {"course.move_lecture", "order.refund", "grant.give"} <= acts
    assert acts - set(wording.ACTS) == set()
    assert set(wording.ACTS) - acts == set()


async def test_entries_hold_ids_and_no_address_name_or_note(site: Site, sandbox: Sandbox) -> None:
    await stock_site(site, [course("knife")])
    _, order = await bought(site, sandbox, "knife")
    admin, _ = await signed_in(site, Role.ADMIN, "ada")
    _, mina = await signed_in(site, name="mina")
    async with session_scope(site.app.ctx.sessions):
        knife = await catalog.get_any("knife")
    gift = {"course": knife.id, "reason": "gift", "note": "For Mina"}
    await post(admin, f"/admin/users/{mina.id}/grants", **gift)
    await post(admin, f"/admin/orders/{order['order']}/refund")

    async with session_scope(site.app.ctx.sessions):
        rows = (await current_session().scalars(select(AuditEntry))).all()
    written = " ".join(f"{one.actor_id} {one.subject_id} {one.before} {one.after}" for one in rows).lower()
    assert knife.id in written
    for word in ("@", "mina", "ada", "birthday", "guest"):
        assert word not in written, word


async def test_the_pages_of_an_order_and_a_person_tell_admins_what_was_done_there(
    site: Site, sandbox: Sandbox
) -> None:
    await stock_site(site, [course("knife")])
    _, order = await bought(site, sandbox, "knife")
    admin, _ = await signed_in(site, Role.ADMIN, "ada")
    support, _ = await signed_in(site, Role.SUPPORT, "sori")
    _, mina = await signed_in(site, name="mina")
    async with session_scope(site.app.ctx.sessions):
        knife = await catalog.get_any("knife")
    gift = {"course": knife.id, "reason": "gift", "note": "Birthday"}
    await post(support, f"/admin/users/{mina.id}/grants", **gift)
    await post(admin, f"/admin/users/{mina.id}/role", role="editor")
    await post(support, f"/admin/orders/{order['order']}/refund")

    told = {
        f"/admin/orders/{order['order']}": ["sori | Refund asked for | Amount ₩33,000 Reason By staff |"],
        f"/admin/users/{mina.id}": [
            "ada | Role changed | Role Viewer → Editor |",
            "sori | Access given | Viewer mina Course Knife Reason Gift |",
            "Command tests | Account created | Role Viewer |",
        ],
    }
    for path, acts in told.items():
        assert await lines(admin, path, after='id="acts"') == acts
        assert 'id="acts"' not in (await support.get(path)).text
        [more] = re.findall(r'href="(/admin/audit\?[^"]+)"', (await admin.get(path)).text)
        whole = await lines(admin, unescape(more))
        assert [line.split(" | ")[:2] for line in whole] == [line.split(" | ")[:2] for line in acts]
        assert f'<p><a href="{path}">' in (await admin.get(unescape(more))).text


async def test_a_page_tells_the_last_twenty_acts_and_the_log_turns_the_pages_of_one_subject(
    site: Site, sandbox: Sandbox
) -> None:
    admin, me = await signed_in(site, Role.ADMIN, "ada")
    async with session_scope(site.app.ctx.sessions), transaction():
        for _ in range(audit.ENTRIES_PER_PAGE + 1):
            await audit.note(Actor.command("tests"), "account.change_role", "account", me.id)
            await audit.note(Actor.command("tests"), "course.edit", "course", "another")

    assert len(await lines(admin, f"/admin/users/{me.id}", after='id="acts"')) == 20
    log = f"/admin/audit?subject=account&id={me.id}"
    assert len(await lines(admin, log)) == audit.ENTRIES_PER_PAGE
    [following] = re.findall(r'rel="next" href="([^"]+)"', (await admin.get(log)).text)
    assert len(await lines(admin, "/admin/audit" + unescape(following))) == 2  # the account was created
    assert len(await lines(admin, "/admin/audit?subject=ghost&id=x")) == audit.ENTRIES_PER_PAGE


async def test_many_entries_stand_on_pages_and_cost_no_statement_more(site: Site) -> None:
    admin, me = await signed_in(site, Role.ADMIN, "ada")
    spent = []
    for count in (1, 60):
        async with session_scope(site.app.ctx.sessions), transaction():
            for number in range(count):
                await audit.note(Actor.staff(me.id), "course.edit", "course", f"course-{number}")
        with site.statements() as statements:
            first = await lines(admin)
        spent.append(len(statements))

    assert spent[0] == spent[1]
    assert len(first) == audit.ENTRIES_PER_PAGE
    second = await lines(admin, "/admin/audit?page=2")
    assert not set(first) & set(second)
    assert 'rel="next"' in (await admin.get("/admin/audit")).text
