"""`playbill serve`: one listening socket, some worker processes on it, and a parent that watches them."""

import argparse
import logging
import os
import shutil
import socket
from pathlib import Path

from server.processes import Child, Group, module
from server.settings import Settings

BACKLOG = 512


def listen(settings: Settings) -> socket.socket:
    """The socket that all workers accept from; raises OSError if the port is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((settings.host, settings.port))
    listener.listen(BACKLOG)
    return listener


def metrics_folder(settings: Settings) -> Path:
    """Where the workers leave their figures for whichever of them is scraped; emptied at each start."""
    folder = settings.var_dir.absolute() / f"metrics-{settings.port}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def workers(settings: Settings, listener: socket.socket) -> list[Child]:
    command = module("server.serving", "--fd", str(listener.fileno()))
    return [
        Child(f"worker {number}", command, pass_fds=(listener.fileno(),), on_death=_forget)
        for number in range(1, settings.workers + 1)
    ]


def _forget(pid: int) -> None:
    from server.metrics import forget_process

    forget_process(pid)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; exits non-zero if the workers cannot be kept alive."""
    with listen(settings) as listener:
        # Not before the port is ours: these may be the figures of a site that runs there.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics_folder(settings))
        with Group(workers(settings, listener)) as group:
            print(f"Playbill listens on {settings.public_url} ({settings.workers} workers)", flush=True)
            group.watch()


def run_worker(descriptor: int) -> None:
    """One worker: a single Sanic process on the parent's socket."""
    from server.app import create_app

    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"
    )
    for chatty in ("httpx", "stripe", "sanic.root", "sanic.server", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # A form that cannot be read is the visitor's, with an answer of ours, and no traceback's worth.
    logging.getLogger("sanic.error").addFilter(
        lambda record: "Failed when parsing" not in record.getMessage()
    )
    app = create_app(Settings())
    app.run(sock=socket.socket(fileno=descriptor), single_process=True, motd=False, access_log=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    run_worker(parser.parse_args().fd)
