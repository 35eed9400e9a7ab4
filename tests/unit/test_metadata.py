"""Replication metadata is read to the byte, or refused."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.directory.metadata import LARGEST, MalformedMetadata, mark_of, parse
from kiosk.directory.values import PwdReplicationMark, Stamp

ORIGIN = "b4c50364-6ff3-42c3-ac36-1cb62ae03e95"
HEAD = "01000000 00000000 02000000 00000000"
PASSWORD = (
    "5a000900 03000000 9f6de32203000000"
    "6403c5b4f36fc342ac361cb62ae03e95"
    "730f000000000000 730f000000000000"
)
MOVED = (
    "60000900 04000000 a06de32203000000"
    "6403c5b4f36fc342ac361cb62ae03e95"
    "740f000000000000 ff0f000000000000"
)
VECTOR = bytes.fromhex(HEAD + PASSWORD + MOVED)
"""As Samba 4.17 writes it, with two attributes left."""
ALL = range(2**32)


def test_a_dc_s_own_bytes_are_read() -> None:
    assert mark_of(VECTOR) == PwdReplicationMark(
        password=Stamp(3, ORIGIN, 0xF73), moved=Stamp(4, ORIGIN, 0xF74)
    )


def test_an_attribute_that_was_never_set_has_version_nought() -> None:
    nothing = bytes.fromhex("01000000 00000000 00000000 00000000")
    assert mark_of(nothing).password == Stamp(0, "", 0)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        VECTOR[:15],
        VECTOR[:-1],
        VECTOR + b"\0",
        b"\2" + VECTOR[1:],
        VECTOR[:8] + b"\3" + VECTOR[9:],
        VECTOR[:8] + b"\xff\xff\xff\xff" + VECTOR[12:],
        bytes.fromhex(HEAD + PASSWORD + PASSWORD),
        bytes(LARGEST + 1),
    ],
    ids=[
        "nothing",
        "half a head",
        "one byte less",
        "one more",
        "another version",
        "a wrong count",
        "an absurd count",
        "an attribute twice",
        "too long",
    ],
)
def test_what_contradicts_itself_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedMetadata):
        mark_of(data)


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        stamps = parse(data, ALL)
    except MalformedMetadata:
        return
    assert len(data) == 16 + 48 * len(stamps)


@given(st.data())
def test_changed_bytes_are_read_or_refused(data: st.DataObject) -> None:
    changed = bytearray(VECTOR)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(
            st.integers(0, 255)
        )
    try:
        parse(bytes(changed[: data.draw(st.integers(0, len(changed)))]), ALL)
    except MalformedMetadata:
        return


@given(
    st.dictionaries(
        st.integers(0, 2**32 - 1),
        st.tuples(st.integers(0, 2**32 - 1), st.binary(min_size=16, max_size=16)),
        max_size=40,
    )
)
def test_what_is_written_is_read(entries: dict[int, tuple[int, bytes]]) -> None:
    data = struct.pack("<IIII", 1, 0, len(entries), 0) + b"".join(
        struct.pack("<IIQ16sQQ", attribute, version, 5, origin, 7, 9)
        for attribute, (version, origin) in entries.items()
    )
    read = parse(data, ALL)
    assert {each: stamp.version for each, stamp in read.items()} == {
        each: version for each, (version, _) in entries.items()
    }
