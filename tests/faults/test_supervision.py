"""The parent watches its workers: nobody who kills, stops or misconfigures them meets a silent port."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.processes import DEATHS_ALLOWED
from server.settings import ROOT, Settings
from server.standins import health_addresses
from tests.conftest import answers, environment_of, free_settings, until
from tests.faults.serving import Served, is_alive
from tests.http import HTTP
from tests.ports import free_port


def settings_in(folder: Path, migrated_sqlite: Path) -> Settings:
    """Of a site with a small database of its own; nothing listens for it but itself."""
    shutil.copy(migrated_sqlite, folder / "playbill.db")
    return free_settings(folder / "var", database_url=f"sqlite+aiosqlite:///{folder / 'playbill.db'}")


@pytest.fixture
def own(tmp_path: Path, migrated_sqlite: Path) -> Settings:
    return settings_in(tmp_path, migrated_sqlite)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Served]:
    """Two workers, for the tests that leave it as good as they found it."""
    folder = tmp_path_factory.mktemp("supervised")
    with Served(settings_in(folder, migrated_sqlite), free_port(), folder, workers=2) as site:
        yield site


def test_a_killed_worker_is_replaced_and_the_site_answers_within_ten_seconds(site: Served) -> None:
    victim = site.kill_a_worker()

    site.wait_until_it_answers(10)
    until(lambda: len(site.worker_pids() - {victim}) == 2, 10, "as many workers as before")
    assert HTTP.get(f"{site.url}/readyz", timeout=10).status_code == 200
    assert "died (exit code -9): starting another" in site.log.read_text()


def test_all_workers_killed_at_once_are_replaced(site: Served) -> None:
    for pid in site.worker_pids():
        os.kill(pid, signal.SIGKILL)

    site.wait_until_it_answers(10)


def test_killing_the_parent_ends_the_workers(own: Settings, tmp_path: Path) -> None:
    with Served(own, free_port(), tmp_path, workers=2) as site:
        pids, figures = site.worker_pids(), site.figures_folder
        site.process.kill()
        site.process.wait(5)

        until(lambda: not any(map(is_alive, pids)), 10, "the workers have ended")
    shutil.rmtree(figures)  # nobody is left who would


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_polite_signal_ends_everything_promptly_with_exit_code_0(
    own: Settings, tmp_path: Path, signum: signal.Signals
) -> None:
    with Served(own, free_port(), tmp_path, workers=2) as site:
        pids = site.worker_pids()
        site.process.send_signal(signum)

        assert site.exit_code(within_s=8) == 0
        assert not any(map(is_alive, pids))
        assert "Traceback" not in site.log.read_text()


def test_an_impatient_second_signal_leaves_nobody_behind(own: Settings, tmp_path: Path) -> None:
    with Served(own, free_port(), tmp_path, workers=2) as site:
        pids = site.worker_pids()
        for _ in range(3):
            site.process.send_signal(signal.SIGINT)

        assert site.exit_code(within_s=15) == 0
        assert not any(map(is_alive, pids))


def test_a_worker_that_keeps_dying_is_left_to_the_other_one_and_the_last_one_ends_the_site(
    own: Settings, tmp_path: Path
) -> None:
    with Served(own, free_port(), tmp_path, workers=2) as site:
        survivor = max(site.worker_pids())

        def kill_again(spared: set[int]) -> None:
            until(lambda: bool(site.worker_pids() - spared), 10, "another one was started")
            [victim] = site.worker_pids() - spared
            os.kill(victim, signal.SIGKILL)
            until(lambda: victim not in site.worker_pids(), 10, "its death was noticed")

        for _ in range(DEATHS_ALLOWED + 1):
            kill_again({survivor})
        until(lambda: "it is not started again" in site.log.read_text(), 10, "it is told")
        site.wait_until_it_answers(10)
        assert HTTP.get(f"{site.url}/readyz").status_code == 200
        assert site.worker_pids() == {survivor}
        assert {name.rpartition("_")[2] for name in site.figures("gauge_livesum")} == {str(survivor)}

        for _ in range(DEATHS_ALLOWED + 1):
            kill_again(set())
        assert site.exit_code(within_s=10) == 1
        assert "keeps dying (exit code -9): giving up" in site.log.read_text()


# Workers would need a second each to die of their settings.
WATCHED = """
from server.processes import Child, Group

with Group([Child(f"worker {number}", ["false"]) for number in (1, 2)]) as group:
    group.watch()
"""


def test_those_that_cannot_live_end_all_with_a_failure() -> None:
    watched = subprocess.run(
        [sys.executable, "-c", WATCHED], cwd=ROOT, stderr=subprocess.PIPE, text=True, timeout=60, check=False
    )

    assert watched.returncode == 1
    assert "worker 1 keeps dying (exit code 1)" in watched.stderr
    assert "worker 2 keeps dying (exit code 1): giving up" in watched.stderr


def test_a_taken_port_is_said_in_one_line(own: Settings, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        site = Served(own, port, tmp_path)

        assert site.start().process.wait(20) == 1
        assert site.log.read_text() == f"cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_a_second_site_on_the_same_port_leaves_the_first_one_alone(
    site: Served, own: Settings, tmp_path: Path
) -> None:
    HTTP.get(f"{site.url}/")
    second = Served(own, site.port, tmp_path).start()

    assert second.process.wait(20) == 1
    assert "playbill_http_request_duration_seconds_count" in HTTP.get(f"{site.url}/metrics").text
    assert site.figures("histogram"), "its figures were deleted"


def test_the_figures_of_all_workers_add_up_and_a_dead_ones_stay_counted(site: Served) -> None:
    def answers_served() -> float:
        return figure(site.url, 'playbill_http_request_duration_seconds_count{method="GET",route="/terms"')

    def have_answered() -> set[int]:
        return {int(name.rpartition("_")[2]) for name in site.figures("histogram")}

    until(lambda: len(site.worker_pids()) == 2, 10, "both workers are there")
    workers = site.worker_pids()
    for _ in range(200):  # a connection each, so that both workers get some
        assert HTTP.get(f"{site.url}/terms").status_code == 200
        if workers <= have_answered() and answers_served() >= 20:
            break
    assert workers <= have_answered()
    asked = answers_served()
    assert {answers_served() for _ in range(20)} == {asked}, "a scrape depends on which worker answers it"
    assert figure(site.url, "playbill_paid_without_access") == 0

    victim = site.kill_a_worker()
    until(lambda: len(site.worker_pids() - {victim}) == 2, 10, "as many workers as before")
    site.wait_until_it_answers(10)
    assert answers_served() == asked
    until(lambda: figure(site.url, "playbill_db_sessions_open") == 0, 10, "no job is at work")
    assert not [name for name in site.figures("gauge_livesum") if str(victim) in name]


def figure(url: str, name: str) -> float:
    """The sum of all samples whose line begins so."""
    lines = HTTP.get(f"{url}/metrics").raise_for_status().text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def test_the_stand_ins_end_with_whoever_started_them(own: Settings) -> None:
    sandbox = subprocess.Popen(
        [sys.executable, "-m", "server.cli", "sandbox"],
        env={**os.environ, **environment_of(own)},
        stdout=subprocess.DEVNULL,
    )
    addresses = health_addresses(own)
    try:
        until(lambda: all(map(answers, addresses)), 30, "the stand-ins answer")
    finally:
        sandbox.kill()
        sandbox.wait(5)

    until(lambda: not any(map(answers, addresses)), 10, "the stand-ins have ended")


def test_what_else_the_system_refuses_is_not_called_a_taken_port(own: Settings, tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    no_folder = in_the_way / ("long" * 60)  # nor is it a name for the folder in memory
    site = Served(own, free_port(), tmp_path, var_dir=no_folder)

    assert site.start().process.wait(20) == 1
    assert site.log.read_text() == f"{no_folder}/metrics-{site.port}: Not a directory\n"
