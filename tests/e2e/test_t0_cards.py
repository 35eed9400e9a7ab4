"""Strict T=0 cards behind a real PC/SC service: every family, every operation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lab.cards.card_kinds import GIDS, NEW, PIN, PIV, PIV_RSA, PIV_VARIANTS, PUK, Kind
from lab.cards.events import Watch
from lab.cards.pcscd import Pcscd

from kiosk.authority.proof.signature import is_valid
from kiosk.cards.pcsc import PcscMonitor
from kiosk.cards.values import KeySlot
from kiosk.core.secret import Secret
from kiosk.simulation.cards.t0 import StrictT0Card
from storage.records import PublicKey

pytestmark = pytest.mark.pcscd
KINDS = PIV | PIV_VARIANTS | PIV_RSA | GIDS


@pytest.fixture
def watch(pcscd: Pcscd) -> Iterator[Watch]:
    with Watch(PcscMonitor()) as watch:
        yield watch


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_t0_card_proves_itself_and_changes_its_pin(
    pcscd: Pcscd, watch: Watch, kind: Kind
) -> None:
    made = kind.make()
    strict = StrictT0Card(made.card)
    pcscd.readers[0].insert(strict)
    card = watch.card()
    found = card.recognise()
    assert (found.identity, found.pin_tries.left) == (made.identity, kind.pin_tries)
    with card.session(made.identity) as session:
        session.verify(Secret(PIN))
        signature = session.sign(KeySlot.AUTHENTICATION, kind.algorithm, b"statement")
        session.change_pin(Secret(PIN), Secret(NEW))
        session.verify(Secret(NEW))
    key = made.authentication
    assert key is not None
    on_record = PublicKey(slot="9A", algorithm=key.algorithm, spki=key.spki)
    assert is_valid(on_record, b"statement", signature)
    assert made.card.has_pin(NEW)


@pytest.mark.parametrize("kind", (PIV | GIDS).values(), ids=PIV | GIDS)
def test_a_t0_card_is_unblocked(pcscd: Pcscd, watch: Watch, kind: Kind) -> None:
    made = kind.make()
    made.card.set_tries(pin=0)
    pcscd.readers[0].insert(StrictT0Card(made.card))
    card = watch.card()
    assert card.recognise().pin_tries.is_blocked
    with card.session(made.identity) as session:
        session.unblock(Secret(PUK), Secret(NEW))
        session.verify(Secret(NEW))
    assert made.card.has_pin(NEW)
