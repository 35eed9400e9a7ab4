"""What the card signs: exact bytes, and no two statements alike."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from kiosk.authority.errors import ProofFailed
from kiosk.authority.proof import seal, statement
from kiosk.authority.values import Challenge
from kiosk.core.secret import Secret
from statemachine.operation import Kind

pytestmark = pytest.mark.slow

CHALLENGE = Challenge(
    nonce=bytes(range(32)),
    operation="op-1",
    kind=Kind.CHANGE,
    credential="c1",
    account_guid="00112233-4455-6677-8899-aabbccddeeff",
    station="kiosk-1",
    sealing_key=bytes(32),
    key_slot="9A",
    key_algorithm="P-256",
)
DIGEST = hashlib.sha256(b"sealed").digest()


def test_the_statement_is_exactly_these_bytes() -> None:
    expected = (
        b"pin-kiosk statement\x00\x01"
        + b"\x00\x20"
        + bytes(range(32))
        + b"\x00\x04op-1"
        + b"\x00\x06change"
        + b"\x00\x02c1"
        + b"\x00\x10"
        + bytes.fromhex("00112233445566778899aabbccddeeff")
        + b"\x00\x07kiosk-1"
        + b"\x00\x20"
        + DIGEST
    )
    assert statement.authorisation(CHALLENGE, DIGEST) == expected


def test_a_proof_of_presence_is_exactly_these_bytes() -> None:
    assert statement.presence(b"n" * 32, "c1", "k1") == (
        b"pin-kiosk presence\x00\x01"
        + b"\x00\x20"
        + b"n" * 32
        + b"\x00\x02c1\x00\x02k1"
    )


@pytest.mark.parametrize(
    "other",
    [
        {"nonce": bytes(32)},
        {"operation": "op-2"},
        {"kind": Kind.FINISH},
        {"credential": "c2"},
        {"account_guid": "00112233-4455-6677-8899-aabbccddeefe"},
        {"station": "kiosk-2"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_every_field_changes_the_statement(other: dict[str, object]) -> None:
    changed = replace(CHALLENGE, **other)
    assert statement.authorisation(changed, DIGEST) != statement.authorisation(
        CHALLENGE, DIGEST
    )


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_a_statement_reads_back_as_what_it_names(
    operation: str, credential: str, station: str
) -> None:
    changed = replace(
        CHALLENGE, operation=operation, credential=credential, station=station
    )
    named = statement.read(statement.authorisation(changed, DIGEST))
    assert (named.operation, named.credential, named.station, named.sealed_digest) == (
        operation,
        credential,
        station,
        DIGEST,
    )


@given(st.binary(max_size=200))
def test_bytes_that_are_no_statement_are_refused(data: bytes) -> None:
    for message in (data, statement.authorisation(CHALLENGE, DIGEST)[:-1] + data[:0]):
        with pytest.raises(statement.MalformedStatement):
            statement.read(message)


def test_what_is_sealed_opens_for_its_operation_only() -> None:
    key = seal.SealingKey()
    with Secret(b"314159") as value:
        sealed = seal.seal(value, public_key=key.public, operation="op-1")
    assert b"314159" not in sealed
    with key.open(sealed, operation="op-1") as opened:
        assert opened.reveal() == b"314159"
    with pytest.raises(ProofFailed):
        key.open(sealed, operation="op-2")
    with pytest.raises(ProofFailed):
        seal.SealingKey().open(sealed, operation="op-1")
    with pytest.raises(ProofFailed):
        key.open(sealed[:-1] + bytes((sealed[-1] ^ 1,)), operation="op-1")


@pytest.mark.parametrize("length", [0, 10, 31, 32, 33, 47, 48, 60])
@pytest.mark.parametrize("point", [bytes(32), b"\x01" + bytes(31), b"\xff" * 32])
def test_what_was_never_sealed_does_not_open(point: bytes, length: int) -> None:
    """Points of low order, too, with which nobody can agree on a secret."""
    with pytest.raises(ProofFailed):
        seal.SealingKey().open((point + bytes(28))[:length], operation="op-1")


def test_sealing_the_same_value_twice_gives_no_hint() -> None:
    key = seal.SealingKey()
    with Secret(b"314159") as value:
        both = {
            seal.seal(value, public_key=key.public, operation="op-1") for _ in range(2)
        }
    assert len(both) == 2
