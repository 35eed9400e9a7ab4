"""A write that takes long is waited for while an address says that it is at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from lab.histories import History
from lab.liar import LIMITS, Liar, named

from kiosk.authority.client.line import HttpAnswer
from kiosk.authority.client.lines import CALL_SECONDS, Lines
from kiosk.authority.client.remote import JSON, MARGIN_SECONDS, PATH, remote
from kiosk.authority.errors import AuthorityAway, AuthorityNotTrusted
from kiosk.authority.local import LocalAuthority
from kiosk.authority.operation import writing
from kiosk.authority.ports import Authority
from kiosk.authority.values import (
    OperationOutcome,
    Prepared,
    PrepareRequest,
    Verdict,
    WriteVerdict,
)
from kiosk.core.clock import ManualClock
from kiosk.core.entropy import SeededEntropy
from kiosk.core.errors import Message
from kiosk.simulation.domain.controller import SimulatedDc
from kiosk.texts import sentence
from kiosk.visit import results
from kiosk.visit.run import Run
from statemachine.operation import Kind, Phase

SILENT = None
WRITTEN = WriteVerdict(verdict=Verdict.DONE, dc="dc1")


OUT, NO = (Verdict.OUT_OF_STEP,), (Verdict.REFUSED,)
WRITE_REFUSED = "reason.write_refused"


def stands(
    phase: Phase, *, is_ended: bool = False, reason: str = ""
) -> OperationOutcome:
    return OperationOutcome(event="1", phase=phase, reason=reason, is_ended=is_ended)


class Told:
    """`Lines` to somebody who says what it was told to, or nothing in all the time."""

    def __init__(self, clock: ManualClock, prepared: Prepared) -> None:
        self._clock, self._prepared = clock, prepared
        self.write: Iterator[object] = iter(())
        self.outcome: Iterator[object] = iter(())
        self.asked: list[str] = []
        self.keys: list[str] = []

    def ask(
        self, path: str, headers: Mapping[str, str], body: bytes, **seconds: float
    ) -> HttpAnswer:
        name = path.removeprefix(PATH)
        said: object = self._prepared
        if name != "prepare":
            self.asked.append(name)
            said = next(getattr(self, name))
        if name == "write":
            self.keys.append(headers["idempotency-key"])
        if said is SILENT:
            self._clock.advance(seconds["within"])
            raise AuthorityAway
        if isinstance(said, Exception):
            raise said
        return HttpAnswer(200, JSON, msgspec.json.encode({"answer": said}), "")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def told(clock: ManualClock) -> Told:
    return Told(clock, Liar(History(named("change")), Kind.CHANGE).prepared)


@pytest.fixture
def station(told: Told, clock: ManualClock) -> Authority:
    """A station that has prepared an operation."""
    port = remote(cast("Lines", told), SeededEntropy(1), clock)
    history = History(named("change"))
    port.prepare(
        PrepareRequest(
            credential="c",
            kind=Kind.CHANGE,
            seen=history.seen(LIMITS),
            announced=history.announced(LIMITS),
        )
    )
    return port


def test_what_is_under_way_is_waited_for(told: Told, station: Authority) -> None:
    """It is not asked for again meanwhile: that would keep another of their threads."""
    told.write = iter((SILENT, WRITTEN))
    at_it = [stands(Phase.WRITING)] * 3
    told.outcome = iter((*at_it, stands(Phase.DONE, is_ended=True)))
    assert station.write(told._prepared.operation, b"sealed") == WRITTEN
    assert told.asked == ["write", *["outcome"] * 4, "write"]
    assert len(set(told.keys)) == 1, "it is the same call"


def test_what_was_refused_is_heard_though_the_way_back_is_under_way(
    told: Told, station: Authority
) -> None:
    refused = WriteVerdict(verdict=Verdict.REFUSED, roll_back=True)
    told.write = iter((SILENT, refused))
    told.outcome = iter((stands(Phase.ROLLING_BACK),))
    assert station.write(told._prepared.operation, b"sealed") == refused


def test_what_nobody_has_heard_is_asked_for_once_more(
    told: Told, station: Authority
) -> None:
    told.write = iter((SILENT, WRITTEN))
    told.outcome = iter((stands(Phase.CARD_CHANGING),))
    assert station.write(told._prepared.operation, b"sealed") == WRITTEN


def test_and_then_no_more_until_it_has_ended(told: Told, station: Authority) -> None:
    told.write = iter((SILENT, SILENT, WRITTEN))
    not_begun = stands(Phase.CARD_CHANGING)
    ended = stands(Phase.DONE, is_ended=True)
    told.outcome = iter((not_begun, not_begun, not_begun, ended))
    assert station.write(told._prepared.operation, b"sealed") == WRITTEN
    assert told.asked.count("write") == 3


def test_where_nobody_says_anything_the_end_is_soon(
    told: Told, station: Authority, clock: ManualClock
) -> None:
    told.write, told.outcome = iter((SILENT,)), iter((SILENT,))
    with pytest.raises(AuthorityAway):
        station.write(told._prepared.operation, b"sealed")
    assert clock.monotonic() < 2 * CALL_SECONDS


def test_what_stays_under_way_is_not_waited_for_longer_than_it_may_take(
    told: Told, station: Authority, clock: ManualClock
) -> None:
    """Whoever wrote died in the middle; another process can say no more than that."""

    def for_ever() -> Iterator[object]:
        while True:
            yield stands(Phase.WRITING)

    told.write, told.outcome = iter((SILENT,)), for_ever()
    known = station.write(told._prepared.operation, b"sealed")
    assert (known.verdict, known.roll_back) == (Verdict.OUT_OF_STEP, False)
    assert known.reason == Message("reason.no_answer"), "the authority is not away"
    most = told._prepared.write_seconds + MARGIN_SECONDS
    assert most <= clock.monotonic() < most + 1


@pytest.mark.parametrize(
    ("phase", "reason", "verdict", "says", "roll_back"),
    [
        (Phase.DONE, "", Verdict.DONE, "", False),
        (Phase.OUT_OF_STEP, "reason.not_seen", *OUT, "reason.not_seen", False),
        (Phase.ROLLING_BACK, "condition.disabled", *NO, "condition.disabled", True),
        (Phase.ROLLING_BACK, "directory.refusal.other", *NO, WRITE_REFUSED, True),
        (Phase.REFUSED, "reason.sealed_swapped", *NO, "reason.sealed_swapped", False),
    ],
)
def test_what_is_known_is_told_where_its_own_answer_never_comes(
    told: Told,
    station: Authority,
    phase: Phase,
    reason: str,
    verdict: Verdict,
    says: str,
    *,
    roll_back: bool,
) -> None:
    """So a card that is to have its old PIN again gets it, and nobody reads that it is
    not known what was heard.
    """
    told.write = iter((SILENT, SILENT))
    ended = phase is not Phase.ROLLING_BACK
    told.outcome = iter((stands(phase, is_ended=ended, reason=reason),))
    known = station.write(told._prepared.operation, b"sealed")
    assert (known.verdict, known.roll_back) == (verdict, roll_back)
    assert known.reason == (Message(says) if says else None)
    for each in filter(None, (known.reason, *known.warnings)):
        assert sentence(each), "whatever was lost, it can be said"


def test_done_without_its_words_is_not_said_to_have_been_tried(
    told: Told, station: Authority
) -> None:
    told.write = iter((SILENT, SILENT))
    told.outcome = iter((stands(Phase.DONE, is_ended=True),))
    known = station.write(told._prepared.operation, b"sealed")
    run = SimpleNamespace(said=(), event="1")
    result = results.written(cast("Run", run), Kind.CHANGE, known)
    keys = [each.key for each in result.facts]
    assert keys == [
        "result.fact.card_changed",
        "result.fact.password_set",
        "notice.words_lost",
    ]


def test_who_cannot_be_trusted_is_asked_nothing_more(
    told: Told, station: Authority
) -> None:
    told.write = iter((AuthorityNotTrusted(address="a"),))
    with pytest.raises(AuthorityNotTrusted):
        station.write(told._prepared.operation, b"sealed")
    assert told.asked == ["write"]


# --- and at the authority ------------------------------------------------------------


def test_a_write_that_another_process_began_meanwhile_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both have heard it, and neither had begun: one sends, and the other says what
    became of it, not that there is nothing to be written.
    """
    liar = Liar(History(named("change")), Kind.CHANGE)
    sealed = liar.sealed()
    liar.authorise(sealed)
    liar.port.card_changing(liar.id)
    parts = liar.history.world.parts
    before, run, send = liar.operation, writing.write, SimulatedDc.set_password
    heard: list[Verdict] = []

    def meanwhile(dc: SimulatedDc, *args: Any, **named: Any) -> None:
        """The other process hears the same call, as if it had come before the mark."""
        monkeypatch.setattr(SimulatedDc, "set_password", send)
        monkeypatch.setattr(
            writing,
            "write",
            lambda parts, once, _, sealed: run(parts, once, before, sealed),
        )
        heard.append(same_call().write(liar.id, sealed).verdict)
        send(dc, *args, **named)

    def same_call() -> LocalAuthority:
        return LocalAuthority(parts, "kiosk-1", "the same call")

    monkeypatch.setattr(SimulatedDc, "set_password", meanwhile)
    same_call().write(liar.id, sealed)
    assert heard == [Verdict.OUT_OF_STEP], "it waited until nobody can be sending"
