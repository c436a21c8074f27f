"""A throw-away MariaDB server: own folder, free port, no network but the loop-back, gone with the tests."""

import getpass
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import pymysql  # type: ignore[import-untyped]

START_WITHIN_S = 60


class MariaDB:
    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def _options(self) -> list[str]:
        # As root the server insists on being told whose process it shall be. In a folder for temporary tables
        # that is shared, one that starts removes those of the others, which die of it (signal 11).
        data, scratch = self.folder / "data", self.folder / "scratch"
        return ["--no-defaults", f"--datadir={data}", f"--tmpdir={scratch}", f"--user={getpass.getuser()}"]

    def __enter__(self) -> Self:
        (self.folder / "scratch").mkdir()
        subprocess.run(
            ["mariadb-install-db", *self._options, "--skip-test-db",
             "--auth-root-authentication-method=normal"],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
        self.resume()
        return self

    def resume(self) -> None:
        """Start it, at first or after `pause`; returns when it answers."""
        server = shutil.which("mariadbd") or shutil.which("mysqld") or "/usr/sbin/mariadbd"
        self._process = subprocess.Popen(
            [server, *self._options, "--bind-address=127.0.0.1",
             f"--port={self.port}", f"--socket={self.folder / 'server.sock'}",
             f"--pid-file={self.folder / 'server.pid'}", f"--log-error={self.folder / 'server.log'}",
             "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M", "--skip-log-bin",
             "--skip-name-resolve", "--max-connections=200"],
        )  # fmt: skip
        deadline = time.monotonic() + START_WITHIN_S
        while True:
            try:
                self.connect().close()
            except pymysql.err.OperationalError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.1)  # it tells nobody that it is ready: it is asked
            else:
                return

    def connect(self) -> "pymysql.connections.Connection[pymysql.cursors.Cursor]":
        return pymysql.connect(host="127.0.0.1", port=self.port, user="root", password="")

    def create_database(self, name: str) -> str:
        """An empty database, with the server's own default collation, whatever was there; returns its URL."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE OR REPLACE DATABASE `{name}`")
        return f"mysql+aiomysql://root@127.0.0.1:{self.port}/{name}"

    def pause(self) -> None:
        """Unplug it: end the server, keep the data."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(30)

    def set_global(self, variable: str, value: int) -> None:
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"SET GLOBAL {variable} = {value}")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Alive and mute: connections stand, new ones are accepted, and nobody is answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.pause()
