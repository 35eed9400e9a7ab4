"""No operation costs a card more APDUs than the shortest way there is."""

from __future__ import annotations

import pytest
from lab.cards.card_operations import OPERATIONS, Operation

from kiosk.simulation.cards.reader import SimulatedReaders


@pytest.mark.parametrize(
    "operation", OPERATIONS, ids=lambda each: f"{each.kind}: {each.name}"
)
def test_an_operation_stays_within_its_bound(operation: Operation) -> None:
    readers = SimulatedReaders()
    made = operation.prepared()
    card = readers.insert(made.card)
    cost = operation.cost(card, made.identity, lambda: readers.faults.count)
    assert 0 < cost <= operation.at_most


def test_every_kind_of_card_is_recognised_verified_changed_and_unblocked() -> None:
    for kind in {operation.kind for operation in OPERATIONS}:
        names = [each.name for each in OPERATIONS if each.kind == kind]
        assert {"recognise", "verify", "change + sign", "unblock + sign"} <= {*names}
