"""`playbill serve`: one listening socket, some processes (worker.py) on it, and a parent watching them."""

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client.multiprocess import mark_process_dead

from server.processes import Child, Group, module
from server.settings import Settings

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
    command = module("server.worker", "--fd", str(listener.fileno()))
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
