"""The `playbill` command."""

import argparse
import asyncio
import getpass
import logging
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from pydantic import ValidationError

from server.errors import PlaybillError
from server.settings import Settings, UnsafeSettings, configure


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="playbill", description="Sell video courses from your own site.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, run, text, options in COMMANDS:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        for flags, details in options:
            command.add_argument(*flags, **details)
    chosen = parser.parse_args(arguments)
    try:
        settings = Settings()
    except UnsafeSettings as error:
        sys.exit(str(error))
    except ValidationError as error:
        # Pydantic wraps what our own check raises; say it without the stack around it.
        sys.exit(
            "; ".join(
                str(detail["ctx"]["error"])
                if "ctx" in detail and "error" in detail["ctx"]
                else f"PLAYBILL_{str(detail['loc'][0]).upper()}: {detail['msg']}"
                for detail in error.errors()
            )
        )
    configure(settings)
    try:
        chosen.run(settings, chosen)
    except PlaybillError as error:
        sys.exit(f"{type(error).__name__}: {error.text}")
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except Exception as error:
        if told := _in_words(error):
            sys.exit(told)
        raise


def _in_words(error: Exception) -> str | None:
    # Imported only now: the parent of `playbill serve` starts in half the time, and lives, without both.
    from alembic.util.exc import CommandError
    from sqlalchemy.exc import DBAPIError

    if isinstance(error, CommandError):
        return f"migrations: {error}"
    if isinstance(error, DBAPIError):
        return f"database: {error.orig} (is it there, and migrated? `playbill doctor` tells)"
    return None


def _serve(settings: Settings, _: argparse.Namespace) -> None:
    from server.serving import serve

    if settings.is_live:
        _refuse_demos_people(settings)
    serve(settings)


def _sandbox(settings: Settings, _: argparse.Namespace) -> None:
    from server.processes import Group
    from server.standins import Awaited, health_addresses, refuse_taken_ports, standins

    _refuse_live(settings, "sandbox")
    _demand_standins()
    try:
        refuse_taken_ports(settings)
    except OSError as error:
        sys.exit(f"{error.strerror}: is another demo running?")
    with Group(standins(settings)) as group:
        group.watch(until=Awaited(health_addresses(settings)))
        print(
            f"Stripe  http://127.0.0.1:{settings.sandbox_stripe_port}/_sandbox/\n"
            f"Kollus  http://127.0.0.1:{settings.sandbox_kollus_port}/_sandbox/\n"
            f"Mail    http://127.0.0.1:{settings.sandbox_mail_port}/",
            flush=True,
        )
        group.watch()


def _demo(settings: Settings, chosen: argparse.Namespace) -> None:
    from server.demo.run import demo

    _refuse_live(settings, "demo")
    _demand_standins()
    demo(settings, reset=chosen.reset)


def _migrate(_: Settings, chosen: argparse.Namespace) -> None:
    from server.database.migrations import migrate

    migrate(chosen.revision)


def _seed(settings: Settings, _: argparse.Namespace) -> None:
    from server.demo.seed import seed_catalog

    _refuse_live(settings, "seed")
    count = _in_session(settings, seed_catalog)
    print(f"{count} courses added to the catalog")


def _create_admin(settings: Settings, chosen: argparse.Namespace) -> None:
    from server.accounts import service as accounts
    from server.accounts.models import Role
    from server.audit.records import Actor

    actor = Actor.command("create-admin")

    async def run() -> str:
        account = await accounts.find_by_email(email)
        if account is not None:
            await accounts.change_role(actor, account.id, Role.ADMIN)
            return f"{email} is an admin now; the password stays as it was"
        password = sys.stdin.readline().strip() if chosen.password_stdin else getpass.getpass("Password: ")
        await accounts.create_account(actor, email, password, Role.ADMIN, chosen.name)
        return f"{email} may sign in as admin"

    try:
        email = accounts.valid_email(chosen.email)
    except ValueError as error:
        sys.exit(str(error))
    print(_in_session(settings, run))


def _sweep(settings: Settings, _: argparse.Namespace) -> None:
    from server.checkout import sweep

    complaints = _Complaints()
    sweep.log.addHandler(complaints)
    swept = _in_session(settings, partial(sweep.run, at_once=True))
    if complaints.lines:
        sys.exit("\n".join(["not all could be swept:", *complaints.lines]))
    print("swept" if swept else "another process is sweeping right now")


def _recount(settings: Settings, _: argparse.Namespace) -> None:
    from server.audit.records import Actor
    from server.jobs import service as jobs
    from server.jobs import worker

    async def run() -> str:
        job = await jobs.start(Actor.command("recount"), "recount")
        while not job.is_over and not job.error:
            # Here, unless a worker of the site is faster.
            await worker.run_waiting()
            job = await jobs.get(job.id)
            await asyncio.sleep(0 if job.is_over else 0.5)
        if job.result is None:
            sys.exit(f"the recount is {job.state}: {job.error}")
        return f"{job.result['courses']} courses counted, {job.result['mended']} put right"

    print(_in_session(settings, run))


class _Complaints(logging.Handler):
    """A sweep survives what fails, Stripe included, and logs it; an operator is to hear of it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def _doctor(settings: Settings, _: argparse.Namespace) -> None:
    from server.doctor import examine

    findings = asyncio.run(examine(settings))
    for finding in findings:
        print(f"{'ok  ' if finding.fine else 'FAIL'} {finding.what}: {finding.text}")
    sys.exit(0 if all(finding.fine for finding in findings) else 1)


def _refuse_live(settings: Settings, command: str) -> None:
    if settings.is_live:
        sys.exit(f"playbill {command} is for sandbox mode; this is live mode")


def _demand_standins() -> None:
    from server.standins import are_installed

    if not are_installed():
        sys.exit("the stand-ins are not installed: pip install '.[demo]'")


def _refuse_demos_people(settings: Settings) -> None:
    from sqlalchemy.exc import DBAPIError

    from server.database.migrations import is_current
    from server.database.outage import is_outage
    from server.demo.people import people_here

    async def look() -> list[str]:
        return await people_here() if await is_current() else []

    try:
        found = _in_session(settings, look)
    except DBAPIError as error:
        if not is_outage(error):
            raise
        # A site whose database is away starts all the same, and says so on every page.
        print(f"database: {error.orig}; not looked for the demo's people", file=sys.stderr)
        return
    if found:
        sys.exit(f"live mode refuses to start: the database holds the demo's people ({', '.join(found)})")


def _in_session(settings: Settings, act: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    from server.database.session import session_scope
    from server.wiring import opened

    async def run() -> Any:
        async with opened(settings) as sessions, session_scope(sessions):
            return await act()

    return asyncio.run(run())


Option = tuple[tuple[str, ...], dict[str, Any]]
COMMANDS: list[tuple[str, Callable[[Settings, argparse.Namespace], None], str, list[Option]]] = [
    (
        "demo",
        _demo,
        "The whole shop with a catalog and stand-ins of Stripe, Kollus and mail; data under VAR_DIR.",
        [(("--reset",), {"action": "store_true", "help": "begin again with a fresh database"})],
    ),
    ("serve", _serve, "Serve the site; a worker that dies is replaced.", []),
    ("sandbox", _sandbox, "Only the stand-ins of Stripe, Kollus and mail.", []),
    (
        "migrate",
        _migrate,
        "Bring the database up to date.",
        [(("--revision",), {"default": "head", "help": "an alembic revision (head)"})],
    ),
    ("seed", _seed, "Put the demo catalog into the database.", []),
    (
        "create-admin",
        _create_admin,
        "Make a person an admin.",
        [
            (("email",), {}),
            (("--name",), {"default": ""}),
            (
                ("--password-stdin",),
                {"action": "store_true", "help": "read the password from standard input"},
            ),
        ],
    ),
    ("sweep", _sweep, "Look for payments that no webhook told of, now.", []),
    ("recount", _recount, "Count sales, lectures and lengths of every course anew.", []),
    ("doctor", _doctor, "Check settings, database, migrations, Stripe, mail server.", []),
]


if __name__ == "__main__":
    main()
