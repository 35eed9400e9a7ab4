"""Both processes of an authority stand still before each call of a visit: they take
what comes and answer nothing. The person is told soon what is known, and what the
processes do once they go on is in step with it, or comes home.
"""

from __future__ import annotations

import itertools
import logging
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from lab.domain.samba import SambaDomain
from lab.realsite import PIN
from lab.servers import postgres
from lab.servers.counted import Asked, Counted
from lab.servers.fleet import Fleet, founded, stop

from kiosk import bootstrap
from kiosk.authority.client.line import HttpAnswer
from kiosk.authority.client.lines import Lines
from kiosk.authority.client.remote import remote
from kiosk.authority.errors import AuthorityAway, TooSlow
from kiosk.authority.escrow import approvals
from kiosk.bootstrap import lines_of
from kiosk.config import FleetStation, load_any
from kiosk.core.clock import SystemClock
from kiosk.core.entropy import SystemEntropy
from kiosk.core.secret import Secret
from kiosk.core.workers import PendingJob, SerialWorker
from kiosk.simulation.cards.reader import SimulatedReaders
from kiosk.visit.run import Workplace
from kiosk.visit.views import Answers, FieldName, Outcome, Result
from kiosk.visit.visit import Visit
from statemachine.operation import Kind
from storage.records import ApprovalKind

pytestmark = [
    pytest.mark.long,
    pytest.mark.samba,
    pytest.mark.slow,
]

log = logging.getLogger(__name__)


@dataclass
class StandStill(Counted):
    """All processes are stopped before the call `at`."""

    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    begun: float = 0.0
    """When the call was made that they do not answer."""

    def asks(self, call: Asked) -> HttpAnswer:
        if self.is_watching and call.number == self.at:
            for each in self.processes:
                each.send_signal(signal.SIGSTOP)
            self.begun = time.monotonic()
        return call.really()

    def go_on(self) -> None:
        for each in self.processes:
            each.send_signal(signal.SIGCONT)


class Kiosk:
    """A station of the fleet, and its one card."""

    def __init__(self, fleet: Fleet, stands: StandStill) -> None:
        config = load_any(fleet.config_file)
        assert isinstance(config, FleetStation)
        self._fleet, self._stands = fleet, stands
        self._lines = lines_of(config)
        self._lines.__class__ = stands.lines()
        assert isinstance(self._lines, Lines)
        self._pins = (f"{it:06d}" for it in itertools.count(314159, 7919))
        self.card = fleet.site.made.card
        self.pin = PIN
        self._tried = PIN
        self._left: list[tuple[SerialWorker, PendingJob[None]]] = []

    def visit(self, kind: Kind | None = None) -> Result | None:
        """Make a visit; None: its answer did not come before there was a form.

        Without `kind`: the first that the kiosk offers.
        """
        readers = SimulatedReaders()
        worker = SerialWorker("authority")
        visit = Visit(
            Workplace(
                card=readers.insert(self.card),
                authority=remote(self._lines, SystemEntropy(), SystemClock()),
                worker=worker,
            )
        )
        try:
            home = visit.recognise()
            wanted = kind or next(it.kind for it in home.actions if it.reason is None)
            form = visit.begin(wanted)
            typed = {name: self._typed(name) for name in form.fields}
            self._stands.begin()
            return visit.submit(
                form, Answers(typed, confirmed=True), lambda progress: None
            )
        finally:
            visit.close()
            self._stands.is_watching = False
            self._left.append((worker, worker.submit(self._lines.close)))

    def end(self) -> None:
        """Wait for what was left to the workers of earlier visits."""
        while self._left:
            worker, closed = self._left.pop()
            closed.result()
            worker.stop()

    def is_in_step(self, samba: SambaDomain) -> bool:
        """Say whether the card's own PIN is the one that the directory takes."""
        known = (self.pin, self._tried)
        self.pin = next(pin for pin in known if self.card.has_pin(pin.encode()))
        return samba.user_binds(self._fleet.site.user.upn, self.pin)

    def _typed(self, name: FieldName) -> Secret:
        if name is FieldName.NEW_PIN:
            self._tried = next(self._pins)
            return Secret(self._tried.encode())
        if name is FieldName.RELEASE_CODE:
            return self._code()
        return Secret(self.pin.encode())

    def _code(self) -> Secret:
        parts = bootstrap.parts_of(self._fleet.site.config)
        try:
            (credential,) = parts.registry.read(lambda view: view.credentials(limit=2))
            return approvals.issue_code(
                parts,
                credential=credential.id,
                kind=ApprovalKind.RELEASE,
                operator="ada",
                station="helpdesk-1",
                valid_for=approvals.RELEASE_SECONDS,
                last_try=False,
            )
        finally:
            parts.registry.close()


@pytest.fixture
def fleet(tmp_path: Path, samba: SambaDomain) -> Fleet:
    return founded(tmp_path, samba, ports=2, postgresql=postgres.server().database())


@pytest.fixture
def stands(fleet: Fleet) -> Iterator[StandStill]:
    still = StandStill(processes=[fleet.start(port) for port in fleet.ports])
    try:
        yield still
    finally:
        still.go_on()
        for process in still.processes:
            stop(process)


@pytest.mark.usefixtures("hashes_as_shipped")
@pytest.mark.parametrize("kind", [Kind.CHANGE, Kind.UNBLOCK])
def test_before_each_call(
    fleet: Fleet, stands: StandStill, samba: SambaDomain, kind: Kind
) -> None:
    kiosk = Kiosk(fleet, stands)
    for number in itertools.count():
        if kind is Kind.UNBLOCK:
            kiosk.card.set_tries(pin=0)
        stands.at, stands.begun = number, 0.0
        result = kiosk.visit(kind)
        waited = time.monotonic() - stands.begun
        assert result is not None
        if not stands.begun:
            assert result.outcome is Outcome.DONE
            kiosk.end()
            break
        log.info("call %d: %s after %.1f s", number, result.outcome, waited)
        assert result.outcome in (Outcome.REFUSED, Outcome.OUT_OF_STEP)
        said = {it.key for it in (result.headline, *result.facts)}
        assert said & {AuthorityAway.code, TooSlow.code}, "while a card is held: either"
        stands.at = -1
        stands.go_on()
        kiosk.end()
        comes_home(kiosk, samba)
    assert number >= 3, "each of its calls was once not answered"


def comes_home(kiosk: Kiosk, samba: SambaDomain) -> None:
    """Visit until it is so; a write that was begun is waited for."""
    for _ in range(60):
        if kiosk.card.pin_tries_left and kiosk.is_in_step(samba):
            return
        try:
            kiosk.visit()
        except StopIteration:
            time.sleep(1)  # nothing is offered while a write may be under way
        finally:
            kiosk.end()
    raise AssertionError("no way home")
