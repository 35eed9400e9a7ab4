"""Which codes a form asks for: those that are needed, and no other."""

from __future__ import annotations

from lab.histories import History
from lab.liar import named

from kiosk.visit.views import FieldName, Outcome


def test_a_card_blocked_before_its_first_pin_needs_both_its_codes() -> None:
    """Its activation code says whose it is; the release lets its PUK be used."""
    history = History(named("unblock, never activated, by code"))
    visit = history.world.visit(history.world.readers.insert(history.holder.made.card))
    visit.recognise()
    assert visit.begin(history.story.kind).fields == (
        FieldName.RELEASE_CODE,
        FieldName.ACTIVATION_CODE,
        FieldName.NEW_PIN,
    )
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.DONE


def test_where_only_the_card_changes_nobody_calls_for_a_signature() -> None:
    """A release stands in for it where the password follows, and there alone."""
    history = History(named("change, keyless"))
    history.domain.change_account(history.holder.account_guid, enabled=False)
    visit = history.world.visit(history.world.readers.insert(history.holder.made.card))
    visit.recognise()
    fields = visit.begin(history.story.kind).fields
    assert fields == (FieldName.OLD_PIN, FieldName.NEW_PIN)
