"""`playbill serve` as an operator runs it: a process of its own with its workers, that a test may kill."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from server.settings import Settings
from tests.conftest import answers, environment_of, until
from tests.http import async_client

# Nobody here waits for seconds to pass, except where the test says so.
QUICK = {"outbox_interval_s": 0.5, "jobs_interval_s": 0.5}


def is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return status not in ("Z", "X")


def has_ended(pid: int) -> bool:
    return not is_alive(pid)


class Served:
    """Use as a context: it is ready when entered, and every process of it has ended when it is left."""

    def __init__(self, settings: Settings, port: int, folder: Path, **changes: Any) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / f"serve-{port}.log"
        self._workers = int(changes.get("workers", settings.workers))
        told = environment_of(settings, **{"port": port, **QUICK, **changes})
        # A process that has to be aborted writes where it stood.
        self._environment = {**os.environ, **told, "PYTHONFAULTHANDLER": "1"}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "server.cli", "serve"],
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        return self

    def __enter__(self) -> Self:
        self.start().wait_until_it_answers(30)
        until(lambda: len(self.worker_pids()) == self._workers, 30, "as many workers as asked for")
        return self

    def wait_until_it_answers(self, within_s: float) -> Self:
        until(partial(answers, f"{self.url}/healthz"), within_s, f"an answer; its log is {self.log}")
        return self

    def client(self, **options: Any) -> httpx.AsyncClient:
        headers = {"Accept-Language": "en", **options.pop("headers", {})}
        return async_client(base_url=self.url, timeout=60, headers=headers, **options)

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None
        return self._process

    def worker_pids(self) -> set[int]:
        pid = self.process.pid
        return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}

    @property
    def figures_folder(self) -> Path:
        environment = Path(f"/proc/{min(self.worker_pids())}/environ").read_text().split("\0")
        [folder] = [
            one.partition("=")[2] for one in environment if one.startswith("PROMETHEUS_MULTIPROC_DIR=")
        ]
        return Path(folder)

    def figures(self, kind: str) -> list[str]:
        """The names of the files in which the workers keep their figures of this kind."""
        return [path.stem for path in self.figures_folder.glob(f"{kind}_*.db")]

    def kill_a_worker(self) -> int:
        """kill -9 of one worker; returns its process id."""
        victim = min(self.worker_pids())
        os.kill(victim, signal.SIGKILL)
        until(lambda: not is_alive(victim), 5, "the killed worker is gone")
        return victim

    def exit_code(self, within_s: float) -> int:
        """Wait for its end; if it does not come, every process that is left says where it stands."""
        left = {self.process.pid, *self.worker_pids()}
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            for pid in filter(is_alive, left):
                os.kill(pid, signal.SIGABRT)
                until(partial(has_ended, pid), 5, "its traceback is written")
            raise AssertionError(f"no end within {within_s} s\n{self.log.read_text()}") from None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(20)
