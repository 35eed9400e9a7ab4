"""A station that does what a test tells it: every moment of a visit, held still.

The screens see the two ports only (`station.Station`, `visit.views.VisitPort`), so
this stands in for card, authority and directory where a test is about *when*
something happens: a card pulled while a job runs, an answer that comes too late, a
second card in the middle. Jobs run on real `SerialWorker`s.

    station = FakeStation()
    station.script.hold("submit")        # the operation stays under way …
    card = station.insert()
    …
    station.pull(card)                   # … while its card is pulled,
    station.script.go_on("submit")       # … and then ends
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Literal, cast

from kiosk.authority.values import StationFault
from kiosk.cards.ports import Card, CardInserted, ReaderEvent
from kiosk.cards.values import (
    CardLeft,
    CardUnreadable,
    ReadersChanged,
    ServiceLost,
    Tries,
)
from kiosk.core.errors import Message
from kiosk.core.workers import SerialWorker
from kiosk.pin.alphabet import Alphabet
from kiosk.pin.rules import PinRules
from kiosk.visit.station import FaceSettings, Helpdesk
from kiosk.visit.views import (
    ActionOffer,
    Answers,
    FieldName,
    Form,
    Home,
    Outcome,
    Progress,
    Result,
    StepState,
    VisitStep,
)
from statemachine.lifecycle import State
from statemachine.operation import Kind
from storage.records import Sync

SETTINGS = FaceSettings(
    station="kiosk-1",
    title="Card PIN kiosk",
    helpdesk=Helpdesk(contact="Helpdesk, extension 4711", hours="Mon–Fri 7–18"),
)
HOME = Home(
    credential="c1",
    person="Alice Arnold",
    account="alice@ad.test",
    state=State.ACTIVE,
    sync=Sync.IN_STEP,
    tries=Tries(3, 3),
    headline=Message("home.headline.active"),
    notices=(),
    actions=(
        ActionOffer(Kind.CHANGE, allowed=True, reason=None, recommended=True),
        ActionOffer(Kind.UNBLOCK, allowed=True, reason=None, recommended=False),
        ActionOffer(
            Kind.FINISH,
            allowed=False,
            reason=Message("stop.suspended"),
            recommended=False,
        ),
    ),
)
RULES = PinRules(minimum=6, maximum=8, alphabet=Alphabet.DIGITS)


def form(kind: Kind = Kind.CHANGE, *fields: FieldName, **changes: object) -> Form:
    """Return a form; a change of the PIN where nothing else is said."""
    values: dict[str, object] = {
        "kind": kind,
        "fields": fields or (FieldName.OLD_PIN, FieldName.NEW_PIN),
        "rules": RULES,
        "old_limits": (6, 8),
        "tries": Tries(3, 3),
        "password_follows": True,
        "notices": (),
        "confirm": None,
    }
    return Form(**(values | changes))  # type: ignore[arg-type]  # a test's own fields


def result(outcome: Outcome = Outcome.DONE, **changes: object) -> Result:
    """Return a result; a change that went well where nothing else is said."""
    headline = {
        Outcome.DONE: "result.headline.change",
        Outcome.CARD_ONLY: "result.headline.change_card_only",
        Outcome.REFUSED: "card.removed",
        Outcome.ROLLED_BACK: "result.headline.rolled_back",
        Outcome.OUT_OF_STEP: "result.headline.out_of_step",
    }[outcome]
    values: dict[str, object] = {
        "outcome": outcome,
        "headline": Message(headline, {"reader": "reader"}),
        "event": "1234-5678",
    }
    return Result(**(values | changes))  # type: ignore[arg-type]  # a test's own fields


Call = Literal["recognise", "begin", "submit", "health"]


@dataclass
class Script:
    """What the next visits say and do."""

    home: Home = HOME
    form: Form = field(default_factory=form)
    result: Result = field(default_factory=result)
    steps: tuple[Progress, ...] = (
        Progress(VisitStep.PROVE, StepState.RUNNING),
        Progress(VisitStep.PROVE, StepState.DONE),
    )
    errors: dict[Call, Exception] = field(default_factory=dict)
    """What a call raises instead of answering."""
    reached: dict[Call, threading.Event] = field(default_factory=dict)
    _gates: dict[Call, threading.Event] = field(default_factory=dict)

    def hold(self, call: Call) -> None:
        """Let the call wait, on its worker, until `go_on`."""
        self._gates[call], self.reached[call] = threading.Event(), threading.Event()

    def go_on(self, call: Call) -> None:
        """Let it go on, and never wait again."""
        self._gates.pop(call).set()

    def play(self, call: Call) -> None:
        """Called by the fakes: wait if held, fail if told to."""
        gate = self._gates.get(call)
        if gate is not None:
            self.reached[call].set()
            if not gate.wait(30):
                raise AssertionError(f"{call} was held and never let go")
        if call in self.errors:
            raise self.errors[call]

    def end(self) -> None:
        """Let everything go that is still held."""
        for call in tuple(self._gates):
            self.go_on(call)


class FakeVisit:
    """`visit.views.VisitPort`, played from the script."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.calls: list[str] = []
        self.typed: dict[FieldName, bytes] = {}
        """What `submit` was given, kept for the test."""
        self.was_confirmed = False

    def recognise(self) -> Home:
        self.calls.append("recognise")
        home = self._script.home
        self._script.play("recognise")
        return home

    def begin(self, kind: Kind) -> Form:
        self.calls.append(f"begin {kind}")
        self._script.play("begin")
        return self._script.form

    def leave(self) -> None:
        """Nothing is held."""

    def submit(
        self, form: Form, answers: Answers, emit: Callable[[Progress], None]
    ) -> Result:
        self.calls.append("submit")
        self.typed = {name: bytes(it.reveal()) for name, it in answers.values.items()}
        self.was_confirmed = answers.confirmed
        answers.wipe()
        for step in self._script.steps:
            emit(step)
        self._script.play("submit")
        return self._script.result

    def close(self) -> None:
        self.calls.append("close")


class FakeStation:
    """`station.Station`, and the hands that insert and pull."""

    def __init__(self, settings: FaceSettings = SETTINGS) -> None:
        self.script = Script()
        self.visits: list[FakeVisit] = []
        self.faults: tuple[StationFault, ...] = ()
        self.health_asked = 0
        self._settings = settings
        self._emit: Callable[[ReaderEvent], None] | None = None
        self._insertions = 0
        self._card_worker = SerialWorker("fake card")
        self._authority_worker = SerialWorker("fake authority")
        self._errand_worker = SerialWorker("fake errands")

    # --- station.Station ----------------------------------------------------------

    @property
    def settings(self) -> FaceSettings:
        return self._settings

    def start(self, emit: Callable[[ReaderEvent], None]) -> None:
        self._emit = emit
        emit(ReadersChanged(("reader",)))

    def health(self) -> tuple[StationFault, ...]:
        self.health_asked += 1
        self.script.play("health")
        return self.faults

    def visit(self, card: Card) -> FakeVisit:
        self.visits.append(FakeVisit(self.script))
        return self.visits[-1]

    def on_card_worker(self, job: Callable[[], None]) -> None:
        self._card_worker.post(job)

    def on_authority_worker(self, job: Callable[[], None]) -> None:
        self._authority_worker.post(job)

    def beside(self, job: Callable[[], None]) -> None:
        self._errand_worker.post(job)

    def stop(self) -> None:
        self.script.end()
        self._card_worker.stop()
        self._authority_worker.stop()
        self._errand_worker.stop()

    # --- hands ----------------------------------------------------------------------

    def insert(self) -> int:
        """Insert a new card; return its insertion."""
        self._insertions += 1
        card = SimpleNamespace(insertion=self._insertions, reader="reader")
        self.says(CardInserted(cast(Card, card)))
        return self._insertions

    def pull(self, insertion: int) -> None:
        """Pull that card."""
        self.says(CardLeft(insertion))

    def insert_wrongly(self) -> None:
        """Insert something that does not answer."""
        self.says(CardUnreadable("reader"))

    def lose_service(self) -> None:
        """Stop the PC/SC service."""
        self.says(ServiceLost("gone"))

    def have_readers(self, *names: str) -> None:
        """Say which readers there are."""
        self.says(ReadersChanged(names))

    def says(self, event: ReaderEvent) -> None:
        """Let the monitor say something."""
        if self._emit is None:
            raise AssertionError("nobody watches the readers yet")
        self._emit(event)
