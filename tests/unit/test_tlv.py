"""BER-TLV is read within bounds; what is not BER-TLV says which object and where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.cards import tlv
from kiosk.cards.errors import MalformedAnswer

TAGS = st.sampled_from([0x30, 0x53, 0x70, 0x7E, 0x5F2F, 0x7F49, 0x5FC105])


@pytest.mark.parametrize(
    ("length", "head"),
    [
        (0, "5300"),
        (0x7F, "537f"),
        (0x80, "538180"),
        (0xFF, "5381ff"),
        (256, "53820100"),
    ],
)
def test_lengths_are_written_as_short_as_possible(length: int, head: str) -> None:
    assert tlv.pack(0x53, bytes(length)).hex().startswith(head)


@given(st.lists(st.tuples(TAGS, st.binary(max_size=300))))
def test_what_was_packed_is_read_back(parts: list[tuple[int, bytes]]) -> None:
    data = b"".join(tlv.pack(tag, value) for tag, value in parts)
    assert list(tlv.walk(data, "x")) == parts


@given(st.binary(max_size=400))
def test_any_bytes_are_either_read_or_malformed(data: bytes) -> None:
    told: dict[str, str | int] = {"object": "thing", "offset": 0}
    read = 0
    try:
        read = sum(len(value) for _, value in tlv.walk(data, "thing"))
    except MalformedAnswer as error:
        told = error.data
    assert read <= len(data)
    assert told["object"] == "thing"
    assert 0 <= int(told["offset"]) <= len(data)


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        ("53", 1),  # no length
        ("5303aabb", 2),  # value cut
        ("5380aabb0000", 2),  # indefinite length
        ("5384000000010a", 2),  # four length bytes
        ("538201", 2),  # length cut
        ("5f", 1),  # tag cut
        ("5fffffff0100", 3),  # tag longer than three bytes
        ("300153" + "5305aa", 5),  # the second of two
    ],
)
def test_the_error_names_the_offset(data: str, offset: int) -> None:
    with pytest.raises(MalformedAnswer) as caught:
        list(tlv.walk(bytes.fromhex(data), "CHUID"))
    assert caught.value.data == {"object": "CHUID", "offset": offset}


def test_a_missing_tag_is_none_or_malformed_as_asked() -> None:
    data = tlv.pack(0x53, b"x")
    assert tlv.find(data, 0x70, "x") is None
    assert tlv.need(data, 0x53, "x") == b"x"
    with pytest.raises(MalformedAnswer):
        tlv.need(data, 0x70, "x")
