"""`playbill serve`: one listening socket, some worker processes on it, and a parent that watches them."""

import argparse
import asyncio
import logging
import os
import re
import shutil
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prometheus_client.multiprocess import mark_process_dead

from server.processes import Child, Group, module
from server.settings import Settings

if TYPE_CHECKING:
    from sanic import Sanic

BACKLOG = 512
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own in it, for nobody else to read


def listen(settings: Settings) -> socket.socket:
    """The socket that all workers accept from; ends the command if it cannot be had."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        sys.exit(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}")
    return listener


@contextmanager
def metrics_folder(settings: Settings) -> Iterator[Path]:
    """Where the workers leave their figures for whichever of them is scraped; empty at first, gone at last.

    In memory where there is such a place. The figures are mapped files, and whoever writes into one that
    cannot grow gets SIGBUS: on a full disk every worker died of counting a request, six times in a row.
    """
    on_disk = settings.var_dir.absolute() / f"metrics-{settings.port}"
    try:
        folder = _made_anew(SHARED_MEMORY / f"playbill{str(on_disk).replace('/', '-')}")
    except OSError:  # there is none, or somebody else has this name there
        folder = _made_anew(on_disk)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _made_anew(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    return folder


def workers(settings: Settings, listener: socket.socket) -> list[Child]:
    command = module("server.serving", "--fd", str(listener.fileno()))
    return [
        Child(f"worker {number}", command, pass_fds=(listener.fileno(),), on_death=mark_process_dead)
        for number in range(1, settings.workers + 1)
    ]


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; exits non-zero if the workers cannot be kept alive."""
    # The port first: the figures may be those of a site that runs there.
    with listen(settings) as listener, metrics_folder(settings) as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
        with Group(workers(settings, listener)) as group:
            print(f"Playbill listens on {settings.public_url} ({settings.workers} workers)", flush=True)
            group.watch()


def run_worker(descriptor: int) -> None:
    """One worker: a single Sanic process on the parent's socket."""
    import uvloop

    from server.app import create_app

    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"
    )
    for chatty in ("httpx", "stripe", "sanic.root", "sanic.server", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.addFilter(hide_tokens)
    app = create_app(Settings())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve_until_told(app, socket.socket(fileno=descriptor)))


def hide_tokens(record: logging.LogRecord) -> bool:
    """A path in a line or a traceback, such as Sanic's own, may be a sign-in link that is still good."""
    record.msg, record.args = _without_tokens(record.getMessage()), ()
    if record.exc_info:
        record.exc_text = _without_tokens(
            record.exc_text or logging.Formatter().formatException(record.exc_info)
        )
        record.exc_info = None
    return True


def _without_tokens(told: str) -> str:
    return re.sub(r"(/login/link/)[^\s'\"]+", r"\1…", told)


async def _serve_until_told(app: "Sanic[Any, Any]", listener: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT, then answer what has begun, and end.

    Not `app.run`: it ends by stopping the event loop from a signal handler. On a busy machine uvloop
    loses that now and then, and the worker hangs until somebody kills it.
    """
    told = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, told.set)
    server = await app.create_server(
        sock=listener, backlog=BACKLOG, return_asyncio_server=True, access_log=False
    )
    assert server is not None
    for begin in (server.startup, server.before_start, server.start_serving, server.after_start):
        await begin()  # type: ignore[no-untyped-call]
    await told.wait()
    await server.before_stop()  # type: ignore[no-untyped-call]
    server.close()  # type: ignore[no-untyped-call]
    await _drain(server.connections, app.config.GRACEFUL_SHUTDOWN_TIMEOUT)
    await server.after_stop()  # type: ignore[no-untyped-call]


async def _drain(connections: set[Any], within_s: float) -> None:
    """Let every request that has begun be answered, and close the connections that wait for another."""
    deadline = asyncio.get_running_loop().time() + within_s
    while connections and asyncio.get_running_loop().time() < deadline:
        for connection in list(connections):
            connection.close_if_idle()
        await asyncio.sleep(0.05)
    for connection in list(connections):
        connection.abort()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    run_worker(parser.parse_args().fd)
