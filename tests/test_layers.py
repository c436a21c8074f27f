"""The house rules that a machine can hold: which way imports point, and who may touch what.

README.md tells of the order under "Which way imports point".
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.settings import ROOT

SERVER = ROOT / "server"

# Every package and module of server/, lowest first: each may import what stands before it.
WORDS = ("languages", "currencies", "labels", "paging", "clock", "tokens", "metrics", "processes")
TEXTS = ("settings_checks", "settings", "i18n", "errors", "money", "business", "jinja")
GROUND = ("database", "integrations")
# What every domain uses.
SHARED = ("audit", "alerts", "throttle", "jobs", "mail", "stripe_events")
DOMAINS = ("access", "accounts", "catalog", "checkout", "playback", "claiming", "admin")
COMMANDS = ("wiring", "serving", "standins", "demo", "doctor", "cli")
WEB = ("web",)
PAGES = "pages"  # of every domain, in the order of the domains; site/ has nothing else
SITE = ("app", "worker")
ORDER = (*WORDS, *TEXTS, *GROUND, *SHARED, *DOMAINS, *COMMANDS, *WEB, PAGES, *SITE)
ONLY_PAGES = ("site",)
# Imports nothing of the others, and nobody imports it: it stands for somebody else's house.
STANDINS = "sandbox"

# The part of a domain that knows of requests. Of admin/ that is everything but its acts.
PAGE_FILES = ("views.py", "forms.py", "webhook.py", "callbacks.py")
# Within a domain, and towards another one: lowest first.
MODELS, RECORDS, REPOSITORIES, ACTS = range(4)
# Values without a table that records and repositories are made of.
VALUES = ("accounts/browsers.py", "playback/watched.py")
# Of another domain: the acts that it offers, the values it hands out, the words of its columns.
DOORS = {"service", "records", "models"}
# Of what every domain uses, and whose parts have nothing in common but the table.
FURTHER_DOORS = {"jobs": {"leases", "recurring", "running"}}
# Whoever starts a thing that runs by itself names it; nobody else has to know of it.
STARTED = {
    "wiring.py": {"checkout/recounting.py", "checkout/subscriptions.py", "checkout/sweep.py"}
    | {"jobs/worker.py", "mail/worker.py"},
    "cli.py": {"checkout/sweep.py", "jobs/worker.py"},
    "demo/seed.py": {"mail/worker.py"},
    # The account overview has the form of a person's own profile on it.
    "site/account.py": {"accounts/forms.py"},
}
# Of third parties, those who may not call one may read this.
FACTS = "integrations/stripe_facts.py"

# Who may import these at all (a path below server/, or a beginning of one).
ONLY_IN = {
    "sqlalchemy": ("database/", "*/models.py", "*/*repository.py", "cli.py"),
    "sanic": (
        "app.py",
        "worker.py",
        "web/",
        "sandbox/",
        "site/",
        "admin/acting.py",
        *(f"*/{name}" for name in PAGE_FILES),
    ),
    "stripe": ("integrations/stripe.py", "sandbox/"),
    "aiosmtplib": ("integrations/smtp.py",),
    # Of `pip install '.[demo]'`: a site of its own has none of it.
    "aiosmtpd": ("sandbox/mail/",),
    # Pages by the list of their names, tables by looking, and whether the stand-ins are installed. Everybody
    # else says what they import.
    "importlib": ("app.py", "database/schema.py", "standins.py"),
}


def modules() -> Iterator[tuple[str, list[str]]]:
    """Every module below server/ with the full names that it imports, inside of functions too."""
    for path in sorted(SERVER.rglob("*.py")):
        place = path.relative_to(SERVER)
        yield place.as_posix(), list(imported(path.read_text("utf-8"), ("server", *place.parts[:-1])))


def imported(source: str, package: tuple[str, ...]) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            near = package[: len(package) - node.level + 1] if node.level else ()
            origin = ".".join([*near, *([node.module] if node.module else [])])
            yield from (f"{origin}.{name.name}" for name in node.names)


FILES = {path.relative_to(SERVER).as_posix() for path in SERVER.rglob("*.py")}


def file_of(name: str) -> str | None:
    """The file below server/ that this import loads: a module, or the package that it names."""
    parts = name.split(".")
    if parts[0] != "server":
        return None
    for length in range(len(parts), 1, -1):
        path = "/".join(parts[1:length])
        if found := {f"{path}.py", f"{path}/__init__.py"} & FILES:
            return found.pop()
    return "__init__.py"


def home(path: str) -> str:
    return path.partition("/")[0].removesuffix(".py")


def is_page(path: str) -> bool:
    room = home(path)
    if "/" not in path or room not in (*SHARED, *DOMAINS, *ONLY_PAGES):
        return False
    return room in ONLY_PAGES or path.endswith(PAGE_FILES) or (room == "admin" and path != "admin/service.py")


def place(path: str) -> tuple[int, int]:
    """Where in the order a file stands."""
    room = home(path)
    within = (*SHARED, *DOMAINS[:-1], *ONLY_PAGES, "admin").index(room) if is_page(path) else 0
    return ORDER.index(PAGES if is_page(path) else room), within


def kind(path: str) -> int:
    if path.endswith("models.py"):
        return MODELS
    if path.endswith("records.py") or path in VALUES:
        return RECORDS
    return REPOSITORIES if path.endswith("repository.py") else ACTS


def is_in_a_domain(path: str) -> bool:
    return "/" in path and home(path) in (*SHARED, *DOMAINS, *ONLY_PAGES)


def is_in(path: str, rooms: str) -> bool:
    return Path(path).match(rooms) if "*" in rooms else path.startswith(rooms)


def wrong(path: str, name: str) -> str | None:
    """What is wrong with this module's import of that name, or None."""
    target = file_of(name)
    if target is None:
        library = name.partition(".")[0]
        is_free = any(is_in(path, one) for one in ONLY_IN.get(library, (path,)))
        return None if is_free else f"{library} stays in its rooms"
    return _wrong_within_server(path, target, name)


def _wrong_within_server(path: str, target: str, name: str) -> str | None:
    if STANDINS in (home(path), home(target)):
        return None if home(path) == home(target) else "the sandbox is another house"
    if target == "__init__.py":
        return "says nothing of what it needs"
    if home(path) == home(target):
        return _wrong_at_home(path, target, name)
    if place(target) >= place(path):
        return "climbs"
    return _wrong_abroad(path, target, name)


def _wrong_at_home(path: str, target: str, name: str) -> str | None:
    if not is_in_a_domain(path):
        return None
    if is_page(target) and not is_page(path):
        return "an act knows nothing of pages"
    if is_page(path) and kind(target) == REPOSITORIES:
        return "a page asks the acts"
    if is_a_table(target, name) and kind(path) != REPOSITORIES:
        return "tables are for repositories"
    return "climbs within its domain" if kind(target) > kind(path) else None


def _wrong_abroad(path: str, target: str, name: str) -> str | None:
    if is_in_a_domain(path) and kind(path) < ACTS:
        if home(target) == "integrations" and target != FACTS:
            return "no third party below the acts"
        if is_in_a_domain(target) and kind(target) > kind(path):
            return "climbs into another domain's acts"
    if not is_in_a_domain(target) or target in STARTED.get(path, ()):
        return None
    door = target.split("/")[1].removesuffix(".py")
    if door not in DOORS | FURTHER_DOORS.get(home(target), set()):
        return "another domain is asked through its service"
    if is_a_table(target, name) and kind(path) != REPOSITORIES:
        return "tables are for repositories"  # which may join another domain's
    return None


def is_a_table(target: str, name: str) -> bool:
    """Or all of them, by the module that has them."""
    return target.endswith("models.py") and name.rpartition(".")[2] in {"models", "*", *TABLES}


TABLES = {
    node.name
    for path in SERVER.glob("*/models.py")
    for node in ast.parse(path.read_text("utf-8")).body
    if isinstance(node, ast.ClassDef) and "Base" in map(ast.unparse, node.bases)
}


def test_every_room_has_its_place_in_the_order() -> None:
    rooms = {home(path) for path in FILES} - {"__init__"}

    assert rooms == {*ORDER, *ONLY_PAGES, STANDINS} - {PAGES}
    assert len(ORDER) == len(set(ORDER))


def test_no_import_climbs_and_everything_stays_in_its_room() -> None:
    broken = [
        f"{path} imports {name}: {complaint}"
        for path, names in modules()
        for name in names
        if (complaint := wrong(path, name))
    ]

    assert broken == []


def test_no_exception_is_left_over() -> None:
    loaded = {(path, file_of(name)) for path, names in modules() for name in names}

    assert {(path, target) for path, targets in STARTED.items() for target in targets} <= loaded
    assert {*VALUES, FACTS} <= FILES


def test_only_the_database_package_and_repositories_touch_a_session() -> None:
    """However they come by it."""
    broken = [
        path
        for path in FILES
        if "current_session" in (SERVER / path).read_text("utf-8")
        and not path.startswith("database/")
        and not path.endswith("repository.py")
    ]

    assert broken == []


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("currencies.py", "from server.settings import settings"),
        ("database/session.py", "from server.metrics import sessions_open; from server.web import cookies"),
        ("integrations/stripe.py", "from server.checkout.records import OrderRecord"),
        ("demo/seed.py", "from server.checkout import refund_repository"),
        ("doctor.py", "from server.app import create_app"),
        ("cli.py", "from server.web import cookies"),
        ("wiring.py", "from server.accounts import views"),
        ("web/errors.py", "from server.catalog import views"),
        ("web/visitor.py", "from server.accounts import links"),
        ("site/legal.py", "from server.catalog import repository"),
        ("site/account.py", "from server.admin import fields"),
        ("access/service.py", "def late():\n    from server.accounts import service"),
        ("accounts/subscriptions.py", "from server.checkout.subscriptions import SUBSCRIPTIONS"),
        ("accounts/subscriptions.py", "from server.stripe_events.webhook import bp"),
        ("accounts/people.py", "from . import views"),
        ("accounts/people.py", "from ..catalog import editing"),
        ("catalog/views.py", "from server.checkout.models import Order"),
        ("catalog/views.py", "from server.catalog import models"),
        ("catalog/views.py", "from server.catalog import repository"),
        ("checkout/opening.py", "from server.accounts.models import User"),
        ("checkout/opening.py", "from server.checkout.forms import PayForm"),
        ("checkout/records.py", "from server.integrations.stripe import PAYMENT_METHODS"),
        ("checkout/records.py", "from server.checkout.repository import get"),
        ("checkout/repository.py", "from server.checkout.quotes import quote"),
        ("checkout/repository.py", "from server.catalog import service"),
        ("checkout/models.py", "from server.checkout.records import OrderRecord"),
        ("checkout/service.py", "import sanic"),
        ("admin/service.py", "from sanic import Request"),
        ("admin/orders/wording.py", "import sqlalchemy"),
        ("mail/worker.py", "from importlib import import_module"),
        ("jobs/service.py", "import server"),
        ("standins.py", "from server.sandbox.stripe import app"),
    ],
)
def test_a_wrong_import_is_found(path: str, line: str) -> None:
    names = imported(line, ("server", *Path(path).parts[:-1]))

    assert [name for name in names if wrong(path, name)]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        # A domain that wants to hear of customers or payouts asks for them, as checkout does for payments.
        ("accounts/subscriptions.py", "from server.stripe_events.service import Outcome, Subscription, once"),
        ("accounts/subscriptions.py", "from server.integrations.stripe_facts import EventFact"),
        ("accounts/subscriptions.py", "from server.integrations.gateways import gateways"),
        ("accounts/views.py", "from server.claiming import service"),
        ("catalog/views.py", "from server.checkout import service"),
        ("checkout/repository.py", "from server.accounts.models import User"),
        ("checkout/telling.py", "from server.access.models import GrantState"),
    ],
)
def test_a_right_import_is_left_alone(path: str, line: str) -> None:
    names = imported(line, ("server", *Path(path).parts[:-1]))

    assert [name for name in names if wrong(path, name)] == []
