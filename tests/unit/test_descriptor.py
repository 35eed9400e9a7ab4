"""Security descriptors are read as they are, and nothing else is read at all."""

from __future__ import annotations

import contextlib
import struct
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab.domain import descriptors as lab

from kiosk.directory.descriptor import (
    LARGEST,
    AccessEntry,
    Descriptor,
    Effect,
    MalformedDescriptor,
    parse,
    sid_text,
)

pytestmark = pytest.mark.slow

SIDS = st.builds(
    lambda authority, parts: "-".join(map(str, ("S", 1, authority, *parts))),
    st.integers(0, 2**48 - 1),
    st.lists(st.integers(0, 2**32 - 1), max_size=15),
)
ENTRIES = st.builds(
    AccessEntry,
    effect=st.sampled_from([Effect.ALLOW, Effect.DENY]),
    conditional=st.booleans(),
    flags=st.integers(0, 255),
    mask=st.integers(0, 2**32 - 1),
    trustee=SIDS,
    object_type=st.none() | st.uuids(),
    inherited_type=st.none() | st.uuids(),
)


def bytes_of(entry: AccessEntry) -> bytes:
    return lab.entry(
        entry.mask,
        entry.trustee,
        deny=entry.effect is Effect.DENY,
        conditional=entry.conditional,
        flags=entry.flags,
        object_type=entry.object_type,
        inherited_type=entry.inherited_type,
    )


@given(SIDS)
def test_a_sid_is_read_as_it_was_written(sid: str) -> None:
    assert sid_text(lab.sid(sid)) == sid


@pytest.mark.parametrize(
    "data",
    [
        b"",
        lab.sid(lab.USER)[:-1],
        lab.sid(lab.USER) + b"\0",
        b"\x02" + lab.sid(lab.USER)[1:],
        b"\x01\x10" + bytes(70),
    ],
)
def test_what_is_no_sid_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedDescriptor):
        sid_text(data)


@given(st.lists(ENTRIES, max_size=8), SIDS)
def test_a_descriptor_is_read_as_it_was_written(
    entries: list[AccessEntry], owner: str
) -> None:
    data = lab.descriptor(*map(bytes_of, entries), owner=owner)
    assert parse(data) == Descriptor(owner, tuple(entries))


def test_no_list_at_all_is_not_an_empty_one() -> None:
    assert parse(lab.descriptor(dacl=None)).dacl is None
    assert parse(lab.descriptor()).dacl == ()


def test_a_list_that_was_not_sent_is_not_known() -> None:
    data = bytearray(lab.descriptor())
    struct.pack_into("<H", data, 2, 0x8000)
    assert not parse(bytes(data)).has_dacl


def test_audits_have_no_effect_and_a_new_type_an_unknown_one() -> None:
    data = lab.descriptor(lab.raw_entry(0x02, b"?"), lab.raw_entry(0x55, b"?"))
    effects = [entry.effect for entry in parse(data).dacl or ()]
    assert effects == [Effect.NONE, Effect.UNKNOWN]


@given(st.binary(max_size=200))
def test_any_bytes_are_a_descriptor_or_refused(data: bytes) -> None:
    with contextlib.suppress(MalformedDescriptor):
        parse(data)


@given(st.lists(ENTRIES, min_size=1, max_size=3), st.data())
def test_a_descriptor_with_a_wrong_byte_is_one_or_refused(
    entries: list[AccessEntry], data: st.DataObject
) -> None:
    whole = bytearray(lab.descriptor(*map(bytes_of, entries)))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(MalformedDescriptor):
        parse(bytes(whole))


@given(st.lists(ENTRIES, min_size=1, max_size=3), st.data())
def test_a_descriptor_that_was_cut_is_refused(
    entries: list[AccessEntry], data: st.DataObject
) -> None:
    whole = lab.descriptor(*map(bytes_of, entries))
    with pytest.raises(MalformedDescriptor):
        parse(whole[: data.draw(st.integers(0, len(whole) - 1))])


def test_what_is_too_long_is_not_read() -> None:
    with pytest.raises(MalformedDescriptor, match="length"):
        parse(lab.descriptor() + bytes(LARGEST))


@pytest.mark.parametrize("length", [0, 3, 0xFFFF])
def test_an_entry_that_lies_about_its_length_is_refused(length: int) -> None:
    lying = bytearray(lab.entry(0x100, object_type=UUID(int=1)))
    struct.pack_into("<H", lying, 2, length)
    with pytest.raises(MalformedDescriptor):
        parse(lab.descriptor(bytes(lying)))
