"""Three PostgreSQL nodes under Patroni and three of etcd, all on this host.

Each node reaches etcd, and is reached itself, by lines of its own
(`lab.servers.relay`), so it can be cut off as a whole. Everything belongs to one
process and dies with it.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg

from lab.not_run import not_run
from lab.servers import postgres
from lab.servers.ports import free_port
from lab.servers.relay import Relay
from storage.postgres import schema
from storage.postgres.connection import connect

NODES = 3
TTL_SECONDS = 20
"""Patroni's least: how long a leader that says nothing stays one."""
_STARTS_SECONDS = 120.0
_DATABASE = "registry"
_MISSING = (
    "These tests need patroni and etcd. On Debian: apt-get install"
    " --no-install-recommends patroni etcd-server. `make test` does it."
)


class PatroniUnusable(RuntimeError):
    """Patroni or etcd is there and does not do its part."""


class Node:
    """One host of the cluster: PostgreSQL, its Patroni, and the lines to both."""

    def __init__(self, name: str, folder: Path, etcd: list[int]) -> None:
        self.name = name
        self.folder = folder
        self.port = free_port()
        self.rest = free_port()
        self.line = Relay(self.port)
        self._to_etcd = [Relay(port) for port in etcd]
        self._process: subprocess.Popen[bytes] | None = None
        self.is_cut_off = False

    def settings(self, password: str) -> dict[str, Any]:
        """Return what Patroni reads; JSON is YAML."""
        return {
            "scope": "registry",
            "name": self.name,
            "restapi": {
                "listen": f"127.0.0.1:{self.rest}",
                "connect_address": f"127.0.0.1:{self.rest}",
            },
            "etcd3": {
                "hosts": [f"127.0.0.1:{line.port}" for line in self._to_etcd],
                "use_proxies": True,  # else it would go round the lines
            },
            "bootstrap": {
                "dcs": {
                    "ttl": TTL_SECONDS,
                    "loop_wait": 2,
                    "retry_timeout": 5,
                    "synchronous_mode": True,
                    "synchronous_mode_strict": True,  # one alone acknowledges nothing
                    "postgresql": {
                        "use_pg_rewind": True,
                        "parameters": {
                            "wal_log_hints": "on",
                            "max_connections": 60,
                            "shared_buffers": "32MB",
                        },
                    },
                },
                "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}],
            },
            "postgresql": {
                "listen": f"127.0.0.1:{self.port}",
                "connect_address": f"127.0.0.1:{self.line.port}",
                "data_dir": str(self.folder / "data"),
                "bin_dir": str(postgres.programs()),
                "pgpass": str(self.folder / "pgpass"),
                "parameters": {"unix_socket_directories": str(self.folder)},
                "pg_hba": [
                    "local all all trust",
                    "host all all 127.0.0.1/32 scram-sha-256",
                    "host replication all 127.0.0.1/32 scram-sha-256",
                ],
                "authentication": {
                    "superuser": {"username": "owner", "password": password},
                    "replication": {"username": "copies", "password": password},
                },
            },
        }

    def start(self) -> None:
        """Start Patroni, which starts PostgreSQL."""
        if self._process is not None:
            self._process.wait()
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["/usr/bin/patroni", str(self.folder / "patroni.yml")],
                preexec_fn=postgres.as_account,
                cwd="/",
                stdout=log,
                stderr=log,
            )

    def start_again(self) -> None:
        """Start a Patroni that has given up, as its unit does."""
        if self._process is not None and self._process.poll() is not None:
            self.start()

    def processes(self) -> list[int]:
        """Return PostgreSQL's main process and Patroni's own."""
        found = [] if self._process is None else [self._process.pid]
        with suppress(OSError, IndexError, ValueError):
            lines = (self.folder / "data" / "postmaster.pid").read_text().splitlines()
            found.append(int(lines[0]))
        return found

    def signal(self, how: signal.Signals) -> None:
        """Send it to everything of this node, as if the host did it."""
        for parent in self.processes():
            for pid in (parent, *_children(parent)):
                with suppress(ProcessLookupError):
                    os.kill(pid, how)

    def kill_server(self) -> None:
        """Kill PostgreSQL alone; Patroni starts it again, or lets another lead."""
        server = self.processes()[-1]
        for pid in (server, *_children(server)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def cut_off(self) -> None:
        self.is_cut_off = True
        for line in (self.line, *self._to_etcd):
            line.unplug()

    def reconnect(self) -> None:
        self.is_cut_off = False
        for line in (self.line, *self._to_etcd):
            line.plug()

    def close(self) -> None:
        self.signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
        for line in (self.line, *self._to_etcd):
            line.close()


class Cluster:
    """The whole of it. Ends with `close`."""

    def __init__(self) -> None:
        if not (Path("/usr/bin/patroni").exists() and shutil.which("etcd")):
            raise not_run(_MISSING)
        postgres.programs()
        self.folder = postgres.own_folder("ha")
        self._password = secrets.token_hex(8)
        self._etcd: list[subprocess.Popen[bytes]] = []
        self.nodes: list[Node] = []
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        clients = self._start_etcd()
        for number in range(NODES):
            folder = self._own(f"p{number}")
            node = Node(f"p{number}", folder, clients)
            told = folder / "patroni.yml"
            told.write_text(json.dumps(node.settings(self._password)))
            user = postgres.account()
            os.chown(told, user.pw_uid, user.pw_gid)
            told.chmod(0o600)
            self.nodes.append(node)
            node.start()
        self.until(self._is_made, "three nodes, one of them synchronous")
        owner = self.conninfo("postgres")
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {_DATABASE}".encode())
        with connect(self.conninfo()) as connection:
            schema.upgrade(connection, "cluster")

    def _is_made(self) -> bool:
        for node in self.nodes:
            node.start_again()
        return self.is_whole()

    def _own(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        user = postgres.account()
        os.chown(folder, user.pw_uid, user.pw_gid)
        return folder

    def _start_etcd(self) -> list[int]:
        clients = [free_port() for _ in range(NODES)]
        peers = [free_port() for _ in range(NODES)]
        members = ",".join(
            f"e{number}=http://127.0.0.1:{peer}" for number, peer in enumerate(peers)
        )
        for number in range(NODES):
            here, peer = (
                f"http://127.0.0.1:{each[number]}" for each in (clients, peers)
            )
            folder = self._own(f"e{number}")
            command = [
                *("etcd", "--name", f"e{number}", "--data-dir", str(folder / "data")),
                *("--listen-client-urls", here, "--advertise-client-urls", here),
                *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
                *("--initial-cluster", members, "--initial-cluster-state", "new"),
                *("--heartbeat-interval", "300", "--election-timeout", "3000"),
            ]
            with (folder / "log").open("ab") as log:
                self._etcd.append(
                    subprocess.Popen(
                        command,
                        preexec_fn=postgres.as_account,
                        cwd="/",
                        stdout=log,
                        stderr=log,
                    )
                )
        self.until(lambda: all(map(_has_decided, clients)), "etcd")
        return clients

    def conninfo(self, database: str = _DATABASE) -> str:
        """Return what a station has configured: all hosts, one that writes."""
        ports = ",".join(str(node.line.port) for node in self.nodes)
        hosts = ",".join("127.0.0.1" for _ in self.nodes)
        return (
            f"host={hosts} port={ports} dbname={database} user=owner sslmode=disable"
            f" target_session_attrs=read-write connect_timeout=2"
            f" password={self._password}"
        )

    def members(self) -> list[dict[str, Any]]:
        """Return what the nodes that answer say of all of them."""
        for node in self.nodes:
            if node.is_cut_off:  # it tells what it heard last
                continue
            with suppress(OSError, ValueError):
                where = f"http://127.0.0.1:{node.rest}/cluster"
                with urllib.request.urlopen(where, timeout=2) as answer:
                    told: dict[str, Any] = json.load(answer)
                if any(each["role"] == "leader" for each in told["members"]):
                    return list(told["members"])
        return []

    def leader(self, *, other_than: Node | None = None) -> Node:
        """Return the node that leads, waiting for one (`other_than` this)."""
        found: list[str] = []
        old = other_than.name if other_than else ""

        def leads() -> bool:
            names = [m["name"] for m in self.members() if m["role"] == "leader"]
            found[:] = [name for name in names if name != old]
            return bool(found)

        self.until(leads, "a leader")
        return next(node for node in self.nodes if node.name == found[0])

    def is_whole(self) -> bool:
        """Say whether one leads, one is its synchronous standby, and all run."""
        members = self.members()
        roles = sorted(each["role"] for each in members)
        return (
            len(roles) == NODES
            and roles[0] == "leader"
            and (
                "sync_standby" in roles
                and all(each["state"] in ("running", "streaming") for each in members)
                and len({each.get("timeline") for each in members}) == 1
            )
        )

    def switch_over(self) -> None:
        """Let another one lead, in good order."""
        leader = self.leader()
        standby = next(m["name"] for m in self.members() if m["role"] == "sync_standby")
        body = json.dumps({"leader": leader.name, "candidate": standby}).encode()
        where = f"http://127.0.0.1:{leader.rest}/switchover"
        request = urllib.request.Request(
            where, body, {"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            answer.read()

    def until(self, fulfilled: Callable[[], bool], what: str) -> None:
        """Wait for something; PatroniUnusable says what did not come, and the logs."""
        until = time.monotonic() + _STARTS_SECONDS
        while time.monotonic() < until:
            if fulfilled():
                return
            time.sleep(0.2)
        raise PatroniUnusable(f"{what}: not seen\n{self.told()}")

    def told(self) -> str:
        """Return what the nodes say of all of them, and the ends of their logs."""
        logs = [
            f"{path}:\n" + path.read_text(errors="replace")[-4000:]
            for path in sorted(self.folder.glob("p*/log"))
        ]
        return "\n".join([str(self.members()), *logs])

    def close(self) -> None:
        for node in self.nodes:
            node.signal(signal.SIGCONT)
            node.close()
        for process in self._etcd:
            process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def _has_decided(etcd: int) -> bool:
    """Say whether its members have agreed on a version: Patroni dies before that."""
    try:
        where = f"http://127.0.0.1:{etcd}/version"
        with urllib.request.urlopen(where, timeout=2) as answer:
            return bool(json.load(answer)["etcdcluster"] != "not_decided")
    except (OSError, ValueError):
        return False


def _children(parent: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent:
                found.append(int(path.parent.name))
    return found
