"""What nobody has thought of, in the middle of a visit: what the record says then."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NoReturn, cast

import pytest
from lab.histories import OLD, History
from lab.liar import named

from kiosk.authority.errors import AuthorityAway
from kiosk.authority.escrow import puks
from kiosk.authority.values import PresenceChallenge
from kiosk.cards.piv.session import PivSession
from kiosk.core.errors import Message
from kiosk.core.workers import PendingJob
from kiosk.simulation.cards.faults import WrongStatus
from kiosk.simulation.domain.controller import SimulatedDc
from kiosk.visit.run import Run, Workplace
from kiosk.visit.views import Outcome
from statemachine.operation import Phase
from statemachine.puk import Known
from storage.records import Sync


class Bug(Exception):
    """A mistake of ours."""


def fails(*_: object, **__: object) -> NoReturn:
    raise Bug


@pytest.mark.parametrize("story", ["finish", "change", "unblock"])
def test_a_bug_in_the_write_leaves_it_out_of_step(
    story: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a finish, too, whose card was not touched: the password may have changed."""
    history = History(named(story))
    monkeypatch.setattr(SimulatedDc, "set_password", fails)
    with pytest.raises(Bug):
        history.attempt()
    events = list(history.world.registry.audit_events())
    (ended,) = [each for each in events if each.kind == "operation.out_of_step"]
    assert ended.result == "reason.interrupted"
    assert history.sync() is Sync.OUT_OF_STEP
    operation = history.world.registry.read(lambda it: it.operation(ended.operation))
    assert operation.phase is Phase.OUT_OF_STEP


@pytest.mark.parametrize("story", ["change", "activate", "unblock"])
def test_a_bug_beside_a_card_that_has_changed_leaves_it_out_of_step(
    story: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, and not at its next look."""
    history = History(named(story))
    monkeypatch.setattr(PivSession, "logout", fails)
    monkeypatch.setattr(PivSession, "leave", lambda _: None)
    with pytest.raises(Bug):
        history.attempt()
    assert history.card_pin() != history.story.pin
    assert history.sync() is Sync.OUT_OF_STEP


def test_a_puk_that_the_card_says_is_blocked_is_sent_no_more() -> None:
    """It was not known before: PIV cards do not tell."""
    history = History(named("unblock"))
    history.holder.made.card.set_tries(puk=0)
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.REFUSED
    puk = puks.of(history.world.credential("alice").escrow)
    assert (puk.known, puk.left) == (Known.USED_UP, 0)


class AtOnce:
    def submit(self, job: Callable[[], Any]) -> PendingJob[Any]:
        done: PendingJob[Any] = PendingJob()
        done.run(job)
        return done


def test_each_proof_of_a_card_has_a_challenge_of_its_own() -> None:
    """What came with the record is signed once: a used nonce proves nothing."""
    came, asked = (
        PresenceChallenge(nonce=nonce, message=b"said", algorithm="P-256")
        for nonce in (b"1", b"2")
    )
    case = SimpleNamespace(presence=came, credential="c")
    authority = SimpleNamespace(challenge_presence=lambda _: asked)
    workplace = Workplace(
        card=cast("Any", None), authority=cast("Any", authority), worker=AtOnce()
    )
    run = Run(workplace, cast("Any", None), cast("Any", case), lambda _: None)
    session = cast("Any", SimpleNamespace(sign=lambda *_: b"signed"))
    nonces = [run.prove_presence(session)[0] for _ in range(3)]
    assert nonces == [b"1", b"2", b"2"], "the last two were asked for anew"


class Late(PendingJob[Any]):
    """An answer that does, or does not, come within the time that it has."""

    __slots__ = ("asked", "comes")

    def __init__(self, *, comes: bool) -> None:
        super().__init__()
        self.comes, self.asked = comes, list[str]()

    def wait(self, seconds: float | None = None) -> bool:
        self.asked.append(f"waited {seconds} s")
        return self.comes

    def result(self) -> None:
        self.asked.append("heard")
        raise Bug


@pytest.mark.parametrize("comes", [True, False])
def test_the_end_of_a_visit_waits_for_nobody_for_ever(*, comes: bool) -> None:
    """Whatever it comes to: the mark that was made before says the same."""
    ended = Late(comes=comes)
    worker = SimpleNamespace(submit=lambda _: ended)
    workplace = Workplace(
        card=cast("Any", None), authority=cast("Any", None), worker=cast("Any", worker)
    )
    case = SimpleNamespace(presence=None)
    run = Run(workplace, cast("Any", None), cast("Any", case), lambda _: None)
    run.leave_out_of_step(Message("reason.interrupted"))
    assert ended.asked == ["waited 10.0 s", *(["heard"] if comes else [])]


def test_who_was_not_answered_is_asked_nothing_more() -> None:
    """Whatever a step makes of that: its person has waited for one call already."""
    calls: list[str] = []

    def silent(_: str) -> NoReturn:
        calls.append("asked")
        raise AuthorityAway

    authority = SimpleNamespace(card_changing=silent, challenge_presence=silent)
    workplace = Workplace(
        card=cast("Any", None), authority=cast("Any", authority), worker=AtOnce()
    )
    case = SimpleNamespace(presence=None, credential="c")
    run = Run(workplace, cast("Any", None), cast("Any", case), lambda _: None)
    for _ in range(2):
        with pytest.raises(AuthorityAway):
            run.ask(lambda it: it.card_changing("o"))
    with pytest.raises(AuthorityAway):
        run.write(b"", card_may_go=True)
    assert calls == ["asked"]


@pytest.mark.parametrize("sw", [0x63C2, 0x6983, 0x6A80, 0x6985, 0x6D00], ids=hex)
def test_a_card_that_says_no_has_changed_nothing(sw: int) -> None:
    """Whichever no it is, to a PIN that it has taken a moment before."""
    history = History(named("change"))
    result = history.attempt(
        lambda world: world.readers.faults.set(WrongStatus(ins=0x24, sw=sw))
    )
    assert result is not None
    assert result.outcome is Outcome.REFUSED
    assert history.card_pin() == OLD
    assert history.is_in_step()
