"""An account is judged once more directly before its password is written.

Between card and directory somebody may make it one that we may not touch, or another.
"""

from __future__ import annotations

from typing import Any

import pytest
from lab.histories import NEW, OLD, History
from lab.liar import named

from kiosk.core.secret import Secret
from kiosk.directory.values import Account
from kiosk.simulation.domain.controller import SimulatedDc
from kiosk.visit.views import Outcome
from storage.records import Sync

BY_NOW: dict[str, tuple[dict[str, Any], str]] = {
    "disabled": ({"enabled": False}, "condition.disabled"),
    "expired": ({"expired": True}, "condition.account_expired"),
    "an administrator's": ({"privileged": True}, "condition.privileged"),
    "for smart cards alone": (
        {"smart_card_required": True},
        "condition.smart_card_required",
    ),
}


@pytest.mark.parametrize("by_now", BY_NOW)
def test_an_account_that_may_not_be_touched_by_now_is_not_written(by_now: str) -> None:
    changes, why = BY_NOW[by_now]
    history = History(named("change"))
    domain, guid = history.domain, history.holder.account_guid
    history.world.authority.before(
        "write", lambda: domain.change_account(guid, **changes)
    )
    result = history.attempt()
    assert result is not None
    assert domain.writes == []
    assert result.outcome is Outcome.ROLLED_BACK
    assert why in [fact.key for fact in result.facts]
    assert history.card_pin() == OLD


@pytest.mark.parametrize("by_now", BY_NOW)
def test_nor_where_the_card_cannot_go_back(by_now: str) -> None:
    changes, why = BY_NOW[by_now]
    history = History(named("unblock"))
    domain, guid = history.domain, history.holder.account_guid
    history.world.authority.before(
        "write", lambda: domain.change_account(guid, **changes)
    )
    result = history.attempt()
    assert result is not None
    assert domain.writes == []
    assert result.outcome is Outcome.OUT_OF_STEP
    assert why in [fact.key for fact in result.facts]
    assert history.card_pin() == NEW
    assert history.sync() is Sync.OUT_OF_STEP


def test_a_controller_that_shows_another_account_gets_no_password_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was signed for is one account, by its objectGUID."""
    history = History(named("change"))
    with Secret(b"Bobs-own-2026") as own:
        bob = history.world.directory.add_account("bob", password=own.copy())
    shown = SimulatedDc.account

    def another(self: SimulatedDc, guid: str) -> Account:
        return shown(self, bob)

    history.world.authority.before(
        "write", lambda: monkeypatch.setattr(SimulatedDc, "account", another)
    )
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.ROLLED_BACK
    assert history.domain.writes == []
    assert history.sync() is Sync.IN_STEP, "nobody has set hers"
    with Secret(b"Bobs-own-2026") as own:
        assert history.domain.binds(bob, own)
