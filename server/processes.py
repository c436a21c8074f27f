"""A few child processes, watched: a dead one is replaced; one that keeps dying is left to its like.

Sanic does not replace a worker that was killed: the port stays open and nobody answers. So Playbill
watches its own workers (and, in a demo, the stand-ins) with this. When nobody is left who does the same,
all end together.
"""

import logging
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

LOOK_EVERY_S = 0.2
GRACE_S = 10.0
DEATHS_ALLOWED = 5
DEATHS_WITHIN_S = 30.0

# Not print: on a full disk that raises, and the watcher would end with what it watches.
log = logging.getLogger("playbill.processes")


@dataclass
class Child:
    name: str
    command: Sequence[str]
    pass_fds: Sequence[int] = ()
    on_death: Callable[[int], None] = lambda pid: None
    process: subprocess.Popen[bytes] | None = None
    deaths: list[float] = field(default_factory=list)


class Stop(Exception):
    """SIGTERM or SIGINT came."""


class Group:
    """Use as a context: every child has ended when it is left, however it is left."""

    def __init__(self, children: Sequence[Child], environment: Mapping[str, str] | None = None) -> None:
        self.children = list(children)
        self._environment = {**os.environ, **(environment or {})}
        # Children hold the reading end: if we die in any way they see its end and stop, too.
        self._reader, self._writer = os.pipe()
        self._environment["PLAYBILL_PARENT_PIPE"] = str(self._reader)

    def __enter__(self) -> "Group":
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, _stop)
        for child in self.children:
            self._start(child)
        return self

    def add(self, child: Child) -> None:
        self.children.append(child)
        self._start(child)

    def _start(self, child: Child) -> None:
        child.process = subprocess.Popen(  # noqa: S603 - our own commands
            child.command,
            env=self._environment,
            pass_fds=(*child.pass_fds, self._reader),
            stdin=subprocess.DEVNULL,
            # A Ctrl-C in the terminal reaches us alone; we end the children in order.
            start_new_session=True,
        )

    def watch(self, until: Callable[[], bool] = lambda: False) -> None:
        """Replace the dead until `until()`; raises SystemExit(1) when the last of its kind keeps dying."""
        while not until():
            for child in list(self.children):
                assert child.process is not None
                if child.process.poll() is not None:
                    self._replace(child)
            time.sleep(LOOK_EVERY_S)  # children and `until` tell nothing by themselves

    def _replace(self, child: Child) -> None:
        assert child.process is not None
        now = time.monotonic()
        child.on_death(child.process.pid)
        child.deaths = [at for at in child.deaths if now - at < DEATHS_WITHIN_S] + [now]
        code = child.process.returncode
        if len(child.deaths) > DEATHS_ALLOWED:
            self._give_up(child, code)
            return
        log.warning("%s died (exit code %d): starting another", child.name, code)
        self._start(child)

    def _give_up(self, child: Child, code: int) -> None:
        self.children.remove(child)
        alike = [other.name for other in self.children if other.command == child.command]
        if not alike:
            log.error("%s keeps dying (exit code %d): giving up", child.name, code)
            raise SystemExit(1)
        # What kills this one may be its own: the others need not end for it.
        log.error(
            "%s keeps dying (exit code %d): it is not started again, %s left; restart when it is mended",
            child.name,
            code,
            ", ".join(alike) + (" are" if len(alike) > 1 else " is"),
        )

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        for signum in (signal.SIGTERM, signal.SIGINT):
            # Whoever presses Ctrl-C twice must not leave half of the children behind.
            signal.signal(signum, signal.SIG_IGN)
        for child in reversed(self.children):
            if child.process is not None and child.process.poll() is None:
                child.process.terminate()
        deadline = time.monotonic() + GRACE_S
        for child in self.children:
            if child.process is None:
                continue
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
        os.close(self._writer)
        os.close(self._reader)
        return kind is Stop


def _stop(signum: int, frame: FrameType | None) -> None:
    raise Stop


def follow_parent() -> None:
    """In a child: end in good order as soon as the parent is gone, however it went."""
    given = os.environ.get("PLAYBILL_PARENT_PIPE")
    if given is None:
        return

    def wait() -> None:
        os.read(int(given), 1)  # nobody ever writes: it returns when the writing end is closed
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="follow parent", daemon=True).start()


def module(name: str, *arguments: str) -> list[str]:
    """The command that runs a module as a child which ends with its parent."""
    return [sys.executable, "-m", "server.processes", name, *arguments]


if __name__ == "__main__":
    follow_parent()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
