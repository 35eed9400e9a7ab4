"""A finish brings the password to the PIN: the PIN is as old as it was."""

from __future__ import annotations

import pytest
from lab.histories import History
from lab.liar import named
from msgspec.structs import replace

from kiosk.visit.views import Outcome
from storage.records import Credential

DAY = 86_400.0


@pytest.fixture(name="history")
def _history() -> History:
    return History(named("finish"))


def keep(history: History, **known: object) -> None:
    own = history.holder.credential
    history.world.registry.run(
        lambda tx: tx.save_credential(replace(tx.credential(own), **known))
    )


def finished(history: History) -> Credential:
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE
    return history.world.credential("alice")


def test_a_pin_is_no_younger_for_it(history: History) -> None:
    """Else who finishes now and then would never have to change it."""
    changed_at = history.world.clock.now() - 40 * DAY
    keep(history, pin_changed_at=changed_at)
    assert finished(history).pin_changed_at == changed_at


def test_a_card_whose_activation_broke_off_long_ago_is_as_any_other(
    history: History,
) -> None:
    """It was blocked and unblocked elsewhere since, and is in use."""
    keep(history, activation_interrupted=True)
    assert not finished(history).activation_interrupted
