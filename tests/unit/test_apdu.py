"""Commands go out short and come back whole, or are refused within bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab.cards.lines import ScriptedLine

from kiosk.cards.apdu import MAX_ANSWER, Command, Response, send
from kiosk.cards.errors import MalformedAnswer

PIN_BLOCK = b"123456\xff\xff"


def test_a_command_without_data_and_answer_is_four_bytes() -> None:
    line = ScriptedLine(("00200080", "63c3"))
    assert send(line, Command(0x20, 0x00, 0x80)).sw == 0x63C3


def test_an_expected_answer_adds_le() -> None:
    line = ScriptedLine(("00f8000000", "00bc614e9000"))
    assert send(line, Command(0xF8, 0, 0, le=0)).data.hex() == "00bc614e"


def test_data_come_after_their_length() -> None:
    line = ScriptedLine(("0020008008313233343536ffff", "9000"))
    assert send(line, Command(0x20, 0, 0x80, PIN_BLOCK)).is_ok


def test_data_and_answer_have_both_lengths() -> None:
    line = ScriptedLine(("00a4040005a00000030800", "9000"))
    command = Command(0xA4, 0x04, 0x00, bytes.fromhex("a000000308"), le=0)
    assert send(line, command).is_ok


def test_long_data_go_out_as_a_chain_whose_last_part_asks_for_the_answer() -> None:
    data = bytes(range(256)) + bytes(10)
    line = ScriptedLine(
        (f"1087079aff{data[:255].hex()}", "9000"),
        (f"0087079a0b{data[255:].hex()}00", "aabb9000"),
    )
    response = send(line, Command(0x87, 0x07, 0x9A, data, le=0))
    assert (response.data.hex(), line.is_done) == ("aabb", True)


@pytest.mark.parametrize(("count", "parts"), [(255, 1), (256, 2), (510, 2), (511, 3)])
def test_a_chain_has_as_few_parts_as_possible(count: int, parts: int) -> None:
    class Counting:
        sent = 0

        def transmit(self, apdu: bytearray) -> bytearray:
            self.sent += 1
            return bytearray(b"\x90\x00")

    line = Counting()
    send(line, Command(0xDB, 0x3F, 0xFF, bytes(count)))
    assert line.sent == parts


def test_a_chain_ends_at_the_part_that_is_refused() -> None:
    line = ScriptedLine((f"10db3fffff{'00' * 255}", "6982"))
    assert send(line, Command(0xDB, 0x3F, 0xFF, bytes(300))).sw == 0x6982


def test_waiting_data_are_fetched_with_the_told_length() -> None:
    line = ScriptedLine(
        ("00cb3fff00", f"{'11' * 4}6108"),
        ("00c0000008", f"{'22' * 8}9000"),
    )
    response = send(line, Command(0xCB, 0x3F, 0xFF, le=0))
    assert response.data.hex() == "11" * 4 + "22" * 8


def test_a_card_on_t0_announces_all_its_data() -> None:
    line = ScriptedLine(("00f8000000", "6104"), ("00c0000004", "0102030490" + "00"))
    assert send(line, Command(0xF8, 0, 0, le=0)).data.hex() == "01020304"


def test_a_wrong_le_is_corrected_once() -> None:
    line = ScriptedLine(("00f8000000", "6c04"), ("00f8000004", "010203049000"))
    assert send(line, Command(0xF8, 0, 0, le=0)).data.hex() == "01020304"


def test_get_response_too_may_be_told_another_length() -> None:
    line = ScriptedLine(
        ("00f8000000", "6100"), ("00c0000000", "6c04"), ("00c0000004", "010203049000")
    )
    assert send(line, Command(0xF8, 0, 0, le=0)).data.hex() == "01020304"


@pytest.mark.parametrize("sw", ["6c08", "6700", "6f00", "63c2"])
def test_a_command_that_compares_a_secret_is_sent_once_whatever_comes(sw: str) -> None:
    line = ScriptedLine(("0020008008313233343536ffff", sw))
    command = Command(0x20, 0, 0x80, PIN_BLOCK, compares=True)
    assert send(line, command).sw == int(sw, 16)


def test_what_was_sent_is_wiped_even_when_the_card_leaves() -> None:
    class Leaving:
        kept = bytearray()

        def transmit(self, apdu: bytearray) -> bytearray:
            self.kept = apdu
            raise OSError

    line = Leaving()
    with pytest.raises(OSError):  # noqa: PT011 - raised right above
        send(line, Command(0x20, 0, 0x80, PIN_BLOCK, compares=True))
    assert not any(line.kept)


def test_every_part_of_a_chain_is_wiped() -> None:
    line = ScriptedLine((f"10ff0000ff{'77' * 255}", "9000"), ("00ff00000177", "9000"))
    send(line, Command(0xFF, 0, 0, b"\x77" * 256))
    assert not any(b"".join(line.sent))


def test_an_answer_without_a_status_word_means_nothing() -> None:
    for answer in ("", "90"):
        with pytest.raises(MalformedAnswer):
            send(ScriptedLine(("00200080", answer)), Command(0x20, 0, 0x80))


def test_an_answer_that_never_ends_is_given_up_after_64_kib() -> None:
    class Endless:
        sent = 0

        def transmit(self, apdu: bytearray) -> bytearray:
            self.sent += 1
            return bytearray(256) + b"\x61\x00"

    line = Endless()
    with pytest.raises(MalformedAnswer) as caught:
        send(line, Command(0xCB, 0x3F, 0xFF, le=0))
    assert line.sent <= MAX_ANSWER // 256 + 1
    assert caught.value.data["object"] == "answer"


def test_a_card_that_only_promises_is_given_up_at_once() -> None:
    line = ScriptedLine(("00cb3fff00", "6110"), ("00c0000010", "6110"))
    with pytest.raises(MalformedAnswer):
        send(line, Command(0xCB, 0x3F, 0xFF, le=0))


@given(st.binary(max_size=64))
def test_no_repr_shows_data(data: bytes) -> None:
    assert repr(Command(0x20, 0, 0x80, data)) == f"Command(20 00 80, {len(data)} bytes)"
    assert repr(Response(data, 0x9000)) == f"Response({len(data)} bytes, 9000)"
