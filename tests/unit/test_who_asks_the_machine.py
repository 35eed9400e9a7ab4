"""Time and chance come through their ports: who asks the machine itself is named here.

What a record, a decision or a proof depends on asks `Clock` and `Entropy`, so that a
history replays exactly. The rest waits for a socket, a key or a reader, or runs before
there is a station; each such module says why.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PACKAGES = ("kiosk", "statemachine", "storage")
CLOCKS = {
    "time": {
        "time",
        "time_ns",
        "monotonic",
        "monotonic_ns",
        "perf_counter",
        "sleep",
        "localtime",
        "gmtime",
    },
    "datetime": {"now", "utcnow", "today"},
    "threading": {"Timer"},
}
CHANCE = {"random", "secrets", "uuid1", "uuid4", "urandom", "getrandom"}
PORTS = {"kiosk/core/clock.py", "kiosk/core/entropy.py"}

_WAITS = (
    "how long a socket, a device or a lock is waited for; nothing is recorded of it"
)
_SHOWS = (
    "what a person is shown or how fast keys count; simulated time is given instead"
)
_BEFORE = "a command line's own moment, before or beside a station"
_TELLS = "figures and logs of a serving process"
_PLAYS = "the demo's and the rehearsal's own devices, which are real to who uses them"
ALLOWED: dict[str, str] = {
    "kiosk/authority/client/line.py": _WAITS,
    "kiosk/authority/service/readiness.py": _WAITS,
    "kiosk/cards/pcsc/connection.py": _WAITS,
    "kiosk/cards/pcsc/monitor.py": _WAITS,
    "kiosk/cards/pkcs11/process.py": _WAITS,
    "kiosk/core/name_lookup.py": _WAITS,
    "kiosk/core/punctual_socket.py": _WAITS,
    "kiosk/core/shared_tls_socket.py": _WAITS,
    "kiosk/directory/ldap/locator.py": _WAITS,
    "kiosk/directory/ldap/opening.py": _WAITS,
    "kiosk/directory/ldap/tls.py": _WAITS,
    "kiosk/faces/terminal_line.py": _WAITS,
    "kiosk/plain/talk.py": _WAITS,
    "kiosk/plain/terminal.py": _WAITS,
    "storage/fileops.py": _WAITS,
    "kiosk/authority/office/listing.py": _SHOWS,
    "kiosk/faces/attention.py": _SHOWS,
    "kiosk/faces/idleness.py": _SHOWS,
    "kiosk/faces/receipt.py": _SHOWS,
    "kiosk/faces/turn.py": _SHOWS,
    "kiosk/plain/controller.py": _SHOWS,
    "kiosk/tui/app.py": _SHOWS,
    "kiosk/tui/desk_app.py": _SHOWS,
    "kiosk/tui/locked.py": _SHOWS,
    "kiosk/tui/seats.py": _PLAYS,
    "kiosk/authority/service/app.py": _TELLS,
    "kiosk/figures/prometheus.py": _TELLS,
    "kiosk/figures/watched.py": _TELLS,
    "kiosk/cli/archive.py": _BEFORE,
    "kiosk/cli/card_keys.py": _BEFORE,
    "kiosk/cli/fleet.py": _BEFORE,
    "kiosk/cli/init.py": _BEFORE,
    "kiosk/cli/progress.py": _BEFORE,
    "kiosk/cli/registry_database.py": _BEFORE,
    "kiosk/cli/restore.py": _BEFORE,
    "kiosk/directory/ldap/shown.py": _BEFORE,
    "kiosk/setup/new_station.py": _BEFORE,
    "kiosk/setup/nightly.py": _BEFORE,
    "kiosk/simulation/fleet/certificates.py": _PLAYS,
    "kiosk/simulation/fleet/loopback.py": _PLAYS,
    "kiosk/simulation/rehearsal/runner.py": _PLAYS,
    "kiosk/simulation/virtual_reader.py": _PLAYS,
    "kiosk/authority/proof/heads.py": "a line of syslog carries when it was sent",
    "kiosk/directory/ldap/masked_secret.py": "a pad in memory, never kept or sent",
    "storage/postgres/facts.py": "how far the server's clock is off is what is asked",
    "storage/postgres/writing.py": "names a commit, to ask for it later: no secret",
    "storage/postgres_registry.py": "waits for a server, and works when nothing is due",
    "storage/vault.py": "a new key of a real vault; nonces come from `random_bytes`",
}
"""Modules that ask the machine itself, each with the reason."""


def asked(tree: ast.AST) -> Iterator[str]:
    """Yield what a module asks of the machine: `time.monotonic`, `secrets`."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                names[each.asname or each.name] = each.name
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for each in node.names:
                names[each.asname or each.name] = f"{node.module}.{each.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            whole = _dotted(node)
            first, _, rest = whole.partition(".")
            yield from _named(f"{names[first]}.{rest}" if first in names else "")
        elif isinstance(node, ast.Name) and node.id in names:
            yield from _named(names[node.id])


def _named(what: str) -> Iterator[str]:
    first, _, rest = what.partition(".")
    last = rest.rpartition(".")[2]
    is_chance = first in CHANCE or (last in CHANCE and first in ("os", "uuid"))
    if last in CLOCKS.get(first, ()) or (rest and is_chance):
        yield what


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


@cache
def found() -> dict[str, set[str]]:
    modules: dict[str, set[str]] = {}
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            said = set(asked(ast.parse(file.read_text("utf-8"))))
            if said:
                modules[str(file.relative_to(ROOT))] = said
    return modules


def test_the_machine_itself_is_asked_by_nobody_who_is_not_named() -> None:
    others = {
        module: sorted(said)
        for module, said in found().items()
        if module not in ALLOWED and module not in PORTS
    }
    assert others == {}


def test_nobody_is_named_who_asks_it_no_more() -> None:
    assert set(ALLOWED) - set(found()) == set()


def test_what_decides_and_records_asks_the_ports_alone() -> None:
    """The rooms whose every byte a seed gives."""
    rooms = (
        "kiosk/authority/operation/",
        "kiosk/authority/escrow/",
        "kiosk/authority/rules/",
        "kiosk/authority/wire/",
        "kiosk/visit/",
        "kiosk/pin/",
        "statemachine/",
    )
    assert [module for module in found() if module.startswith(rooms)] == []


def test_asking_is_seen_in_every_form() -> None:
    forms = {
        "import time\ntime.monotonic()": "time.monotonic",
        "from time import time as now\nnow()": "time.time",
        "import datetime\ndatetime.datetime.now()": "datetime.datetime.now",
        "from datetime import datetime\ndatetime.now()": "datetime.datetime.now",
        "import os\nos.urandom(4)": "os.urandom",
        "from uuid import uuid4\nuuid4()": "uuid.uuid4",
        "import secrets\nsecrets.token_hex()": "secrets.token_hex",
        "import threading as t\nt.Timer(1, print)": "threading.Timer",
    }
    for source, what in forms.items():
        assert list(asked(ast.parse(source))) == [what], source
    assert list(asked(ast.parse("clock.now()\nself.secrets.pop()"))) == []
