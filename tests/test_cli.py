"""The `playbill` command as an operator meets it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from server.accounts import service as accounts
from server.accounts.models import Role
from server.audit.models import ActorKind
from server.catalog.models import Course
from server.cli import main
from server.database.session import current_session, transaction
from server.doctor import examine
from server.settings import Settings
from server.wiring import STRIPE_EVENTS
from tests.commands import playbill, run_playbill
from tests.conftest import Sandbox, environment_of, free_settings, until
from tests.engines import on_mariadb, on_sqlite
from tests.factories import PASSWORD, create_account, create_course, entries_of
from tests.http import HTTP
from tests.mariadb import MariaDB
from tests.ports import free_port
from tests.test_settings import SAFE

TYPES = [kind for subscription in STRIPE_EVENTS for kind in subscription.types]
COMMANDS = ["demo", "serve", "sandbox", "migrate", "seed", "create-admin", "sweep", "recount", "doctor"]
LIVE = {f"PLAYBILL_{name.upper()}": str(value) for name, value in SAFE.items()}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])

    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: playbill {command}")


def test_the_help_lists_every_command() -> None:
    told = playbill("--help", cold=True).stdout

    assert [command for command in COMMANDS if f"\n    {command}" not in told] == []


def test_no_command_is_an_error_with_a_usage() -> None:
    done = playbill()

    assert done.returncode == 2
    assert "usage: playbill" in done.stderr


@pytest.mark.parametrize("command", ["demo", "sandbox", "seed"])
def test_live_mode_has_no_stand_ins_and_no_demo_data(command: str, tmp_path: Path) -> None:
    done = playbill(command, environment=LIVE | {"PLAYBILL_VAR_DIR": str(tmp_path)})

    assert done.returncode == 1
    assert done.stderr == f"playbill {command} is for sandbox mode; this is live mode\n"
    assert list(tmp_path.iterdir()) == []


def test_live_mode_with_unsafe_settings_is_refused_in_one_line() -> None:
    done = playbill("serve", environment=LIVE | {"PLAYBILL_SECRET_KEY": "short"}, cold=True)

    assert done.returncode == 1
    assert done.stderr == ("live mode refuses to start: PLAYBILL_SECRET_KEY is shorter than 32 characters\n")


async def test_live_mode_with_the_demos_people_in_its_database_is_refused(
    session: None, sandbox: Sandbox, settings: Settings
) -> None:
    """The whole world may read their password."""
    await create_account("admin@playbill.example")

    done = playbill("serve", environment=LIVE | {"PLAYBILL_DATABASE_URL": settings.database_url})
    findings = await examine(settings.model_copy(update={"mode": "live"}))

    assert (done.returncode, done.stderr) == (
        1,
        "live mode refuses to start: the database holds the demo's people (admin@playbill.example)\n",
    )
    assert [one.text for one in findings if one.what == "demo"] == [
        "admin@playbill.example may sign in: live mode refuses to start"
    ]


WITHOUT_STANDINS = """
import sys
sys.modules["aiosmtpd"] = None  # as if it were not installed
from server import cli, doctor, serving
from server.app import create_app
from server.settings import Settings
create_app(Settings())
cli.main(sys.argv[1:])
"""


@pytest.mark.parametrize("command", ["demo", "sandbox"])
def test_a_site_needs_nothing_that_only_the_stand_ins_need(command: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_STANDINS, command],
        env={**os.environ, "PLAYBILL_VAR_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.stderr == "the stand-ins are not installed: pip install '.[demo]'\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "public_url", ["", "https://shop.example"], ids=["no public url", "a public url of its own"]
)
@pytest.mark.parametrize("port", ["http", "70000", "0"])
def test_a_port_that_is_none_is_named(port: str, public_url: str) -> None:
    """A number too high ended in a traceback, or was said of the public URL that is made of it."""
    done = playbill("serve", environment={"PLAYBILL_PORT": port, "PLAYBILL_PUBLIC_URL": public_url})

    assert done.returncode == 1
    assert done.stderr.startswith("PLAYBILL_PORT: Input should be ")
    assert done.stderr.count("\n") == 1
    assert "PUBLIC_URL" not in done.stderr


def test_demo_leaves_alone_a_database_url_from_outside_and_a_demo_that_runs(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.db"
    settings = free_settings(tmp_path / "var", database_url=f"sqlite+aiosqlite:///{theirs}")
    environment = environment_of(settings)
    log = tmp_path / "demo.log"
    with log.open("wb") as output:
        demo = subprocess.Popen(
            [sys.executable, "-m", "server.cli", "demo"],
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        ready = f"Playbill is ready at {settings.public_url}"
        until(lambda: ready in log.read_text() or demo.poll() is not None, 60, ready)
        assert demo.poll() is None, log.read_text()
        second = playbill("demo", "--reset", environment=environment)
        home = HTTP.get(settings.public_url)
    finally:
        demo.send_signal(signal.SIGTERM)
        assert demo.wait(20) == 0

    assert (second.returncode, second.stderr[:13]) == (1, "cannot listen")
    assert home.status_code == 200, "the demo that runs has lost its data to one that could not start"
    assert not theirs.exists()
    assert (tmp_path / "var" / "demo" / "playbill.db").exists()


def test_a_new_shop_is_set_up_by_commands_that_know_of_no_other(tmp_path: Path) -> None:
    environment = environment_of(free_settings(tmp_path))
    steps = [
        (["migrate"], ""),
        (["seed"], "courses added to the catalog"),
        (["create-admin", "ada@mail.example", "--password-stdin"], "may sign in as admin"),
    ]
    for arguments, told in steps:
        assert told in run_playbill(arguments, environment, typed=PASSWORD, cold=True)


async def test_seed_fills_the_catalog_and_once_is_enough(session: None, settings: Settings) -> None:
    first = run_playbill(["seed"], environment_of(settings))
    again = run_playbill(["seed"], environment_of(settings))

    count = len((await current_session().scalars(select(Course.id))).all())
    assert count >= 12
    assert (first, again) == (f"{count} courses added to the catalog\n", "0 courses added to the catalog\n")


async def test_create_admin_makes_an_admin_who_may_sign_in(session: None, settings: Settings) -> None:
    done = playbill(
        "create-admin",
        "Ada@Mail.Example",
        "--name=Ada",
        "--password-stdin",
        environment=environment_of(settings),
        typed="a long password\n",
    )

    assert (done.returncode, done.stdout) == (0, "Ada@mail.example may sign in as admin\n"), done.stderr
    account = await accounts.find_by_email("ada@mail.example")
    assert account is not None
    assert (account.role, account.name) == (Role.ADMIN, "Ada")


async def test_an_account_that_is_made_an_admin_by_command_is_written_down(
    session: None, settings: Settings
) -> None:
    account = await create_account("ada@mail.example")

    run_playbill(["create-admin", "ada@mail.example"], environment_of(settings))

    entry = (await entries_of("account", account.id))[-1]
    assert (entry.act, entry.actor_kind, entry.actor_id) == (
        "account.change_role",
        ActorKind.COMMAND,
        "create-admin",
    )
    assert (entry.before, entry.after) == ({"role": "viewer"}, {"role": "admin"})


@on_sqlite
async def test_create_admin_refuses_in_words(session: None, settings: Settings) -> None:
    for email, password in (("ada@mail.example", "short"), ("no address", "a long password")):
        done = playbill(
            "create-admin",
            email,
            "--password-stdin",
            environment=environment_of(settings),
            typed=f"{password}\n",
        )
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert done.stderr.strip()


@on_sqlite
async def test_sweep_says_what_it_did(session: None, sandbox: Sandbox, settings: Settings) -> None:
    await create_course()

    assert run_playbill(["sweep"], environment_of(settings)) == "swept\n"


async def test_recount_says_what_it_put_right(session: None, settings: Settings) -> None:
    await create_course()
    async with transaction():
        await current_session().execute(update(Course).values(sold_count=7))

    told = run_playbill(["recount"], environment_of(settings), cold=True)
    assert told == "1 courses counted, 1 put right\n"


@on_sqlite
def test_sweep_without_stripe_says_so_in_words(
    clean_database: None, sandbox: Sandbox, settings: Settings
) -> None:
    elsewhere = environment_of(settings, sandbox_stripe_port=free_port())
    done = playbill("sweep", environment=elsewhere, cold=True)

    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert "StripeUnavailable" in done.stderr


@pytest.fixture
def durable(database_engine: str, request: pytest.FixtureRequest) -> Iterator[None]:
    """Commits are on the disk when they are done; the tests' own MariaDB is quicker than that."""
    if database_engine == "sqlite":
        yield
        return
    server: MariaDB = request.getfixturevalue("mariadb")
    server.set_global("innodb_flush_log_at_trx_commit", 1)
    yield
    server.set_global("innodb_flush_log_at_trx_commit", 0)


def test_doctor_finds_a_healthy_site_healthy(
    clean_database: None, sandbox: Sandbox, settings: Settings, durable: None
) -> None:
    done = playbill("doctor", environment=environment_of(settings))

    assert done.returncode == 0, done.stdout
    assert {line.split()[0] for line in done.stdout.splitlines()} == {"ok"}


@on_sqlite
@pytest.mark.parametrize(
    ("enabled", "word", "told"),
    [
        (TYPES, "ok", "told of every type that is used"),
        ([*TYPES, "payout.paid"], "ok", "told of every type that is used; nothing here uses payout.paid"),
        (["*"], "ok", f"told of every type of event; {len(TYPES)} of them are used"),
        (
            [kind for kind in TYPES if not kind.startswith("refund.")],
            "FAIL",
            "not told of refund.created, refund.failed, refund.updated: add them at Stripe",
        ),
    ],
)
def test_doctor_compares_what_is_used_with_what_stripe_tells(
    clean_database: None,
    sandbox: Sandbox,
    settings: Settings,
    durable: None,
    enabled: list[str],
    word: str,
    told: str,
) -> None:
    url = f"{settings.public_url}/webhooks/stripe"
    sandbox.stripe("webhook_endpoints", url=url, secret=settings.webhook_secrets[0], enabled_events=enabled)

    done = playbill("doctor", environment=environment_of(settings))

    assert f"{word.ljust(4)} webhook: {told}" in done.stdout.splitlines()
    assert done.returncode == (0 if word == "ok" else 1)


@on_sqlite
def test_doctor_misses_an_endpoint_at_stripe(
    clean_database: None, sandbox: Sandbox, settings: Settings
) -> None:
    elsewhere = environment_of(settings, public_url="https://shop.example")

    done = playbill("doctor", environment=elsewhere)

    assert done.returncode == 1
    assert "the endpoint https://shop.example/webhooks/stripe at Stripe is missing" in done.stdout


@on_mariadb
def test_doctor_finds_a_database_that_a_power_cut_sets_back(
    clean_database: None, sandbox: Sandbox, settings: Settings
) -> None:
    done = playbill("doctor", environment=environment_of(settings))

    [failed] = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
    assert done.returncode == 1
    assert failed.startswith("FAIL commits: ")
    assert "innodb_flush_log_at_trx_commit=1" in failed


def test_doctor_names_everything_that_is_missing(tmp_path: Path) -> None:
    closed = {f"PLAYBILL_{name}": str(free_port()) for name in ("SANDBOX_STRIPE_PORT", "SANDBOX_SMTP_PORT")}
    done = playbill("doctor", environment=closed | {"PLAYBILL_VAR_DIR": str(tmp_path)}, cold=True)

    failed = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("FAIL")]
    assert done.returncode == 1
    assert failed == ["database:", "stripe:", "mail:"]
