"""One card that other programs use as well: busy, reset, left verified by them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lab.cards.events import Watch
from lab.cards.pcscd import READERS, Pcscd
from smartcard import scard

from kiosk.cards.errors import CardBusy, CardRemoved, ReaderGone
from kiosk.cards.pcsc import PcscConnection, PcscMonitor, winscard
from kiosk.cards.pcsc.pinpad import features_of
from kiosk.cards.pcsc.winscard import PcscError
from kiosk.cards.ports import Card
from kiosk.cards.values import Tries
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.simulation.cards.factory import MadeCard, make_card
from kiosk.simulation.cards.piv import ATR

pytestmark = pytest.mark.pcscd
PIN = b"481516"
LONG = 20.0
"""Seconds that nobody waits in front of a screen."""
SELECT = [0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08]
VERIFY = [0x00, 0x20, 0x00, 0x80, 0x08, *PIN, 0xFF, 0xFF]


class Stranger:
    """Another program on the same machine, with bare PC/SC calls."""

    def __init__(self) -> None:
        _, self._context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        self._handle = 0

    def connect(self, mode: int) -> None:
        """As soon as there is a card."""
        result = scard.SCARD_E_NO_SMARTCARD
        while result == scard.SCARD_E_NO_SMARTCARD:
            result, self._handle, _ = scard.SCardConnect(
                self._context, READERS[0], mode, scard.SCARD_PROTOCOL_T1
            )
        assert result == 0

    def verify(self) -> None:
        for apdu in (SELECT, VERIFY):
            result, answer = scard.SCardTransmit(self._handle, scard.SCARD_PCI_T1, apdu)
            assert (result, answer[-2:]) == (0, [0x90, 0x00])

    def leave(self, disposition: int) -> None:
        if self._handle:
            scard.SCardDisconnect(self._handle, disposition)
            self._handle = 0

    def close(self) -> None:
        self.leave(scard.SCARD_LEAVE_CARD)
        scard.SCardReleaseContext(self._context)


@pytest.fixture
def stranger(pcscd: Pcscd) -> Iterator[Stranger]:
    stranger = Stranger()
    yield stranger
    stranger.close()


@pytest.fixture
def made() -> MadeCard:
    return make_card(SeededEntropy(1), subject="Ann", pin=PIN, puk=b"75318642")


@pytest.fixture
def card(pcscd: Pcscd, made: MadeCard) -> Iterator[Card]:
    with Watch(PcscMonitor()) as watch:
        pcscd.readers[0].insert(made.card)
        card = watch.card()
        yield card
        card.close()


def test_a_reader_that_refuses_to_tell_its_features_is_one_without_a_pad(
    card: Card, made: MadeCard
) -> None:
    connection = PcscConnection(READERS[0])
    with pytest.raises(PcscError):
        features_of(connection._handle)
    connection.close()
    assert not card.recognise().pinpad
    with card.session(made.identity) as session:
        session.verify(Secret(PIN))


def test_a_card_that_another_program_keeps_to_itself_is_busy(
    card: Card, stranger: Stranger
) -> None:
    stranger.connect(scard.SCARD_SHARE_EXCLUSIVE)
    with pytest.raises(CardBusy) as caught:
        card.recognise()
    assert caught.value.data == {"reader": READERS[0]}
    stranger.leave(scard.SCARD_LEAVE_CARD)
    card.recognise()


def test_a_pin_that_another_program_left_verified_is_of_no_use(
    card: Card, made: MadeCard, stranger: Stranger
) -> None:
    stranger.connect(scard.SCARD_SHARE_SHARED)
    stranger.verify()
    assert made.card.is_verified
    assert card.recognise().pin_tries == Tries(3)
    assert not made.card.is_verified


def test_a_reset_between_two_transactions_goes_unnoticed(
    card: Card, made: MadeCard, stranger: Stranger
) -> None:
    card.recognise()
    stranger.connect(scard.SCARD_SHARE_SHARED)
    stranger.leave(scard.SCARD_RESET_CARD)
    with card.session(made.identity) as session:
        session.verify(Secret(PIN))


def test_no_pin_stays_verified_when_the_card_is_let_go(
    card: Card, made: MadeCard
) -> None:
    with card.session(made.identity) as session:
        session.verify(Secret(PIN))
    card.close()
    assert not made.card.is_verified


def test_a_card_that_another_program_has_open_is_not_held(
    card: Card, made: MadeCard, stranger: Stranger
) -> None:
    """Nor waited for: who has it open may have it open for days."""
    stranger.connect(scard.SCARD_SHARE_SHARED)
    late = threading.Timer(LONG, stranger.leave, (scard.SCARD_LEAVE_CARD,))
    late.start()
    began = time.monotonic()
    with pytest.raises(CardBusy), card.hold(made.identity):
        pytest.fail("it is not ours alone")
    assert time.monotonic() - began < LONG
    with card.session(made.identity) as session:
        session.verify(Secret(PIN))
    late.cancel()
    stranger.leave(scard.SCARD_LEAVE_CARD)
    with card.hold(made.identity) as session:
        session.verify(Secret(PIN))


def test_nothing_is_left_open_of_a_card_pulled_as_it_is_connected_to(
    card: Card,
    made: MadeCard,
    pcscd: Pcscd,
    stranger: Stranger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is left keeps everybody from ever having a card in that reader alone."""

    def pull(handle: int) -> None:
        pcscd.readers[0].pull()
        monkeypatch.undo()
        while status_of(handle) == 0:
            time.sleep(0.05)

    after_connecting(monkeypatch, pull)
    with pytest.raises(CardRemoved):
        card.recognise()
    pcscd.readers[0].insert(made.card)
    stranger.connect(scard.SCARD_SHARE_EXCLUSIVE)


def test_a_reset_as_it_is_connected_to_goes_unnoticed(
    card: Card, made: MadeCard, stranger: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reset(handle: int) -> None:
        monkeypatch.undo()
        stranger.connect(scard.SCARD_SHARE_SHARED)
        stranger.leave(scard.SCARD_RESET_CARD)

    after_connecting(monkeypatch, reset)
    assert card.recognise().identity == made.identity


def after_connecting(
    monkeypatch: pytest.MonkeyPatch, then: Callable[[int], None]
) -> None:
    """Let something happen between a connection and what is asked next."""
    connect = winscard.connect

    def connected(*asked: Any) -> tuple[int, int]:
        handle, protocol = connect(*asked)
        then(handle)
        return handle, protocol

    monkeypatch.setattr(winscard, "connect", connected)


def status_of(handle: int) -> int:
    return int(scard.SCardStatus(handle)[0])


def test_the_answer_to_reset_is_told(card: Card) -> None:
    connection = PcscConnection(READERS[0])
    assert (connection.reader, connection.atr) == (READERS[0], ATR)
    connection.close()
    connection.close()


def test_a_reader_that_is_not_there_is_gone(pcscd: Pcscd) -> None:
    with pytest.raises(ReaderGone):
        PcscConnection("No such reader 00 00")


def test_a_reader_without_a_card_has_none(pcscd: Pcscd) -> None:
    with pytest.raises(CardRemoved):
        PcscConnection(READERS[0])


def test_what_was_sent_is_wiped_by_the_caller_only(card: Card) -> None:
    connection = PcscConnection(READERS[0])
    connection.begin()
    apdu = bytearray(SELECT)
    assert connection.transmit(apdu)[-2:] == b"\x90\x00"
    assert apdu == bytearray(SELECT)
    connection.end()
    connection.close()
