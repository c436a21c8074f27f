"""One worker of `playbill serve`: a process of its own, which answers on its parent's socket."""

import argparse
import asyncio
import logging
import re
import signal
import socket
from typing import Any

import uvloop
from sanic import Sanic

from server.app import create_app
from server.serving import BACKLOG
from server.settings import Settings


def run_worker(descriptor: int) -> None:
    """One worker: a single Sanic process on the parent's socket."""
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


async def _serve_until_told(app: Sanic[Any, Any], listener: socket.socket) -> None:
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
