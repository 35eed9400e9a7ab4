"""A demo session written down as a scenario that can be played again.

Everything in a demo is simulated, so the PINs that end up in the file are those of
simulated people. What was shown becomes what is expected.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from kiosk.authority.values import StationFault
from kiosk.cards.ports import Card, ReaderEvent
from kiosk.config.render import toml_value
from kiosk.core.errors import KioskError, reason_of
from kiosk.faces.demo_deck import DemoCard
from kiosk.simulation.demo import CAST, Demo, Role
from kiosk.simulation.rehearsal import steps
from kiosk.simulation.rehearsal.given import GivenAccount, GivenCard
from kiosk.visit.station import FaceSettings
from kiosk.visit.views import Answers, Form, Home, Progress, Result, VisitPort
from statemachine.lifecycle import State
from statemachine.operation import Kind
from storage.records import FirstPin, Sync

CODE = "code"
"""Under which name a code that was given is kept."""


class NotRecorded(KioskError):
    """The file could not be written: `file`, `reason`."""

    code = "rehearsal.not_recorded"


class Recorder:
    """`station.Station` and `demo_deck.DemoDeck` that write down what happens."""

    def __init__(self, demo: Demo) -> None:
        self._demo = demo
        self.steps: list[steps.ScenarioStep] = []
        self._used: set[str] = set()

    # --- demo_deck.DemoDeck -------------------------------------------------------

    @property
    def cards(self) -> tuple[DemoCard, ...]:
        return self._demo.cards

    def insert(self, index: int) -> None:
        name = CAST[index].name if index < len(CAST) else "stranger"
        self._used.add(name)
        self.steps.append(steps.Insert(card=name))
        self._demo.insert(index)

    def pull(self) -> None:
        self.steps.append(steps.Pull())
        self._demo.pull()

    def release_code(self) -> str:
        said = self._demo.release_code()
        inserted = [each for each in self.steps if isinstance(each, steps.Insert)]
        role = next((r for r in CAST if inserted and r.name == inserted[-1].card), None)
        if role is not None:
            is_new = self._demo.needs_activation(role.name)
            kind = "activation" if is_new else "release"
            given = steps.HandOut(card=role.name, code=kind, keep=CODE)
            self.steps.append(given)
        return said

    def note(self) -> str:
        return self._demo.note()

    # --- station.Station ----------------------------------------------------------

    @property
    def settings(self) -> FaceSettings:
        return self._demo.world.settings

    def start(self, emit: Callable[[ReaderEvent], None]) -> None:
        self._demo.world.start(emit)

    def health(self) -> tuple[StationFault, ...]:
        return self._demo.world.health()

    def visit(self, card: Card) -> VisitPort:
        return RecordingVisit(self._demo.world.visit(card), self.steps)

    def on_card_worker(self, job: Callable[[], None]) -> None:
        self._demo.world.on_card_worker(job)

    def on_authority_worker(self, job: Callable[[], None]) -> None:
        self._demo.world.on_authority_worker(job)

    def beside(self, job: Callable[[], None]) -> None:
        self._demo.world.beside(job)

    def stop(self) -> None:
        self._demo.world.stop()

    # --- writing ------------------------------------------------------------------

    def write(self, path: Path) -> None:
        """Write the scenario, over nothing. NotRecorded."""
        lines = list(self._lines())
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write("\n".join(lines) + "\n")
        except OSError as error:
            reason = reason_of(error)
            raise NotRecorded(file=str(path), reason=reason) from error

    def _lines(self) -> Iterable[str]:
        yield 'title = "A recorded session"'
        yield 'story = "Recorded in the demo."'
        roles = [role for role in CAST if role.name in self._used]
        yield '\n[[templates]]\nname = "staff"'
        by_code = toml_value(FirstPin.ACTIVATION_CODE)
        yield f'\n[[templates]]\nname = "by code"\nfirst_pin = {by_code}'
        for role in roles:
            yield "\n[[accounts]]"
            yield from _fields(_account(role))
        for role in roles:
            yield "\n[[cards]]"
            yield from _fields(_card(role))
        if "stranger" in self._used:
            yield "\n[[cards]]"
            stranger = GivenCard(name="stranger", pin="111222")
            yield from _fields(stranger)
        for step in self.steps:
            yield "\n[[steps]]"
            yield f"do = {toml_value(str(type(step).__struct_config__.tag))}"
            yield from _fields(step)


class RecordingVisit:
    """`views.VisitPort` that writes down what was chosen, typed and shown."""

    def __init__(self, visit: VisitPort, steps: list[steps.ScenarioStep]) -> None:
        self._visit = visit
        self._steps = steps

    def recognise(self) -> Home:
        home = self._visit.recognise()
        allowed = tuple(offer.kind for offer in home.actions if offer.allowed)
        shown = steps.Expect(home=home.headline.key, allowed=allowed)
        if not self._steps or self._steps[-1] != shown:
            self._steps.append(shown)
        return home

    def begin(self, kind: Kind) -> Form:
        self._steps.append(steps.Choose(action=kind))
        return self._visit.begin(kind)

    def leave(self) -> None:
        self._visit.leave()

    def submit(
        self, form: Form, answers: Answers, emit: Callable[[Progress], None]
    ) -> Result:
        typed = {
            name: f"@{CODE}" if name.endswith("_code") else value.reveal().decode()
            for name, value in answers.values.items()
        }
        self._steps.append(steps.Type(values=typed, confirm=answers.confirmed))
        result = self._visit.submit(form, answers, emit)
        self._steps.append(
            steps.Expect(outcome=result.outcome, headline=result.headline.key)
        )
        return result

    def close(self) -> None:
        self._visit.close()


def _account(role: Role) -> GivenAccount:
    return GivenAccount(
        name=role.name,
        display_name=role.person,
        password=(role.password or role.pin).decode(),
        privileged=role.privileged,
    )


def _card(role: Role) -> GivenCard:
    return GivenCard(
        name=role.name,
        account=role.name,
        pin=role.pin.decode(),
        template=role.template,
        state=role.state,
        sync=Sync.NEVER if role.state is State.ISSUED else role.sync,
        tries_left=role.tries,
    )


def _fields(record: msgspec.Struct) -> Iterable[str]:
    """Yield what has no default, or differs from it, as TOML."""
    for field in msgspec.structs.fields(type(record)):
        value = getattr(record, field.name)
        if value is not None and value != field.default:
            yield f"{field.name} = {toml_value(value)}"
