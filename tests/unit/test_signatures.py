"""Each kind of key, beside what it has not signed and what is no key."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lab.histories import History
from lab.liar import LIMITS, Liar, named

from kiosk.authority.proof import statement
from kiosk.authority.proof.signature import is_signed
from kiosk.authority.values import Challenge, OpenRequest, SeenCard
from statemachine.lifecycle import State
from statemachine.operation import Kind

SAID = b"what was said"


class Signs(NamedTuple):
    """A key, and how it signs."""

    public: PublicKeyTypes
    sign: Callable[[bytes], bytes]

    @property
    def spki(self) -> bytes:
        return self.public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _on_curve(curve: ec.EllipticCurve, digest: hashes.HashAlgorithm) -> Signs:
    key = ec.generate_private_key(curve)
    return Signs(key.public_key(), lambda said: key.sign(said, ec.ECDSA(digest)))


def _rsa() -> Signs:
    key = rsa.generate_private_key(65537, 2048)
    way = padding.PKCS1v15()
    return Signs(key.public_key(), lambda said: key.sign(said, way, hashes.SHA256()))


def _ed25519() -> Signs:
    key = ed25519.Ed25519PrivateKey.generate()
    return Signs(key.public_key(), key.sign)


KINDS = {
    "P-256": _on_curve(ec.SECP256R1(), hashes.SHA256()),
    "P-384": _on_curve(ec.SECP384R1(), hashes.SHA384()),
    "RSA": _rsa(),
    "Ed25519": _ed25519(),
}
by_kind = pytest.mark.parametrize("kind", KINDS)


@by_kind
def test_what_a_key_has_signed_is_valid_and_nothing_else_is(kind: str) -> None:
    spki, signed = KINDS[kind].spki, KINDS[kind].sign(SAID)
    assert is_signed(spki, SAID, signed)
    assert not is_signed(spki, SAID + b".", signed)
    assert not is_signed(spki, SAID, KINDS[kind].sign(b"something else"))
    assert not is_signed(spki, SAID, b"")
    assert not is_signed(spki, SAID, bytes([signed[0]]) + signed[1:-1] + b"\0\1")


@by_kind
def test_nor_what_another_key_of_any_kind_has_signed(kind: str) -> None:
    for other, signs in KINDS.items():
        if other != kind:
            assert not is_signed(KINDS[kind].spki, SAID, signs.sign(SAID))


@by_kind
def test_a_key_of_a_kind_that_nobody_knows_signs_nothing(kind: str) -> None:
    """Its name is one that no library has: an error of its own, and no crash."""
    spki = bytearray(KINDS[kind].spki)
    at = spki.index(b"\x06") + 2  # the first object identifier's first byte
    spki[at : at + 2] = b"\x2b\x7f"
    assert not is_signed(bytes(spki), SAID, KINDS[kind].sign(SAID))


def test_a_curve_that_is_not_supported_signs_nothing() -> None:
    spki = KINDS["P-256"].spki.replace(
        bytes.fromhex("06082a8648ce3d030107"), bytes.fromhex("06082a8648ce3d03017f")
    )
    assert not is_signed(spki, SAID, KINDS["P-256"].sign(SAID))


# --- statements -----------------------------------------------------------------------

CHALLENGE = Challenge(
    nonce=bytes(32),
    operation="op-1",
    kind=Kind.CHANGE,
    credential="c1",
    account_guid="00112233-4455-6677-8899-aabbccddeeff",
    station="kiosk-1",
    sealing_key=b"",
    key_slot="9A",
    key_algorithm="P-256",
)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda sound: sound + b"\0",
        lambda sound: sound + b"\0\0",
        lambda sound: sound + b"\0\1",
        lambda sound: sound.replace(b"op-1", b"op-\xff"),
        lambda sound: sound.replace(b"c1", b"\xc3\x28"),
        lambda sound: sound.replace(b"kiosk-1", b"kiosk-\xe2"),
        lambda sound: sound.replace(b"change", b"chang\x80"),
    ],
)
def test_what_is_nearly_a_statement_is_none(spoil: Callable[[bytes], bytes]) -> None:
    """Never an error of another kind: who verifies evidence goes on with the next."""
    sound = statement.authorisation(CHALLENGE, bytes(32))
    assert statement.read(sound).operation == "op-1"
    with pytest.raises(statement.MalformedStatement):
        statement.read(spoil(sound))


# --- a card that proves itself --------------------------------------------------------


def test_what_a_card_signs_cannot_be_guessed() -> None:
    liar = Liar(History(named("change")), Kind.CHANGE)
    assert liar.prepared.challenge is not None
    first, second = (liar.port.challenge_presence(liar.credential.id) for _ in range(2))
    assert first is not None
    assert second is not None
    nonces = {first.nonce, second.nonce, liar.prepared.challenge.nonce}
    assert {len(each) for each in nonces} == {32}
    assert len(nonces) == 3


@pytest.mark.parametrize("left", [3, None])
def test_a_card_that_proves_itself_and_has_tries_left_is_not_blocked(
    left: int | None,
) -> None:
    liar = Liar(History(named("change")), Kind.CHANGE)
    nonce, signature = liar.presence()
    card = liar.credential
    request = OpenRequest(card=card.card, seen=SeenCard(limits=LIMITS, tries_left=left))
    opened = liar.port.prove_presence(card.id, nonce, signature, request)
    assert opened.state is liar.credential.state is State.ACTIVE
