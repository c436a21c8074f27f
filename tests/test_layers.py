"""The house rules that a machine can hold: which way imports point, and who may touch what."""

import ast
from collections.abc import Iterator
from pathlib import Path

from server.settings import ROOT

SERVER = ROOT / "server"
DOMAINS = {
    path.name
    for path in SERVER.iterdir()
    if path.is_dir() and (path / "service.py").exists() and path.name != "sandbox"
}
# Who may import these at all (a path below server/, or a beginning of one).
ONLY_IN = {
    "sqlalchemy": ("database/", "*/models.py", "*/*repository.py", "cli.py"),
    "sanic": (
        "app.py",
        "cli.py",
        "serving.py",
        "web/",
        "site/",
        "sandbox/",
        "*/views.py",
        "admin/",
        "stripe_events/webhook.py",
        "playback/callbacks.py",
    ),
    "stripe": ("integrations/stripe.py", "sandbox/"),
    "aiosmtplib": ("integrations/smtp.py",),
    # Of `pip install '.[demo]'`: a site of its own has none of it.
    "aiosmtpd": ("sandbox/mail/",),
}
# Of another domain: the service, the values it hands out, the words of its columns.
OPEN_TO_OTHERS = {"service", "records", "models"}
# Of what every domain uses, and whose parts have nothing in common but the table.
FURTHER_SERVICES = {"jobs": {"leases", "recurring", "running"}}


def modules() -> Iterator[tuple[str, list[str]]]:
    """Every module below server/ with the full names that it imports."""
    for path in sorted(SERVER.rglob("*.py")):
        found = []
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found += [name.name for name in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found += [f"{node.module}.{name.name}" for name in node.names]
        yield path.relative_to(SERVER).as_posix(), found


def is_in(path: str, places: tuple[str, ...]) -> bool:
    return any(
        Path(path).match(place) if "*" in place else path == place or path.startswith(place)
        for place in places
        if not place.endswith("/") or path.startswith(place)
    )


def test_third_parties_stay_in_their_rooms() -> None:
    broken = [
        f"{path} imports {name}"
        for path, names in modules()
        for name in names
        for library, places in ONLY_IN.items()
        if name.split(".")[0] == library and not is_in(path, places)
    ]

    assert broken == []


def test_a_domain_uses_another_through_its_service() -> None:
    broken = []
    for path, names in modules():
        home = path.split("/")[0]
        if home not in DOMAINS:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] != "server" or parts[1] not in DOMAINS - {home} or len(parts) < 3:
                continue
            if parts[2] not in OPEN_TO_OTHERS | FURTHER_SERVICES.get(parts[1], set()):
                broken.append(f"{path} imports {name}")
            if parts[2] == "models" and not _may_read_tables(path, parts[-1]):
                broken.append(f"{path} imports the table {name}")
    assert broken == []


def _may_read_tables(path: str, name: str) -> bool:
    """Repositories may join another domain's tables; the others only use the words of its columns."""
    return path.endswith("repository.py") or name in ENUMS


ENUMS = {
    node.name
    for path in SERVER.glob("*/models.py")
    for node in ast.parse(path.read_text("utf-8")).body
    if isinstance(node, ast.ClassDef)
    and any(ast.unparse(base) in ("StrEnum", "Labeled") for base in node.bases)
}


def test_services_and_repositories_know_nothing_of_the_web() -> None:
    broken = [
        f"{path} imports {name}"
        for path, names in modules()
        if path.endswith(("service.py", "repository.py", "records.py", "models.py"))
        and not path.startswith("sandbox/")
        for name in names
        if name.startswith("server.web")
    ]

    assert broken == []


def test_nobody_imports_the_application() -> None:
    importers = {path for path, names in modules() if any(name.startswith("server.app") for name in names)}

    assert importers <= {"serving.py", "cli.py", "doctor.py", "demo/run.py"}


def test_the_sandbox_and_the_application_know_nothing_of_each_other() -> None:
    broken = [
        f"{path} imports {name}"
        for path, names in modules()
        for name in names
        if name.startswith("server.") and path.startswith("sandbox/") != name.startswith("server.sandbox")
    ]

    assert broken == []


def test_only_the_database_package_and_repositories_touch_a_session() -> None:
    broken = [
        path
        for path, names in modules()
        if "server.database.session.current_session" in names
        and not path.startswith("database/")
        and not path.endswith("repository.py")
    ]

    assert broken == []
