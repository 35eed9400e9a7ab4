"""A look at an account beside a write of our own blames nobody else for it.

Two stations, or a process that was held up: what was seen before our write is not of
now, and what is seen while it is judged is ours.
"""

from __future__ import annotations

from typing import Any

import pytest
from lab.histories import History
from lab.liar import LIMITS, named

from kiosk.authority.errors import NotAsAnnounced
from kiosk.authority.operation import judging, prepare
from kiosk.authority.values import Announced, OpenRequest, PrepareRequest
from kiosk.core.secret import Secret
from kiosk.simulation.domain.controller import SimulatedDc
from kiosk.visit.views import Outcome
from statemachine.operation import Kind

THEIRS = b"Helpdesk-4711"


@pytest.fixture(name="history")
def _history() -> History:
    return History(named("change"))


def done(history: History) -> None:
    """Its holder changes the PIN at one kiosk."""
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE


def set_by_others(history: History) -> None:
    with Secret(THEIRS) as theirs:
        history.domain.change_elsewhere(history.holder.account_guid, theirs)


def opened(history: History) -> None:
    """The same card, or a copy of its name, comes in at another one."""
    card = history.holder.made.identity.key
    port = history.world.authority_of("kiosk-2")
    port.open(OpenRequest(card=card, seen=history.seen(LIMITS)))


def prepared(history: History, told: Announced) -> None:
    """A form that was shown at another one is handed in."""
    port = history.world.authority_of("kiosk-2")
    with pytest.raises(NotAsAnnounced):
        port.prepare(
            PrepareRequest(
                credential=history.holder.credential,
                kind=Kind.CHANGE,
                seen=history.seen(LIMITS),
                announced=told,
            )
        )


def blamed(history: History) -> int:
    """How often somebody else was said to have set the password."""
    events = history.world.registry.audit_events()
    return sum(each.kind == "credential.out_of_step" for each in events)


def held_up(history: History, where: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whoever has looked stand still until the PIN was changed elsewhere."""
    judge = where.judge

    def looked(*asked: Any) -> Any:
        decision = judge(*asked)
        monkeypatch.undo()
        done(history)
        return decision

    monkeypatch.setattr(where, "judge", looked)


# --- a card that comes in -------------------------------------------------------------


def test_what_was_seen_before_our_write_is_not_of_now(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_by_others(history)
    held_up(history, judging, monkeypatch)
    opened(history)
    assert history.is_in_step()


def test_what_is_seen_while_our_write_is_judged_is_ours(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify = SimulatedDc.verify_password

    def looked(dc: SimulatedDc, *asked: Any) -> Any:
        opened(history)
        return verify(dc, *asked)

    monkeypatch.setattr(SimulatedDc, "verify_password", looked)
    done(history)
    assert blamed(history) == 0


# --- a form that is handed in ---------------------------------------------------------


def test_a_form_from_before_our_write_is_handed_in_for_nothing(
    history: History,
) -> None:
    told = history.announced(LIMITS)
    done(history)
    prepared(history, told)
    assert history.is_in_step()
    assert blamed(history) == 0


def test_nor_is_one_whose_judge_was_held_up(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = history.announced(LIMITS)
    set_by_others(history)
    held_up(history, prepare, monkeypatch)
    prepared(history, told)
    assert history.is_in_step()


def test_nor_is_one_that_comes_while_our_write_is_judged(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = history.announced(LIMITS)
    verify = SimulatedDc.verify_password

    def looked(dc: SimulatedDc, *asked: Any) -> Any:
        prepared(history, told)
        return verify(dc, *asked)

    monkeypatch.setattr(SimulatedDc, "verify_password", looked)
    done(history)
    assert blamed(history) == 0
