"""A blank GIDS card is made operational as Windows wants it, in any number of goes."""

from __future__ import annotations

import pytest

from kiosk.cards.errors import CardError, CardRemoved, PinRefused
from kiosk.cards.gids.card import GidsCard
from kiosk.cards.gids.personalise import initialise
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.simulation.cards.faults import PullAfter, PullBefore
from kiosk.simulation.cards.gids import SimulatedGidsCard
from kiosk.simulation.cards.reader import SimulatedReaders

PIN, CARD_ID = b"271828", bytes(range(16))
KEY, CHECK = bytes.fromhex("0102030405060708" * 3), bytes.fromhex("B073DC")
APDUS = 23


class Blank:
    """A card from the factory, and what it is told."""

    def __init__(self) -> None:
        self.chip = SimulatedGidsCard(entropy=SeededEntropy(1))
        self.readers = SimulatedReaders()
        self.insert()
        self.sent: list[str] = []
        heard = self.chip.transmit

        def transmit(apdu: bytes | bytearray) -> bytearray:
            self.sent.append(bytes(apdu).hex().upper())
            return heard(apdu)

        self.chip.transmit = transmit  # type: ignore[method-assign]  # to listen

    def insert(self) -> None:
        self.any = self.readers.insert(self.chip)
        self.card = GidsCard(self.any._shared, reader="r", insertion=1)

    def initialise(self, key: bytes = KEY) -> None:
        with self.card.application() as application:
            initialise(
                application,
                pin=Secret(PIN),
                admin_key=Secret(key),
                check=CHECK,
                card_id=CARD_ID,
            )


def test_it_takes_23_apdus_and_ends_operational() -> None:
    blank = Blank()
    blank.initialise()
    assert len(blank.sent) == APDUS
    assert blank.sent[1] == "0024018006" + PIN.hex()
    assert blank.sent[2] == "00E000000E620C8201398302A0128C03032000"
    assert blank.sent[4] == "00DBA01213DF2010" + CARD_ID.hex().upper()
    assert blank.sent[17] == "00DB3FFF267024840180A51F8718" + KEY.hex().upper() + (
        "8803B073DC"
    )
    assert blank.sent[-2:] == ["00A4000C023FFF", "00440000"]
    assert blank.chip.is_operational
    assert blank.chip.has_pin(PIN)
    assert bytes(blank.chip.admin.key) == KEY


def test_it_is_recognised_afterwards_by_its_card_id() -> None:
    blank = Blank()
    blank.initialise()
    assert blank.any.recognise().identity.value == CARD_ID


@pytest.mark.parametrize("kind", [PullBefore, PullAfter])
def test_a_card_that_was_pulled_is_made_operational_by_starting_over(
    kind: type[PullBefore] | type[PullAfter],
) -> None:
    for at in range(1, APDUS + 1):
        blank = Blank()
        blank.readers.faults.set(kind(at=at))
        with pytest.raises(CardRemoved):
            blank.initialise()
        blank.readers.faults.set()
        blank.insert()
        if at == APDUS and kind is PullAfter:
            assert blank.chip.is_operational, "only its answer was lost"
            continue
        blank.initialise()
        assert blank.any.recognise().identity.value == CARD_ID


def test_a_card_that_is_not_blank_is_left_as_it_is() -> None:
    blank = Blank()
    blank.initialise()
    with pytest.raises(CardError):
        blank.initialise(bytes.fromhex("0807060504030201" * 3))
    assert bytes(blank.chip.admin.key) == KEY


@pytest.mark.parametrize("key", [bytes(24), bytes(23)])
def test_a_factory_key_is_never_left_on_a_card(key: bytes) -> None:
    blank = Blank()
    with pytest.raises(PinRefused):
        blank.initialise(key)
    assert not blank.chip.is_operational
