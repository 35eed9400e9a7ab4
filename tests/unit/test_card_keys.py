"""What `kiosk card info` says of a key: always something, never more than is there."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.cards.errors import MalformedAnswer
from kiosk.cards.piv.policies import (
    KeyPinPolicy,
    KeyPolicies,
    TouchPolicy,
    read_policies,
)
from kiosk.cards.values import KeySlot
from kiosk.cli.card_keys import KeyReport, described
from kiosk.core.entropy import SeededEntropy
from kiosk.simulation.cards.factory import make_card

MADE = make_card(SeededEntropy(1), subject="Ann", pin=b"123456", puk=b"12345678")
DER = MADE.authentication.certificate


def report(der: bytes = DER, year: int = 2027) -> KeyReport:
    now = datetime.datetime(year, 1, 1, tzinfo=datetime.UTC)
    return described(KeySlot.AUTHENTICATION, der, None, now)


@pytest.mark.parametrize(
    ("year", "validity"), [(2025, "not yet valid"), (2027, "valid"), (2036, "expired")]
)
def test_a_certificate_is_valid_in_its_time(year: int, validity: str) -> None:
    assert report(year=year).validity == validity


def test_a_name_of_an_impossible_type_is_a_reason_and_no_defect() -> None:
    common_name, bit_string = b"\x06\x03\x55\x04\x03\x0c", b"\x06\x03\x55\x04\x03\x03"
    der = DER.replace(common_name, bit_string)
    assert "makes no sense" in report(der).reason


@pytest.mark.filterwarnings(
    # A negative serial number is still read.
    "ignore::cryptography.utils.CryptographyDeprecationWarning"
)
@given(st.data())
def test_a_certificate_with_changed_bytes_is_described_or_has_a_reason(
    data: st.DataObject,
) -> None:
    der = bytearray(DER)
    at = data.draw(st.integers(0, len(der) - 1))
    der[at] = data.draw(st.integers(0, 255))
    told = report(bytes(der))
    assert bool(told.reason) != (told.until != "?")


@pytest.mark.parametrize(
    ("told", "policies"),
    [
        ("02020201", KeyPolicies(KeyPinPolicy.ONCE, TouchPolicy.NEVER)),
        ("02020302", KeyPolicies(KeyPinPolicy.ALWAYS, TouchPolicy.ALWAYS)),
        ("02020503", KeyPolicies(KeyPinPolicy.MATCH_ALWAYS, TouchPolicy.CACHED)),
        ("0202FF00", KeyPolicies(None, None)),
    ],
)
def test_policies_are_read_by_their_numbers(told: str, policies: KeyPolicies) -> None:
    assert read_policies(bytes.fromhex(told)) == policies


@pytest.mark.parametrize("told", ["", "010111", "020101", "0203010203"])
def test_policies_that_are_no_pair_mean_nothing(told: str) -> None:
    with pytest.raises(MalformedAnswer):
        read_policies(bytes.fromhex(told))
