"""Two things go wrong around one write, each of which somebody has thought of alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace as remade
from hashlib import sha256
from typing import Any

import pytest
from lab.histories import NEW, History
from lab.liar import LIMITS, Liar, named
from msgspec.structs import replace

from kiosk.authority.errors import NotOnRecord, ProofFailed
from kiosk.authority.operation import prepare, transitions
from kiosk.authority.operation.authorised_time import WRITE_SECONDS
from kiosk.authority.operation.sync_decision import SyncDecision
from kiosk.authority.required_ports import SEND_SECONDS
from kiosk.authority.rules import in_step
from kiosk.authority.rules.account_snapshot import AccountSnapshot
from kiosk.authority.values import (
    Announced,
    OpenRequest,
    Seen,
    SeenCard,
    SeenMark,
    ToldSeen,
    Verdict,
)
from kiosk.core.clock import ManualClock
from kiosk.core.secret import Secret
from kiosk.directory.errors import OutcomeUnknown
from kiosk.directory.values import Account, BindResult
from kiosk.pin.alphabet import Alphabet
from kiosk.pin.rules import PinRules
from kiosk.simulation.domain.controller import SimulatedDc
from kiosk.simulation.domain.state import Dc
from kiosk.simulation.domain_faults import DcDown
from kiosk.visit.views import Outcome
from statemachine.operation import Kind, Phase
from storage.records import ApprovalKind, NoncePurpose, Sync

FIRST, OTHER = "dc1.ad.test", "dc2.ad.test"
THEIRS = b"Helpdesk-4711"
RULES = PinRules(minimum=6, maximum=8, alphabet=Alphabet.DIGITS)
Happens = Callable[[SimulatedDc, Callable[[], None]], None]


@pytest.fixture(name="history")
def _history() -> History:
    """One who changes their PIN, and a domain of two controllers."""
    history = History(named("change"))
    state = history.domain._state
    state.dcs = (*state.dcs, Dc(OTHER, "origin-of-the-other"))
    history.domain.replicate()
    return history


def at_the_write(patch: pytest.MonkeyPatch, happens: Happens) -> None:
    """Let it happen in place of the modify, which it may send."""
    send = SimulatedDc.set_password

    def sent(dc: SimulatedDc, *args: Any, **named: Any) -> None:
        happens(dc, lambda: send(dc, *args, **named))

    patch.setattr(SimulatedDc, "set_password", sent)


def never_in_step_by_mistake(history: History) -> None:
    """What the domain itself keeps is the truth; an old password binds for an hour."""
    user = history.domain._dc(FIRST).user(history.holder.account_guid)
    with Secret(history.card_pin()) as pin:
        is_same = user.knows(pin)
    assert is_same or history.sync() is not Sync.IN_STEP


# --- an answer is lost, and … ---------------------------------------------------------


def test_another_resets_it_there_and_that_controller_dies(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other controller has ours and not theirs: it must not be asked instead."""
    guid, domain = history.holder.account_guid, history.domain

    def happens(dc: SimulatedDc, send: Callable[[], None]) -> None:
        send()
        domain.replicate()
        domain.change_elsewhere(guid, Secret(THEIRS), dc=dc.name)
        domain.fail(DcDown(dc=dc.name))
        raise OutcomeUnknown(dc=dc.name)

    at_the_write(monkeypatch, happens)
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.OUT_OF_STEP
    never_in_step_by_mistake(history)


def test_the_controller_dies_between_the_bind_and_the_second_look(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It bound, and who set it since then is not known."""
    guid, domain = history.holder.account_guid, history.domain
    verify = SimulatedDc.verify_password

    def happens(dc: SimulatedDc, send: Callable[[], None]) -> None:
        send()
        raise OutcomeUnknown(dc=dc.name)

    def bound(dc: SimulatedDc, account: Account, password: Secret) -> BindResult:
        said = verify(dc, account, password)
        assert said is BindResult.OK
        domain.change_elsewhere(guid, Secret(THEIRS), dc=dc.name)
        domain.fail(DcDown(dc=dc.name))
        return said

    at_the_write(monkeypatch, happens)
    monkeypatch.setattr(SimulatedDc, "verify_password", bound)
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.OUT_OF_STEP
    never_in_step_by_mistake(history)


def test_nothing_was_written_while_somebody_only_touched_its_time(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the PIN is the password before theirs, which binds for an hour still."""
    guid, domain = history.holder.account_guid, history.domain
    for password in (NEW, THEIRS):
        domain.change_elsewhere(guid, Secret(password))

    def happens(dc: SimulatedDc, _send: Callable[[], None]) -> None:
        user = dc._dc.user(guid)
        user.move(user.account.pwd_last_set + 1, dc._state.signed(dc._dc))
        with Secret(NEW) as new:
            assert dc.verify_password(user.account, new) is BindResult.OK
        raise OutcomeUnknown(dc=dc.name)

    at_the_write(monkeypatch, happens)
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.OUT_OF_STEP
    never_in_step_by_mistake(history)


# --- it is late, and … ----------------------------------------------------------------


class Ready:
    """A change whose card has changed."""

    def __init__(self, history: History) -> None:
        self.history, self.liar = history, Liar(history, Kind.CHANGE)
        self.sealed = self.liar.sealed()
        self.liar.authorise(self.sealed)
        self.liar.port.card_changing(self.liar.id)
        assert isinstance(history.world.clock, ManualClock)
        self.clock = history.world.clock

    def writes_nothing(self) -> None:
        verdict = self.liar.port.write(self.liar.id, self.sealed)
        assert verdict.verdict is Verdict.REFUSED
        assert verdict.reason is not None
        assert verdict.reason.key == "reason.authorisation_late"
        assert self.history.domain.writes == []


def test_the_process_stands_still_for_less_than_a_write_may_take(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With three seconds left of the authorisation, that is all there are."""
    ready = Ready(history)
    ready.clock.advance(WRITE_SECONDS - 3)

    def happens(_dc: SimulatedDc, send: Callable[[], None]) -> None:
        ready.clock.advance(SEND_SECONDS - 1)
        send()

    at_the_write(monkeypatch, happens)
    ready.writes_nothing()


def test_the_mark_is_slow_to_become_durable(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others wait from the mark's own time on: what takes longer is never sent."""
    ready = Ready(history)
    registry = history.world.registry
    run = registry.run

    def slow(fn: Callable[..., Any]) -> Any:
        done = run(fn)
        operation = registry.read(lambda view: view.operation(ready.liar.id))
        if operation.phase is Phase.WRITING:
            monkeypatch.setattr(registry, "run", run)
            ready.clock.advance(SEND_SECONDS + 1)
        return done

    monkeypatch.setattr(registry, "run", slow)
    ready.writes_nothing()


# --- another station is at it, and … --------------------------------------------------


def test_the_card_proves_itself_elsewhere_while_its_write_is_sent(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is being written ends as the directory says, whoever has the card."""
    ready = Ready(history)
    parts = history.world.parts

    def happens(_dc: SimulatedDc, send: Callable[[], None]) -> None:
        credential = history.holder.credential
        parts.registry.run(
            lambda tx: transitions.end_elsewhere(tx, parts, credential, "annex")
        )
        assert ready.liar.operation.phase is Phase.WRITING
        send()

    at_the_write(monkeypatch, happens)
    verdict = ready.liar.port.write(ready.liar.id, ready.sealed)
    assert verdict.verdict is Verdict.DONE
    assert history.sync() is Sync.IN_STEP


def test_the_wall_clock_went_back_since() -> None:
    """What it did is an hour away in the future, and nobody waits for that."""
    history = History(remade(named("change"), proves_itself=False))
    ready = Ready(history)
    ready.clock.set_wall(-3600.0)
    history.world.readers.pull()
    card = history.world.readers.insert(history.holder.made.card)
    history.world.visit(card, "annex").recognise()
    assert ready.liar.operation.phase is Phase.OUT_OF_STEP
    assert ready.liar.operation.reason == "reason.interrupted"


# --- a proof is none, and … -----------------------------------------------------------


def test_an_exception_is_no_proof_of_the_card() -> None:
    """A code stood for the signature; the PUK of this card is not handed out for it."""
    history = History(named("change, keyless"))
    liar = Liar(history, Kind.CHANGE)
    code = history.world.release_code("alice")
    liar.port.redeem(liar.id, ApprovalKind.RELEASE, code)
    liar.port.authorise(liar.id, b"", b"", liar.sealed(), going_on=False)
    assert liar.operation.phase is Phase.AUTHORISED
    assert not liar.operation.card_proven


def test_a_nonce_that_was_signed_wrongly_is_used_up(history: History) -> None:
    liar = Liar(history, Kind.CHANGE)
    challenge = liar.prepared.challenge
    assert challenge is not None
    sealed = liar.sealed()
    with pytest.raises(ProofFailed):
        liar.port.authorise(liar.id, challenge.nonce, b"wrong", sealed, going_on=False)
    world = history.world
    assert not world.registry.run(
        lambda tx: tx.consume_nonce(
            challenge.nonce,
            purpose=NoncePurpose.OPERATION,
            bound_to=liar.id,
            station="kiosk-1",
            now=world.clock.now(),
        )
    )


def test_the_same_key_is_in_cards_of_two_families(history: History) -> None:
    """A card that is known by its key alone is the one of its own family."""
    world = history.world
    ours = world.credential("alice")
    assert ours.authentication_key is not None
    family, _, rest = ours.card.partition(":")
    digest = sha256(ours.authentication_key.spki).hexdigest()
    for other in ("a-first", "z-last"):
        copy = replace(ours, id=other, card=f"other:{rest}-{other}", version=0)
        world.registry.run(lambda tx, copy=copy: tx.save_credential(copy))  # type: ignore[misc]  # mypy cannot infer a lambda's default
    request = OpenRequest(
        card=f"{family}:key:{digest}", seen=SeenCard(limits=LIMITS, tries_left=3)
    )
    assert world.authority.port.open(request).credential == ours.id
    with pytest.raises(NotOnRecord):
        world.authority.port.open(replace(request, card=f"third:key:{digest}"))


def test_what_is_looked_at_last_lags_behind_what_was_announced(
    history: History,
) -> None:
    """Of two looks at two controllers the one that knows more is held to the write."""
    mark = SeenMark(version=7, origin="origin", usn=70)
    shown = Seen(dc=FIRST, pwd_last_set=2, mark=mark)
    lagging = Seen(dc=OTHER, pwd_last_set=1, mark=replace(mark, version=6, usn=60))
    for announced, now, kept in (
        (shown, lagging, shown),
        (lagging, shown, shown),
        (None, lagging, lagging),
        (shown, None, shown),
    ):
        told = Announced(
            password_follows=True,
            why_not=None,
            changed_elsewhere=False,
            rules=None,
            seen=ToldSeen.of(announced),
        )
        view = AccountSnapshot(newest=now)
        decided = SyncDecision(
            view=view,
            rules=RULES,
            why_not=None,
            stop=None,
            too_young=None,
            proof=None,
            history_unchecked=False,
        )
        assert prepare._seen(told, decided) == {
            "dc": kept.dc,
            "pwd_last_set_before": kept.pwd_last_set,
            "mark_before": in_step.recorded(kept),
        }


# --- the answer was yes, and … --------------------------------------------------------


@pytest.mark.parametrize("look", ["before the bind", "after the bind"])
def test_the_controller_that_said_yes_dies(
    history: History, monkeypatch: pytest.MonkeyPatch, look: str
) -> None:
    """Unseen, it is out of step; seen, and bound with, it is what was seen."""
    domain = history.domain
    verify = SimulatedDc.verify_password

    def happens(dc: SimulatedDc, send: Callable[[], None]) -> None:
        send()
        if look == "before the bind":
            domain.fail(DcDown(dc=dc.name))

    def bound(dc: SimulatedDc, account: Account, password: Secret) -> BindResult:
        said = verify(dc, account, password)
        domain.fail(DcDown(dc=dc.name))
        return said

    at_the_write(monkeypatch, happens)
    monkeypatch.setattr(SimulatedDc, "verify_password", bound)
    result = history.attempt()
    assert result is not None
    if look == "before the bind":
        assert result.outcome is Outcome.OUT_OF_STEP
        assert "reason.not_seen" in {fact.key for fact in result.facts}
    else:
        assert result.outcome is Outcome.DONE
    never_in_step_by_mistake(history)
