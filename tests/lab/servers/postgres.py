"""A PostgreSQL server of the tests: its own folder, socket and user; dies with them.

One to a process of the test run, started when it is first asked for. Each test gets a
database of its own. PostgreSQL refuses to run as root: then it is the user `postgres`
that Debian's package makes.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import psycopg

from lab import left_over
from lab.not_run import not_run
from storage.postgres import schema
from storage.postgres.connection import connect

_USER = "postgres"
_PORT = 5432
"""Only the name of a socket in a folder of its own; nothing listens on a network."""
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "deadlock_timeout": "200ms",
    "log_min_messages": "fatal",
}
_FOUNDED = ("-U", "owner", "-A", "trust", "--encoding=UTF8", "--locale=C.UTF-8", "-N")
_QUICK = ("--checkpoint=fast", "--no-sync")
_DIE_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


class PostgresUnusable(RuntimeError):
    """PostgreSQL is there and does not do its part."""


def programs() -> Path:
    """Return the folder of the newest PostgreSQL's programs; or run no test here."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: int(path.parts[-3]),
    )
    if not found:
        raise not_run(
            "These tests need a PostgreSQL server. On Debian: apt-get install"
            " --no-install-recommends postgresql. `make test` does it."
        )
    return found[-1].parent


def account() -> pwd.struct_passwd:
    """Return whom a server runs as: this user, or as root the one of the package."""
    if os.geteuid():
        return pwd.getpwuid(os.geteuid())
    try:
        return pwd.getpwnam(_USER)
    except KeyError:
        raise not_run(f"PostgreSQL does not run as root; no user {_USER}.") from None


def as_account() -> None:
    """In a child: become that user, and die with the process that started it."""
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGINT)
    if os.geteuid() == 0:
        user = account()
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGINT)


def _run(program: str, *words: str) -> None:
    """Run one of PostgreSQL's programs to its end. PostgresUnusable."""
    done = subprocess.run(
        [str(programs() / program), *words],
        preexec_fn=as_account,
        cwd="/",
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise PostgresUnusable(done.stdout + done.stderr)


def own_folder(name: str) -> Path:
    """Make a folder that the server's user may enter; short, for a socket's name.

    It goes with this process.
    """
    folder = left_over.own_folder(f"pk-{name}-", "/tmp")
    os.chown(folder, account().pw_uid, account().pw_gid)
    return folder


class Server:
    """One running server. `settings` are beside, or instead of, the tests' own.

    `restored_from` is where a backup of one was made: it begins as that.
    """

    def __init__(
        self,
        settings: Mapping[str, str] | None = None,
        restored_from: Path | None = None,
    ) -> None:
        self._settings = {**_SETTINGS, **(settings or {})}
        self.folder = own_folder("pg")
        self._data = self.folder / "data"
        self._log = self.folder / "log"
        self._numbers = itertools.count()
        self._process: subprocess.Popen[bytes] | None = None
        if restored_from is None:
            _run("initdb", "-D", str(self._data), *_FOUNDED)
        else:
            restored_from.rename(self._data)
        self.start()

    def start(self) -> None:
        """Start it, and wait until it lets somebody in."""
        settings = {**self._settings, "unix_socket_directories": str(self.folder)}
        command = [str(programs() / "postgres"), "-D", str(self._data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, preexec_fn=as_account, cwd="/", stdout=log, stderr=log
            )
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                psycopg.connect(self.conninfo("postgres")).close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return
        raise PostgresUnusable(self._log.read_text())

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT at once and clean, SIGQUIT as if it had crashed."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    @property
    def pid(self) -> int:
        """The first of its processes."""
        assert self._process is not None
        return self._process.pid

    def back_up(self) -> Path:
        """Let `pg_basebackup` copy all of it as it is now; return the folder."""
        copied = self.folder / "copied"
        _run(
            "pg_basebackup", "-d", self.conninfo("postgres"), "-D", str(copied), *_QUICK
        )
        return copied

    def remove(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def conninfo(self, database: str, user: str = "owner") -> str:
        return f"host={self.folder} port={_PORT} dbname={database} user={user}"

    def ask(
        self, statement: str, database: str = "postgres"
    ) -> list[tuple[object, ...]]:
        """Do something as the owner, outside of a transaction."""
        with psycopg.connect(self.conninfo(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def empty_database(self) -> str:
        """Return the name of a new database with nothing in it."""
        name = f"test{next(self._numbers)}"
        self.ask(f"CREATE DATABASE {name}")
        return name

    def database(self) -> str:
        """Return the connection string of a new, empty registry."""
        name = f"test{next(self._numbers)}"
        self.ask(f"CREATE DATABASE {name} TEMPLATE {self._template} STRATEGY FILE_COPY")
        return self.conninfo(name)

    @property
    def _template(self) -> str:
        """Name a database with the tables, made once: a copy takes a twentieth."""
        if not self.ask("SELECT 1 FROM pg_database WHERE datname = 'founded'"):
            self.ask("CREATE DATABASE founded")
            connection = connect(self.conninfo("founded"))
            schema.upgrade(connection, "founded")
            schema.improve(connection)
            connection.close()
        return "founded"


@cache
def server() -> Server:
    """Return this process's server."""
    started = Server()
    left_over.at_the_end(started.remove)
    return started
