"""Objects of a PIV card are read within bounds: an identity, a certificate, or a no."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.cards import tlv
from kiosk.cards.errors import MalformedAnswer
from kiosk.cards.piv import objects
from kiosk.cards.piv.keys import key_of_certificate
from kiosk.cards.piv.metadata import read_algorithm, read_pin_metadata
from kiosk.core.entropy import SeededEntropy
from kiosk.simulation.cards.factory import make_card

GUID = bytes.fromhex("00112233445566778899aabbccddeeff")
FEDERAL = bytes.fromhex("d0439458210c2c19a0846d83685a1082108ce73984108ca3fc")
MADE = make_card(SeededEntropy(1), subject="Ann", pin=b"123456", puk=b"12345678")
CERTIFICATE = MADE.authentication.certificate


def certificate_object(data: bytes, info: int = 0) -> bytes:
    return tlv.pack(0x70, data) + tlv.pack(0x71, bytes((info,))) + tlv.pack(0xFE, b"")


# --- CHUID -----------------------------------------------------------------------


def test_a_written_chuid_is_byte_for_byte_what_other_issuers_write() -> None:
    assert objects.write_chuid(GUID, "20301231").hex() == (
        "3019d4e739da739ced39ce739d836858210842108421c84210c3eb"
        f"3410{GUID.hex()}"
        "35083230333031323331"
        "3e00fe00"
    )


def test_a_chuid_is_read_back_with_its_guid() -> None:
    chuid = objects.read_chuid(objects.write_chuid(GUID))
    assert (chuid.guid, chuid.is_federal) == (GUID, False)


def test_a_federal_number_is_told_from_the_common_one() -> None:
    chuid = objects.read_chuid(tlv.pack(0x30, FEDERAL) + tlv.pack(0x34, bytes(16)))
    assert (chuid.fasc_n, chuid.is_federal) == (FEDERAL, True)


def test_old_cards_may_have_more_in_their_chuid() -> None:
    more = tlv.pack(0xEE, b"\x0b\x00") + objects.write_chuid(GUID)
    assert objects.read_chuid(more).guid == GUID


@pytest.mark.parametrize(
    "value",
    [tlv.pack(0x34, b"short"), tlv.pack(0x30, b"\xd4\xe7"), b"\x34\x10\x00"],
    ids=["GUID", "FASC-N", "cut short"],
)
def test_a_chuid_with_numbers_of_wrong_length_means_nothing(value: bytes) -> None:
    with pytest.raises(MalformedAnswer) as caught:
        objects.read_chuid(value)
    assert caught.value.data["object"] == "CHUID"


@given(st.binary(max_size=120))
def test_any_bytes_as_chuid_are_read_or_malformed(value: bytes) -> None:
    try:
        chuid = objects.read_chuid(value)
    except MalformedAnswer:
        return
    assert len(chuid.guid) in (0, 16)


def test_a_capability_container_identifies_the_card() -> None:
    parts = dict(tlv.walk(objects.write_ccc(bytes(14)), "CCC"))
    assert parts[0xF0] == bytes.fromhex("a000000116ff02") + bytes(14)
    assert set(parts) == {*range(0xF0, 0xF8), 0xFA, 0xFB, 0xFC, 0xFD, 0xFE}


# --- certificates ------------------------------------------------------------------


def test_a_certificate_is_stored_as_it_is() -> None:
    assert objects.read_certificate(objects.write_certificate(CERTIFICATE)) == (
        CERTIFICATE
    )


@pytest.mark.parametrize(
    "value",
    [
        certificate_object(gzip.compress(CERTIFICATE), 1),
        certificate_object(gzip.compress(CERTIFICATE), 0),
        certificate_object(
            b"\x01\x00"
            + len(CERTIFICATE).to_bytes(2, "little")
            + zlib.compress(CERTIFICATE)
        ),
        tlv.pack(0x70, CERTIFICATE),
    ],
    ids=["gzip", "gzip without its info byte", "zlib behind a length", "no info"],
)
def test_every_way_of_storing_a_certificate_is_read(value: bytes) -> None:
    assert objects.read_certificate(value) == CERTIFICATE


@pytest.mark.parametrize(
    "value",
    [
        b"",
        tlv.pack(0x71, b"\x00"),
        certificate_object(b"\x1f\x8bno gzip", 1),
        certificate_object(gzip.compress(CERTIFICATE)[:-20], 1),
    ],
    ids=["nothing", "no certificate", "no gzip", "gzip cut short"],
)
def test_what_is_no_certificate_object_means_nothing(value: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        objects.read_certificate(value)


def test_a_small_object_that_inflates_to_megabytes_is_refused() -> None:
    bomb = gzip.compress(bytes(10_000_000))
    with pytest.raises(MalformedAnswer):
        objects.read_certificate(certificate_object(bomb, 1))


@given(st.binary(max_size=200), st.sampled_from([0, 1]))
def test_any_certificate_bytes_are_read_or_malformed(data: bytes, info: int) -> None:
    try:
        key_of_certificate(objects.read_certificate(certificate_object(data, info)))
    except MalformedAnswer:
        return


@pytest.mark.filterwarnings(
    # A negative serial number is still read.
    "ignore::cryptography.utils.CryptographyDeprecationWarning"
)
@given(st.data())
def test_a_certificate_with_changed_bytes_gives_a_key_or_is_malformed(
    data: st.DataObject,
) -> None:
    der = bytearray(CERTIFICATE)
    at = data.draw(st.integers(0, len(der) - 1))
    der[at] = data.draw(st.integers(0, 255))
    try:
        key_of_certificate(bytes(der))
    except MalformedAnswer:
        return


def test_a_certificate_of_a_version_that_there_is_not_means_nothing() -> None:
    der = CERTIFICATE.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x01", 1)
    with pytest.raises(MalformedAnswer):
        key_of_certificate(der)


def test_the_key_of_a_certificate_is_the_key_on_the_card() -> None:
    assert key_of_certificate(CERTIFICATE) == MADE.authentication.spki


# --- metadata ----------------------------------------------------------------------


@given(st.binary(max_size=40))
def test_any_metadata_are_read_or_malformed(value: bytes) -> None:
    for read in (read_pin_metadata, read_algorithm):
        try:
            read(value)
        except MalformedAnswer:
            continue
