"""Two processes of an authority on one PostgreSQL: each is restarted in the middle of a
visit, before each of its calls, and the person at the kiosk does not notice.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from lab.domain.samba import SambaDomain
from lab.realsite import PIN
from lab.servers import postgres
from lab.servers.fleet import KIOSK, Fleet, founded, stop

from kiosk.authority.client.line import HttpAnswer
from kiosk.authority.client.lines import Lines
from kiosk.authority.client.remote import remote
from kiosk.bootstrap import lines_of
from kiosk.config import FleetStation, load_any
from kiosk.core.clock import SystemClock
from kiosk.core.entropy import SystemEntropy
from kiosk.core.secret import Secret
from kiosk.core.workers import InlineWorker
from kiosk.simulation.cards.reader import SimulatedReaders
from kiosk.visit.run import Workplace
from kiosk.visit.views import Answers, FieldName, Outcome
from kiosk.visit.visit import Visit
from statemachine.operation import Kind

pytestmark = [pytest.mark.samba, pytest.mark.slow]

PINS = ("314159", "926535", "846257", "950288", "419716", "937510")


@dataclass
class Processes:
    """The processes of a fleet's authority, by their ports."""

    fleet: Fleet
    running: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, port: int) -> None:
        self.running[port] = self.fleet.start(port)

    def end(self, port: int) -> None:
        assert stop(self.running.pop(port)) == 0

    def restart_all(self) -> None:
        """One after the other, as an upgrade does."""
        for port in self.fleet.ports:
            self.end(port)
            self.start(port)


@pytest.fixture
def processes(tmp_path: Path, samba: SambaDomain) -> Iterator[Processes]:
    fleet = founded(tmp_path, samba, ports=2, postgresql=postgres.server().database())
    found = Processes(fleet)
    for port in fleet.ports:
        found.start(port)
    try:
        yield found
    finally:
        for process in found.running.values():
            stop(process)


class Watched(Lines):
    """Lets something happen before a call, counted from 0."""

    at = -1
    asked = 0
    act: Callable[[], None] = staticmethod(lambda: None)

    def ask(
        self, path: str, headers: Mapping[str, str], body: bytes, **seconds: Any
    ) -> HttpAnswer:
        number, self.asked = self.asked, self.asked + 1
        if number == self.at:
            self.act()
        return super().ask(path, headers, body, **seconds)


@contextmanager
def watched(fleet: Fleet) -> Iterator[Watched]:
    config = load_any(fleet.config_file)
    assert isinstance(config, FleetStation)
    lines = lines_of(config)
    lines.__class__ = Watched
    assert isinstance(lines, Watched)
    try:
        yield lines
    finally:
        lines.close()


def changed(fleet: Fleet, lines: Lines, old: str, new: str) -> Outcome:
    """Change the PIN of the one card there is."""
    readers = SimulatedReaders()
    visit = Visit(
        Workplace(
            card=readers.insert(fleet.site.made.card),
            authority=remote(lines, SystemEntropy(), SystemClock()),
            worker=InlineWorker(),
        )
    )
    visit.recognise()
    form = visit.begin(Kind.CHANGE)
    typed = {
        FieldName.OLD_PIN: Secret(old.encode()),
        FieldName.NEW_PIN: Secret(new.encode()),
    }
    return visit.submit(form, Answers(typed), lambda progress: None).outcome


def test_nothing_is_lost(processes: Processes, samba: SambaDomain) -> None:
    """A change has four calls; before each, both processes are restarted in turn."""
    fleet, old = processes.fleet, PIN
    for at, new in enumerate(PINS[:4]):
        with watched(fleet) as lines:
            lines.at, lines.act = at, processes.restart_all
            assert changed(fleet, lines, old, new) is Outcome.DONE
            assert lines.asked == 4
        assert samba.user_binds(fleet.site.user.upn, new)
        old = new
    verdict = subprocess.run(
        [KIOSK, "audit", "verify", "--config", str(fleet.site.config_file)],
        capture_output=True,
        text=True,
    )
    assert verdict.returncode == 0, verdict.stderr
    assert "Password writes: 4," in verdict.stdout


def test_one_process_is_enough(processes: Processes, samba: SambaDomain) -> None:
    """The one that prepared the visit goes away for good; the other one ends it."""
    fleet = processes.fleet
    with watched(fleet) as lines:
        lines.at, lines.act = 2, lambda: processes.end(fleet.ports[0])
        assert changed(fleet, lines, PIN, PINS[0]) is Outcome.DONE
    assert samba.user_binds(fleet.site.user.upn, PINS[0])
