"""By the directory's mark where both looks had one; by the time alone where not."""

from __future__ import annotations

from typing import Any

import pytest
from lab.histories import History
from lab.liar import Liar, named
from msgspec.structs import replace

from kiosk.authority.values import Verdict
from kiosk.directory.errors import ReadFailed, SentTooLate
from kiosk.simulation.domain.controller import SimulatedDc
from kiosk.simulation.domain.state import Dc
from kiosk.simulation.domain_faults import AttributeHidden, DcDown
from kiosk.visit.views import Outcome
from statemachine.operation import Kind

FIRST, OTHER = "dc1.ad.test", "dc2.ad.test"


@pytest.fixture(name="history")
def _history() -> History:
    return History(named("change"))


def kept_mark(history: History) -> tuple[bool, str]:
    """Whether a mark is kept of the last write, and how its receipt calls it."""
    last = history.world.credential("alice").last_sync
    assert last is not None
    events = history.world.registry.audit_events()
    (done,) = [each for each in events if each.kind == "operation.done"]
    return last.mark is not None, done.data["mark"]


def origin_says(patch: pytest.MonkeyPatch, reason: str) -> None:
    def origin(dc: SimulatedDc) -> str:
        if dc.name == FIRST:
            raise ReadFailed(dc=dc.name, reason=reason)
        return dc._dc.origin

    patch.setattr(SimulatedDc, "origin", origin)


def test_by_the_mark_it_is_kept(history: History) -> None:
    assert history.attempt() is not None
    is_kept, words = kept_mark(history)
    assert is_kept
    assert words != "pwdLastSet alone"


@pytest.mark.parametrize("reason", ["hidden", "refused"])
def test_of_a_controller_that_does_not_say_what_it_signs_with_the_time_tells(
    history: History, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    """The mark is there, and whose it is cannot be judged: it is not kept as ours."""
    origin_says(monkeypatch, reason)
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE
    assert "notice.mark_hidden" in {fact.key for fact in result.facts}
    assert kept_mark(history) == (False, "pwdLastSet alone")
    assert history.is_in_step()


@pytest.mark.parametrize("reason", ["no_answer", "busy", "malformed"])
def test_one_that_cannot_answer_now_is_written_to_by_nobody(
    history: History, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    origin_says(monkeypatch, reason)
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.ROLLED_BACK, "and there is no other one"
    assert history.domain.writes == []
    events = history.world.registry.audit_events()
    assert "operation.writing" not in {each.kind for each in events}


def around_sending(patch: pytest.MonkeyPatch, happens: Any) -> None:
    send = SimulatedDc.set_password

    def sent(dc: SimulatedDc, *args: Any, **named: Any) -> None:
        happens()
        send(dc, *args, **named)

    patch.setattr(SimulatedDc, "set_password", sent)


@pytest.mark.parametrize("is_shown_first", [True, False])
def test_a_mark_that_only_one_of_the_looks_had_is_not_kept(
    history: History, monkeypatch: pytest.MonkeyPatch, *, is_shown_first: bool
) -> None:
    """Rights on the mark were given, or taken, while the write was sent."""
    if not is_shown_first:
        history.domain.fail(AttributeHidden())
        around_sending(monkeypatch, history.domain.heal)
    else:
        around_sending(monkeypatch, lambda: history.domain.fail(AttributeHidden()))
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE
    assert kept_mark(history) == (False, "pwdLastSet alone")


@pytest.mark.parametrize("kind", [Kind.CHANGE, Kind.UNBLOCK])
def test_what_was_too_late_to_be_sent_is_no_reason_for_another_pin(
    monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    history = History(named(str(kind)))
    liar = Liar(history, kind)
    sealed = liar.sealed()
    if kind is Kind.UNBLOCK:
        liar.reset_card()
        challenge = liar.port.card_changed(liar.id, None)
        liar.prepared = replace(liar.prepared, challenge=challenge)
        liar.authorise(sealed)
    else:
        liar.authorise(sealed)
        liar.port.card_changing(liar.id)

    def late(*_: Any, **__: Any) -> None:
        raise SentTooLate(dc=FIRST)

    monkeypatch.setattr(SimulatedDc, "set_password", late)
    verdict = liar.port.write(liar.id, sealed)
    is_change = kind is Kind.CHANGE
    assert verdict.verdict is (Verdict.REFUSED if is_change else Verdict.OUT_OF_STEP)
    assert verdict.roll_back is is_change
    assert verdict.reason is not None
    assert verdict.reason.key == "reason.authorisation_late"
    assert not verdict.may_choose_another
    assert history.domain.writes == []


def test_a_write_is_on_record_with_the_controller_that_it_was_sent_to(
    history: History,
) -> None:
    """The one that was asked before anything was typed has gone meanwhile."""
    state = history.domain._state
    state.dcs = (*state.dcs, Dc(OTHER, "origin-of-the-other"))
    history.domain.replicate()
    result = history.attempt(
        lambda world: world.authority.after(
            "authorise", lambda: history.domain.fail(DcDown(dc=FIRST))
        )
    )
    assert result is not None
    assert result.outcome is Outcome.DONE
    (operation,) = history.world.registry.read(
        lambda view: view.operations(history.holder.credential, limit=2)
    )
    assert operation.dc == OTHER
    last = history.world.credential("alice").last_sync
    assert last is not None
    assert last.dc == OTHER
