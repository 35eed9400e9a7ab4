"""A trace of APDUs shows what happened and never a secret byte."""

from __future__ import annotations

import errno
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.cards.errors import CardRemoved
from kiosk.cards.masking import Masking, Showing
from kiosk.cards.piv.administration import PivAdministration
from kiosk.cards.piv.card import PivCard
from kiosk.cards.piv.management import HeldManagementKey, ManagementAlgorithm
from kiosk.cards.ports import Connection
from kiosk.cards.trace import Trace
from kiosk.cards.values import KeyAlgorithm, KeySlot
from kiosk.core.clock import ManualClock
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.simulation.cards.factory import MadeCard, make_card
from kiosk.simulation.cards.faults import PullBefore
from kiosk.simulation.cards.options import of_yubikey
from kiosk.simulation.cards.reader import READER, SimulatedReaders

PIN, NEW, PUK = b"481516", b"234291", b"75318642"
KEY = bytes(range(1, 25))


class Scene:
    """A simulated card behind a traced connection."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.readers = SimulatedReaders()
        self.made: MadeCard = make_card(
            SeededEntropy(4), subject="Ann", pin=PIN, puk=PUK, options=of_yubikey(77)
        )
        inside = self.readers.insert(self.made.card)
        self.trace = Trace(self.lines.append, ManualClock())

        def connect() -> Connection:
            return self.trace.around(inside._connect())

        self.card = PivCard(connect, reader=READER, insertion=1)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def test_what_is_public_is_shown_in_full() -> None:
    scene = Scene()
    scene.card.recognise()
    assert scene.lines[0].startswith(f"[1] {READER}, ATR 3B")
    assert "[1] > 00A40400 05 A000000308 00" in scene.lines
    assert "[1] < 0000004D 9000 (0.0 ms)" in scene.lines


def test_a_whole_visit_leaves_no_pin_no_puk_and_no_length_in_the_trace() -> None:
    scene = Scene()
    with scene.card.session(scene.made.identity) as session:
        session.verify(Secret(PIN))
        session.sign(KeySlot.AUTHENTICATION, KeyAlgorithm.P256, b"statement")
        session.change_pin(Secret(PIN), Secret(NEW))
        session.unblock(Secret(PUK), Secret(PIN))
        session.change_puk(Secret(PUK), Secret(b"86427531"))
    for secret in (PIN, NEW, PUK, b"86427531"):
        assert secret.hex().upper() not in scene.text
    assert "[1] > 00200080 [masked]" in scene.lines
    assert "[1] > 00240080 [masked]" in scene.lines
    assert "[1] > 002C0080 [masked]" in scene.lines


def test_a_proof_of_the_management_key_is_masked_in_both_directions() -> None:
    scene = Scene()
    key = HeldManagementKey(
        ManagementAlgorithm.TRIPLE_DES,
        Secret(bytes.fromhex("010203040506070801020304050607080102030405060708")),
    )
    new = HeldManagementKey(ManagementAlgorithm.TRIPLE_DES, Secret(KEY))
    with scene.card.application() as application:
        administration = PivAdministration(application, key, SeededEntropy(1))
        administration.set_management_key(new)
        administration.put(0x5FC109, b"printed information")
        administration.put(0x5FC102, b"public")
    exchanged = [line for line in scene.lines if " 87" in line or "0087" in line]
    assert len(exchanged) == 2
    assert all("masked" in line for line in exchanged)
    assert "[1] < [12 bytes masked] 9000 (0.0 ms)" in scene.lines
    assert KEY.hex().upper() not in scene.text
    assert b"printed".hex().upper() not in scene.text
    assert b"public".hex().upper() in scene.text


def test_a_signature_is_public() -> None:
    scene = Scene()
    with scene.card.session(scene.made.identity) as session:
        signature = session.sign(
            KeySlot.CARD_AUTHENTICATION, KeyAlgorithm.P256, b"nonce"
        )
    assert signature.hex().upper() in scene.text


def mask(apdu: str) -> tuple[Showing, Showing]:
    judged = Masking().of(bytes.fromhex(apdu))
    return judged.command, judged.answer


HIDDEN = (Showing.NOTHING, Showing.LENGTH)
COUNTED = (Showing.LENGTH, Showing.LENGTH)
SHOWN = (Showing.BYTES, Showing.BYTES)


@pytest.mark.parametrize(
    ("apdu", "expected"),
    [
        ("00200080083132333435363738", HIDDEN),
        ("0024008004" + "31323334", HIDDEN),
        ("002C028004" + "31323334", HIDDEN),
        ("0087000004" + "7C028100" + "00", COUNTED),  # administrator's challenge
        ("008700000C" + "7C0A8208" + "0102030405060708", COUNTED),  # and its answer
        ("0087039B04" + "7C028000" + "00", COUNTED),  # witness
        ("0087119D04" + "7C028000" + "00", COUNTED),  # a key that deciphers
        ("0087119A04" + "7C028200" + "00", SHOWN),
        ("002A9E9A02" + "3031" + "00", SHOWN),
        ("002A808602" + "3031" + "00", COUNTED),
        ("00CB3FFF05" + "5C035FC105" + "00", SHOWN),
        ("00CB3FFF05" + "5C035FC109" + "00", COUNTED),  # behind the PIN
        ("00CB3FFF05" + "5C035FFF00" + "00", COUNTED),  # what nobody has described
        ("00CB3FFF04" + "5C027F71" + "00", SHOWN),
        ("00CBA01004" + "5C02DF23" + "00", SHOWN),
        ("00CBA01304" + "5C02DF24" + "00", COUNTED),
        ("00CB3FFF0A" + "70088401" + "81" + "A5037F4980" + "00", SHOWN),
        ("00DB3FFF0A" + "7024840180A51F871800", COUNTED),  # administrator's key
        ("00FFFFFF03" + "039B18", COUNTED),
        ("0084000008", HIDDEN),
        ("0099000003" + "010203", HIDDEN),
        ("80A4040002" + "3F00", HIDDEN),  # another class
        ("0CA4040002" + "3F00", HIDDEN),  # secure messaging
        ("00A40400000002" + "3F00", HIDDEN),  # extended length
        ("00A40400053F00", HIDDEN),  # a length that is not true
        ("00A4", HIDDEN),
        ("", HIDDEN),
    ],
)
def test_the_table_decides_and_the_unknown_is_masked(
    apdu: str, expected: tuple[Showing, Showing]
) -> None:
    assert mask(apdu) == expected


def test_every_part_of_a_chain_is_judged_by_its_first() -> None:
    masking = Masking()
    first = masking.of(bytes.fromhex("10DB3FFF055C035FC109"))
    last = masking.of(bytes.fromhex("00DB3FFF055C035FC105"))
    assert first == last
    assert last.command is Showing.LENGTH


def test_what_get_response_fetches_is_as_secret_as_the_answer_it_belongs_to() -> None:
    masking = Masking()
    masking.of(bytes.fromhex("00CB3FFF055C035FC10900"))
    assert masking.of(bytes.fromhex("00C0000010")).answer is Showing.LENGTH
    masking.of(bytes.fromhex("00CB3FFF055C035FC10500"))
    assert masking.of(bytes.fromhex("00C0000010")).answer is Showing.BYTES
    masking.of(bytes.fromhex("00200080083132333435363738"))
    assert masking.of(bytes.fromhex("00C0000010")).answer is Showing.LENGTH


MARK = b"\xde\xad\xbe\xef\xde\xad\xbe\xef"
SECRET_INS = st.integers(0, 255).filter(
    lambda ins: (
        ins not in {0x22, 0x47, 0x87, 0x2A, 0xA4, 0xCB, 0xDB, 0xC0}
        and not 0xF7 <= ins <= 0xFD
    )
)


@given(st.binary(min_size=1, max_size=1), SECRET_INS, st.binary(max_size=40))
def test_no_unknown_command_shows_a_byte_of_its_data(
    cla: bytes, ins: int, more: bytes
) -> None:
    lines: list[str] = []
    line = Trace(lines.append).around(Echo())
    data = MARK + more
    line.transmit(bytearray(cla + bytes((ins, 0, 0x80, len(data))) + data))
    assert MARK.hex().upper() not in "".join(lines)


class Echo:
    """A connection whose card repeats what it hears."""

    reader = READER
    atr = b"\x3b\x00"
    pinpad = None

    def begin(self) -> None: ...

    def hold(self) -> None: ...

    def end(self) -> None: ...

    def transmit(self, apdu: bytearray) -> bytearray:
        return bytearray(apdu) + b"\x90\x00"

    def close(self) -> None: ...


def test_where_the_card_left_is_in_the_trace() -> None:
    scene = Scene()
    scene.readers.faults.set(PullBefore(at=2))
    with pytest.raises(CardRemoved):
        scene.card.recognise()
    assert "[1] < card.removed" in scene.lines


def test_a_trace_that_cannot_be_written_ends_and_the_card_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    written: list[str] = []

    def write(line: str) -> None:
        if len(written) == 3:
            raise OSError(errno.ENOSPC, "full")
        written.append(line)

    scene = Scene()
    scene.trace._write = write
    with caplog.at_level(logging.ERROR):
        assert scene.card.recognise().identity == scene.made.identity
    assert len(written) == 3
    assert [record.message for record in caplog.records] == [
        f"trace.ended errno={errno.ENOSPC}"
    ]


def test_two_connections_are_told_apart_by_their_numbers() -> None:
    lines: list[str] = []
    trace = Trace(lines.append)
    for line in (trace.around(Echo()), trace.around(Echo())):
        line.transmit(bytearray.fromhex("00A4040000"))
    assert lines[-1].startswith("[2] < ")
