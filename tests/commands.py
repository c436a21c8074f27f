"""The commands `playbill` and `alembic`, run to their end: by an interpreter of its own, or by a warm one.

Most of what a command costs is importing: a second of work, a hundred times in a run. So one process imports
everything once, runs nothing, and is forked for each command, which then has its own arguments, environment,
input and output like any other. What a warm start could hide, an import that works only after another one, a
test of each command shows that starts it cold.
"""

import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import NoReturn

WITHIN_S = 60
MODULES = {"playbill": "server.cli", "alembic": "alembic.config"}  # each with its `main`
NEEDED = [
    *MODULES.values(),
    "server.app",
    "server.serving",
    "server.doctor",
    "server.demo.run",
    "server.demo.seed",
]
LARGEST = 1 << 20  # of a message, in bytes

Done = subprocess.CompletedProcess[str]


def playbill(
    *arguments: str, environment: dict[str, str] | None = None, typed: str = "", cold: bool = False
) -> Done:
    """Run the `playbill` command as an operator would, to its end."""
    whole = {**os.environ, **(environment or {})}
    if cold:
        command = [sys.executable, "-m", "server.cli", *arguments]
        return subprocess.run(
            command, env=whole, input=typed, capture_output=True, text=True, timeout=WITHIN_S, check=False
        )
    return _run_warm(["playbill", *arguments], whole, typed)


def run_playbill(
    arguments: list[str], environment: dict[str, str], typed: str = "", cold: bool = False
) -> str:
    """The same where nothing may go wrong; returns what it printed."""
    done = playbill(*arguments, environment=environment, typed=typed, cold=cold)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_alembic(arguments: list[str], environment: dict[str, str]) -> str:
    """`alembic`, where nothing may go wrong; returns what it printed."""
    done = _run_warm(["alembic", *arguments], {**os.environ, **environment})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _run_warm(command: list[str], environment: dict[str, str], typed: str = "") -> Done:
    with TemporaryFile("w+") as given, TemporaryFile("w+") as out, TemporaryFile("w+") as errors:
        given.write(typed)
        given.seek(0)
        code = _fork(command, environment, [one.fileno() for one in (given, out, errors)])
        out.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(command, code, out.read(), errors.read())


def _fork(command: list[str], environment: dict[str, str], streams: list[int]) -> int:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            message = json.dumps([command, environment, str(Path.cwd())]).encode()
            socket.send_fds(_warm(), [message], [theirs.fileno(), *streams])
        told = ours.recv(16)
    assert told, "the warm process has ended"
    return int(told)


@cache
def _warm() -> socket.socket:
    """The line to the warm process, which ends when the line is closed: with this process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        command = [sys.executable, "-m", "tests.commands", str(theirs.fileno())]
        _processes.append(subprocess.Popen(command, pass_fds=[theirs.fileno()]))
    return ours


_processes: list["subprocess.Popen[bytes]"] = []


def _wait_for_commands(line: socket.socket) -> None:
    """The warm process. Returns in a forked one, as the command; its end is the command's end."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the keepers
    while True:
        message, descriptors, *_ = socket.recv_fds(line, LARGEST, 4)
        if not message:
            return
        if os.fork() == 0:
            line.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _keep(message, *descriptors)
            return
        for descriptor in descriptors:
            os.close(descriptor)


def _keep(message: bytes, answer: int, *streams: int) -> None:
    """Start the command, and tell its exit code; a command that never ends is ended."""
    if pid := os.fork():
        _tell_end_of(pid, answer)
    os.close(answer)
    signal.alarm(WITHIN_S)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    (name, *arguments), environment, folder = json.loads(message)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    importlib.import_module(MODULES[name]).main(arguments)


def _tell_end_of(pid: int, answer: int) -> NoReturn:
    _, status = os.waitpid(pid, 0)
    os.write(answer, str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


if __name__ == "__main__":
    for name in NEEDED:
        importlib.import_module(name)
    gc.freeze()
    _wait_for_commands(socket.socket(fileno=int(sys.argv[1])))
