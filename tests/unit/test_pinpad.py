"""PIN pads: found by their features, told byte for byte what to ask, and heard once."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.cards.errors import (
    CardError,
    CardRemoved,
    MalformedAnswer,
    NotSupported,
    PadCancelled,
    PadEntryFailed,
    PadMismatch,
    PadTimedOut,
    PadTooShort,
    PinBlocked,
    PinRefused,
    WrongPin,
    WrongPuk,
)
from kiosk.cards.pcsc import winscard
from kiosk.cards.pcsc.pinpad import find_pad
from kiosk.cards.pcsc.translation import translated
from kiosk.cards.pcsc.winscard import PcscError
from kiosk.cards.pinpad import (
    PartTenPad,
    modify_structure,
    pad_of,
    parse_features,
    verify_structure,
)
from kiosk.cards.piv.card import PivCard
from kiosk.cards.trace import Trace
from kiosk.cards.values import PadCommand
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.simulation.cards.factory import MadeCard, make_card
from kiosk.simulation.cards.faults import PullBefore, WrongStatus
from kiosk.simulation.cards.options import PivOptions, of_yubikey
from kiosk.simulation.cards.pinpad import FEATURES, SimulatedPad
from kiosk.simulation.cards.reader import SimulatedReaders

PIN, NEW, PUK = b"481516", b"23429184", b"75318642"

little_endian = pytest.mark.skipif(
    sys.byteorder == "big", reason="the vectors below are those of little machines"
)

# --- features ----------------------------------------------------------------------


def test_features_are_tags_with_control_codes_in_network_order() -> None:
    answer = bytes.fromhex("060442330006070442330007120442330012")
    assert parse_features(answer) == {
        0x06: 0x42330006,
        0x07: 0x42330007,
        0x12: 0x42330012,
    }


@pytest.mark.parametrize(
    ("answer", "offset"),
    [
        ("0604423300", 0),
        ("060342330006", 0),
        ("06044233000607", 6),
        ("060442330006" * 65, 390),
    ],
    ids=["cut", "another length", "the second cut", "too many"],
)
def test_what_is_no_list_of_features_says_where(answer: str, offset: int) -> None:
    with pytest.raises(MalformedAnswer) as caught:
        parse_features(bytes.fromhex(answer))
    assert caught.value.data == {"object": "reader features", "offset": offset}


@given(st.binary(max_size=500))
def test_any_features_are_read_or_malformed(answer: bytes) -> None:
    try:
        found = parse_features(answer)
    except MalformedAnswer:
        return
    assert len(found) <= 64


@pytest.mark.parametrize("missing", [0x06, 0x07])
def test_a_pad_that_cannot_do_both_is_none(missing: int) -> None:
    features = parse_features(FEATURES)
    del features[missing]
    assert pad_of(features, lambda code, data: b"") is None


# --- what a pad is told --------------------------------------------------------------

PIV_VERIFY = PadCommand(header=bytes.fromhex("00200080"), block=8, minimum=6, maximum=8)
PIV_CHANGE = PadCommand(header=bytes.fromhex("00240080"), block=8, minimum=6, maximum=8)
PIV_RESET = PadCommand(header=bytes.fromhex("002C0080"), block=8, minimum=6, maximum=8)
GIDS_VERIFY = PadCommand(
    header=bytes.fromhex("00200080"), block=0, minimum=4, maximum=16
)
GIDS_CHANGE = PadCommand(
    header=bytes.fromhex("00240080"), block=0, minimum=4, maximum=16
)
GIDS_RESET = PadCommand(
    header=bytes.fromhex("002C0280"), block=0, minimum=4, maximum=16
)
FILL = "ff" * 8


@little_endian
def test_verify_with_padding_is_this_structure() -> None:
    assert verify_structure(PIV_VERIFY).hex() == (
        "1e1e"  # seconds until the first key, and between keys
        "82"  # bytes, left, ASCII
        "08"  # no length inserted, a block of eight
        "00"
        "0806"  # at most 8, at least 6: 0x0608 in the order of the machine
        "02"  # ends with the enter key
        "01"  # one message
        "0904"  # English
        "00"
        "000000"
        "0d000000"
        f"0020008008{FILL}"
    )


@little_endian
def test_verify_without_padding_leaves_the_length_to_the_reader() -> None:
    assert verify_structure(GIDS_VERIFY).hex() == (
        "1e1e82000010040201090400000000050000000020008000"
    )


@little_endian
def test_change_with_padding_is_this_structure() -> None:
    assert modify_structure(PIV_CHANGE).hex() == (
        "1e1e82"
        "08"
        "00"
        "0008"  # where the old one goes, where the new one goes
        "0806"
        "03"  # ask for the old one; have the new one confirmed
        "02"
        "03"
        "0904"
        "000102"
        "000000"
        "15000000"
        f"0024008010{FILL}{FILL}"
    )


@little_endian
def test_change_without_padding_puts_one_value_behind_the_other() -> None:
    assert modify_structure(GIDS_CHANGE).hex() == (
        "1e1e820000000010040302030904000102000000050000000024008000"
    )


@little_endian
def test_a_known_puk_stands_before_the_new_pin_and_is_not_asked_for() -> None:
    with Secret(PUK) as puk:
        structure = modify_structure(PIV_RESET, asks_current=False, known=puk)
    assert structure.hex() == (
        "1e1e82" "08" "00" "0008" "0806"
        "01"  # only have the new one confirmed
        "02" "02" "0904"
        "010200"
        "000000" "15000000"
        f"002c008010{PUK.hex()}{FILL}"
    )  # fmt: skip


@little_endian
def test_a_new_pin_alone_stands_at_the_beginning() -> None:
    assert modify_structure(GIDS_RESET, asks_current=False).hex() == (
        "1e1e82000000001004010202090401020000000005000000002c028000"
    )


def test_a_known_value_where_nothing_is_padded_is_not_possible() -> None:
    with Secret(PUK) as puk, pytest.raises(NotSupported):
        modify_structure(GIDS_RESET, asks_current=False, known=puk)


# --- what a pad answers --------------------------------------------------------------


class Wire:
    """A reader that answers what a test says, and remembers what it was sent."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.sent: list[bytearray] = []

    def control(self, code: int, data: bytearray) -> bytes:
        self.sent.append(data)
        return self.answer


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("6400", PadTimedOut),
        ("6401", PadCancelled),
        ("6402", PadMismatch),
        ("6403", PadTooShort),
        ("6b80", NotSupported),
        ("", MalformedAnswer),
        ("90", MalformedAnswer),
    ],
)
def test_each_answer_of_a_reader_is_one_error_after_one_command(
    answer: str, error: type[CardError]
) -> None:
    wire = Wire(bytes.fromhex(answer))
    pad = PartTenPad(parse_features(FEATURES), wire.control)
    with pytest.raises(error):
        pad.verify(PIV_VERIFY)
    assert len(wire.sent) == 1


def test_the_cards_own_status_word_is_returned() -> None:
    pad = PartTenPad(parse_features(FEATURES), Wire(b"\x63\xc2").control)
    assert pad.modify(PIV_CHANGE) == 0x63C2


def test_what_was_sent_to_the_reader_is_wiped() -> None:
    wire = Wire(b"\x90\x00")
    pad = PartTenPad(parse_features(FEATURES), wire.control)
    with Secret(PUK) as puk:
        pad.modify(PIV_RESET, asks_current=False, known=puk)
    assert not any(wire.sent[0])


# --- a reader through PC/SC ----------------------------------------------------------


class FakeReader:
    """Stands in for `winscard.control`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, features: bytes) -> None:
        self.features: bytes | PcscError = features
        self.answer: bytes | PcscError = b"\x90\x00"
        self.codes: list[int] = []
        monkeypatch.setattr(winscard, "control", self.control)

    def control(self, handle: int, code: int, data: bytearray) -> bytes:
        self.codes.append(code)
        is_asked = code == winscard.features_code()
        answer = self.features if is_asked else self.answer
        if isinstance(answer, PcscError):
            raise answer
        return answer


def found(reader: FakeReader) -> PartTenPad | None:
    return find_pad(lambda: 1, lambda error: translated(error, "reader"))


def test_a_pad_is_found_and_spoken_to_by_its_own_codes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader = FakeReader(monkeypatch, FEATURES)
    pad = found(reader)
    assert pad is not None
    pad.verify(PIV_VERIFY)
    pad.modify(PIV_CHANGE)
    assert reader.codes[1:] == [0x42330006, 0x42330007]


@pytest.mark.parametrize(
    "features",
    [b"", b"\x12\x04\x42\x33\x00\x12", b"nonsense", PcscError(0x80100022)],
    ids=["none", "another", "nonsense", "not supported"],
)
def test_a_reader_without_a_pad_is_like_any_other(
    monkeypatch: pytest.MonkeyPatch, features: bytes | PcscError
) -> None:
    reader = FakeReader(monkeypatch, b"")
    reader.features = features
    assert found(reader) is None


def test_a_card_pulled_while_somebody_types_is_removed_and_nothing_is_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader = FakeReader(monkeypatch, FEATURES)
    pad = found(reader)
    assert pad is not None
    reader.answer = PcscError(0x80100069)
    with pytest.raises(CardRemoved):
        pad.verify(PIV_VERIFY)
    assert len(reader.codes) == 2


# --- the whole way, with a simulated reader ------------------------------------------


class Counter:
    """A card in a reader with keys."""

    def __init__(self, *, with_pad: bool = True) -> None:
        self.readers = SimulatedReaders()
        self.pad = self.readers.fit_pad() if with_pad else SimulatedPad()
        self.made: MadeCard = make_card(
            SeededEntropy(4), subject="Ann", pin=PIN, puk=PUK
        )
        self.card = self.readers.insert(self.made.card)


def test_a_reader_tells_its_pad_when_the_card_is_recognised() -> None:
    assert Counter().card.recognise().pinpad
    assert not Counter(with_pad=False).card.recognise().pinpad


def test_a_yubikey_can_be_used_at_a_pad_too() -> None:
    readers = SimulatedReaders()
    readers.fit_pad()
    made = make_card(
        SeededEntropy(4), subject="Ann", pin=PIN, puk=PUK, options=of_yubikey(77)
    )
    assert readers.insert(made.card).recognise().pinpad


def test_a_pin_is_verified_and_changed_without_ever_being_here() -> None:
    counter = Counter()
    counter.pad.will_type(PIN, PIN, NEW, NEW)
    with counter.card.session(counter.made.identity) as session:
        session.verify_at_pad()
        assert counter.made.card.is_verified
        session.change_pin_at_pad()
    assert counter.made.card.has_pin(NEW)
    assert not counter.made.card.is_verified, "left verified"


def test_a_card_whose_pin_is_changed_elsewhere_has_no_use_for_a_pad() -> None:
    readers = SimulatedReaders()
    pad = readers.fit_pad()
    options = PivOptions(global_pin=True)
    made = make_card(SeededEntropy(4), subject="Ann", pin=PIN, puk=PUK, options=options)
    card = readers.insert(made.card)
    recognised = card.recognise()
    assert not recognised.pinpad
    with card.session(recognised.identity) as session:
        for at_pad in (session.verify_at_pad, session.change_pin_at_pad):
            with pytest.raises(NotSupported):
                at_pad()
    assert pad.prompts == 0


def test_a_pin_is_set_with_a_puk_that_is_known_here() -> None:
    counter = Counter()
    counter.made.card.set_tries(pin=0)
    counter.pad.will_type(NEW, NEW)
    with (
        counter.card.session(counter.made.identity) as session,
        Secret(PUK) as puk,
    ):
        session.unblock_at_pad(puk)
    assert counter.made.card.has_pin(NEW)
    assert counter.pad.prompts == 2


def test_a_pin_is_set_with_a_puk_that_is_typed() -> None:
    counter = Counter()
    counter.made.card.set_tries(pin=0)
    counter.pad.will_type(PUK, NEW, NEW)
    with counter.card.session(counter.made.identity) as session:
        session.unblock_at_pad(None)
    assert counter.made.card.has_pin(NEW)


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ((b"000000",), WrongPin),
        ((b"00000",), PadTooShort),
        ((b"000000000",), PadTooShort),
        ((), PadTimedOut),
    ],
)
def test_a_refused_entry_costs_at_most_the_one_try(
    typed: tuple[bytes, ...], error: type[CardError]
) -> None:
    counter = Counter()
    counter.pad.will_type(*typed)
    with (
        counter.card.session(counter.made.identity) as session,
        pytest.raises(error),
    ):
        session.verify_at_pad()
    lost = 1 if error is WrongPin else 0
    assert counter.made.card.pin_tries_left == 3 - lost


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ((PIN, NEW, b"11112222"), PadMismatch),
        ((PIN, NEW), PadTimedOut),
        ((PIN, b"1"), PadTooShort),
        ((b"000000", NEW, NEW), WrongPin),
        ((PIN, b"abcdef", b"abcdef"), PinRefused),
    ],
)
def test_a_change_that_is_refused_changes_nothing(
    typed: tuple[bytes, ...], error: type[CardError]
) -> None:
    counter = Counter()
    counter.pad.will_type(*typed)
    with (
        counter.card.session(counter.made.identity) as session,
        pytest.raises(error),
    ):
        session.change_pin_at_pad()
    assert counter.made.card.has_pin(PIN)


def test_cancelling_sends_nothing_to_the_card() -> None:
    counter = Counter()
    counter.pad.will_cancel()
    with counter.card.session(counter.made.identity) as session:
        before = len(counter.made.card.commands)
        with pytest.raises(PadCancelled):
            session.change_pin_at_pad()
        assert len(counter.made.card.commands) == before


def test_a_wrong_puk_and_a_blocked_pin_say_so() -> None:
    counter = Counter()
    counter.made.card.set_tries(pin=0)
    counter.pad.will_type(b"00000000", NEW, NEW, PIN)
    with counter.card.session(counter.made.identity) as session:
        with pytest.raises(WrongPuk):
            session.unblock_at_pad(None)
        with pytest.raises(PinBlocked):
            session.verify_at_pad()


def test_what_was_typed_is_never_sent_twice() -> None:
    counter = Counter()
    counter.pad.will_type(PIN, PIN)
    counter.readers.faults.set(WrongStatus(ins=0x20, sw=0x6C08))
    with counter.card.session(counter.made.identity) as session:
        with pytest.raises(CardError, match=r"card\.unexpected_status"):
            session.verify_at_pad()
        assert counter.pad.prompts == 1


def test_a_card_pulled_while_somebody_types_is_removed() -> None:
    counter = Counter()
    counter.pad.will_type(PIN)
    counter.readers.faults.set(PullBefore(at=3))
    with (
        pytest.raises(CardRemoved),
        counter.card.session(counter.made.identity) as session,
    ):
        session.verify_at_pad()
    assert counter.made.card.pin_tries_left == 3


def test_without_a_pad_nothing_is_sent() -> None:
    counter = Counter(with_pad=False)
    with counter.card.session(counter.made.identity) as session:
        before = len(counter.made.card.commands)
        for at_pad in (session.verify_at_pad, session.change_pin_at_pad):
            with pytest.raises(NotSupported):
                at_pad()
        assert len(counter.made.card.commands) == before


def test_a_trace_tells_that_something_was_typed_and_not_what() -> None:
    lines: list[str] = []
    counter = Counter()
    inside = counter.card._connect
    trace = Trace(lines.append)
    card = PivCard(lambda: trace.around(inside()), reader="reader", insertion=1)
    counter.pad.will_type(PIN)
    with card.session(counter.made.identity) as session:
        session.verify_at_pad()
        counter.pad.will_cancel()
        with pytest.raises(PadEntryFailed):
            session.change_pin_at_pad()
    at = lines.index("[1] > 00200080 [typed at the reader]")
    assert lines[at + 1] == "[1] < 9000"
    assert "[1] < card.pad_cancelled" in lines
    assert PIN.hex() not in "".join(lines).lower()
