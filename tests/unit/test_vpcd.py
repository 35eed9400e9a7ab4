"""The card's side of the virtual reader's protocol, asked by a socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from kiosk.core.entropy import SeededEntropy
from kiosk.simulation.cards.factory import make_card
from kiosk.simulation.cards.faults import Mute, PullAfter, PullBefore, Swap
from kiosk.simulation.cards.piv import ATR, SimulatedPivCard
from kiosk.simulation.virtual_reader import VirtualReader, tcp

pytestmark = pytest.mark.slow

SECONDS = 10.0
SELECT = "00a4040005a00000030800"
VERIFY = "0020008008313233343536ffff"
POWER_OFF, POWER_ON, RESET, ATR_PLEASE = "00", "01", "02", "04"


class Vpcd:
    """The reader's side: listens, and asks whoever connects."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(SECONDS)
        self._line: socket.socket | None = None
        self.seen: list[tuple[str, int]] = []
        self.reader = VirtualReader(
            tcp("127.0.0.1", self._server.getsockname()[1]),
            observe=lambda header, sw: self.seen.append((header.hex(), sw)),
        )

    def accept(self) -> None:
        """Wait for a card, as the next one if there was one."""
        if self._line is not None:
            self._line.close()
        self._line, _ = self._server.accept()
        self._line.settimeout(SECONDS)

    def tell(self, message: str) -> None:
        """Send a control that has no answer, or anything in one piece."""
        assert self._line is not None
        data = bytes.fromhex(message)
        self._line.sendall(len(data).to_bytes(2, "big") + data)

    def ask(self, message: str) -> str:
        """Send length and message in separate segments, as vpcd does."""
        assert self._line is not None
        data = bytes.fromhex(message)
        self._line.sendall(len(data).to_bytes(2, "big"))
        self._line.sendall(data)
        size = int.from_bytes(self._take(2), "big")
        return self._take(size).hex()

    def _take(self, count: int) -> bytes:
        assert self._line is not None
        taken = b""
        while len(taken) < count and (more := self._line.recv(count - len(taken))):
            taken += more
        return taken

    @property
    def is_hung_up(self) -> bool:
        """Wait until the card hangs up."""
        assert self._line is not None
        return self._line.recv(1) == b""

    def drop(self) -> None:
        """Go away, as a service that is restarted."""
        assert self._line is not None
        self._line.close()

    def close(self) -> None:
        self.reader.pull()
        if self._line is not None:
            self._line.close()
        self._server.close()


@pytest.fixture
def vpcd() -> Iterator[Vpcd]:
    vpcd = Vpcd()
    yield vpcd
    vpcd.close()


def a_card(seed: int = 1) -> SimulatedPivCard:
    return make_card(
        SeededEntropy(seed), subject="Ann", pin=b"123456", puk=b"12345678"
    ).card


def test_the_card_tells_its_answer_to_reset_whenever_it_is_asked(vpcd: Vpcd) -> None:
    vpcd.reader.insert(a_card())
    vpcd.accept()
    assert [vpcd.ask(ATR_PLEASE) for _ in range(3)] == [ATR.hex()] * 3


def test_commands_are_answered_and_seen_without_their_data(vpcd: Vpcd) -> None:
    vpcd.reader.insert(a_card())
    vpcd.accept()
    vpcd.tell(POWER_ON)
    assert vpcd.ask(SELECT).endswith("9000")
    assert vpcd.ask(VERIFY) == "9000"
    assert vpcd.seen == [("00a40400", 0x9000), ("00200080", 0x9000)]


@pytest.mark.parametrize("control", [POWER_OFF, POWER_ON, RESET])
def test_power_and_reset_forget_the_pin(vpcd: Vpcd, control: str) -> None:
    card = a_card()
    vpcd.reader.insert(card)
    vpcd.accept()
    vpcd.ask(SELECT)
    vpcd.ask(VERIFY)
    assert card.is_verified
    vpcd.tell(control)
    vpcd.ask(ATR_PLEASE)
    assert not card.is_verified


def test_a_pulled_card_hangs_up_and_has_no_power(vpcd: Vpcd) -> None:
    card = a_card()
    vpcd.reader.insert(card)
    vpcd.accept()
    vpcd.ask(SELECT)
    vpcd.ask(VERIFY)
    vpcd.reader.pull()
    assert vpcd.is_hung_up
    assert not card.is_verified


def test_a_card_that_stays_in_finds_a_reader_that_comes_back(vpcd: Vpcd) -> None:
    card = a_card()
    vpcd.reader.insert(card)
    vpcd.accept()
    vpcd.ask(SELECT)
    vpcd.ask(VERIFY)
    vpcd.drop()
    vpcd.accept()
    assert vpcd.ask(SELECT).endswith("9000")
    assert not card.is_verified


def test_a_card_inserted_before_there_is_a_reader_waits_for_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    reader = VirtualReader(tcp("127.0.0.1", port))
    reader.insert(a_card())
    try:
        with socket.create_server(("127.0.0.1", port)) as server:
            server.settimeout(SECONDS)
            line, _ = server.accept()
            line.close()
    finally:
        reader.pull()


def test_another_card_takes_the_place_of_the_first(vpcd: Vpcd) -> None:
    first, second = a_card(1), a_card(2)
    second.atr = bytes.fromhex("3b00")
    vpcd.reader.insert(first)
    vpcd.accept()
    vpcd.reader.insert(second)
    assert vpcd.is_hung_up
    vpcd.accept()
    assert vpcd.ask(ATR_PLEASE) == "3b00"


@pytest.mark.parametrize(
    ("fault", "tries"), [(PullBefore(at=2), 3), (PullAfter(at=2), 2)]
)
def test_a_card_pulled_at_an_apdu_does_or_does_not_carry_it_out(
    vpcd: Vpcd, fault: PullBefore | PullAfter, tries: int
) -> None:
    card = a_card()
    vpcd.reader.faults.set(fault)
    vpcd.reader.insert(card)
    vpcd.accept()
    vpcd.ask(SELECT)
    assert vpcd.ask(VERIFY.replace("313233", "393939")) == ""
    assert vpcd.is_hung_up
    assert card.pin_tries_left == tries


def test_a_swap_in_the_middle_brings_the_other_card(vpcd: Vpcd) -> None:
    second = a_card(2)
    second.atr = bytes.fromhex("3b00")
    vpcd.reader.put_ready("second", second)
    vpcd.reader.faults.set(Swap(at=1, card="second"))
    vpcd.reader.insert(a_card(1))
    vpcd.accept()
    assert vpcd.ask(SELECT) == ""
    vpcd.accept()
    assert vpcd.ask(ATR_PLEASE) == "3b00"


def test_a_mute_card_answers_its_power_with_nonsense(vpcd: Vpcd) -> None:
    vpcd.reader.faults.set(Mute())
    vpcd.reader.insert(a_card())
    vpcd.accept()
    assert len(vpcd.ask(ATR_PLEASE)) > 2 * 33
    assert vpcd.ask(SELECT) == ""
