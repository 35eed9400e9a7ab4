"""What an operator's card signs to sign in: once, at one desk, of one card, in time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lab.desk.site import Site
from msgspec.structs import replace

from kiosk.authority.errors import ProofFailed
from kiosk.authority.office import sign_in
from kiosk.authority.office.errors import SignInRefused
from kiosk.authority.office.policy import OfficePolicy
from kiosk.authority.office.sign_in import Entrance
from kiosk.authority.office.values import SignInChallenge, SignInProof
from kiosk.config import OperatorRole
from kiosk.config.sections.enrollment import NamedBy
from statemachine.lifecycle import State
from storage.records import PublicKey

DESKS = "CN=desks,DC=ad,DC=test"
KEY = ec.generate_private_key(ec.SECP256R1())


class Door:
    """A desk at which hanna signs in, whose card has a key."""

    def __init__(self) -> None:
        self.site = Site()
        guid = self.site.domain.add_account("hanna", groups=frozenset({DESKS}))
        spki = KEY.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
        key = PublicKey(slot="9A", algorithm="P-256", spki=spki)
        self.card = self.site.card(account_guid=guid, authentication_key=key)

    def at(self, station: str = "desk-1") -> Entrance:
        policy = OfficePolicy(
            groups={OperatorRole.HELPDESK: DESKS},
            with_account=False,
            second_for=frozenset(),
            named_by=NamedBy.UPN,
            expiring_days=30,
        )
        return Entrance(parts=self.site.parts, station=station, policy=policy)

    def challenge(self) -> SignInChallenge:
        return sign_in.challenge(self.at(), self.card.card, 3)


@pytest.fixture(name="door")
def _door() -> Door:
    return Door()


def signed(asked: SignInChallenge) -> SignInProof:
    signature = KEY.sign(asked.message, ec.ECDSA(hashes.SHA256()))
    return SignInProof(
        credential=asked.credential, nonce=asked.nonce, signature=signature
    )


def test_a_card_signs_its_operator_in(door: Door) -> None:
    operator = sign_in.by_card(door.at(), signed(door.challenge()))
    assert operator.roles == {OperatorRole.HELPDESK}


def test_a_signature_counts_once(door: Door) -> None:
    proof = signed(door.challenge())
    sign_in.by_card(door.at(), proof)
    with pytest.raises(ProofFailed):
        sign_in.by_card(door.at(), proof)


SPOILT: dict[str, Callable[[Door, SignInProof], None]] = {
    "signed wrongly": lambda door, proof: _tried(
        door, proof, lambda it: replace(it, signature=b"\x30\x00")
    ),
    "tried at another desk": lambda door, proof: _tried(
        door, proof, lambda it: it, station="desk-2"
    ),
    "two minutes old": lambda door, _: door.site.clock.sleep(120.0),
}


def _tried(
    door: Door,
    proof: SignInProof,
    change: Callable[[SignInProof], SignInProof],
    station: str = "desk-1",
) -> None:
    with pytest.raises(ProofFailed):
        sign_in.by_card(door.at(station), change(proof))


@pytest.mark.parametrize("how", SPOILT)
def test_a_nonce_is_used_up_by_whatever_was_tried_with_it(door: Door, how: str) -> None:
    proof = signed(door.challenge())
    SPOILT[how](door, proof)
    with pytest.raises(ProofFailed):
        sign_in.by_card(door.at(), proof)
    assert door.site.last_audit()[0] == "operator.sign_in_refused"


def test_a_card_that_was_held_meanwhile_signs_nobody_in(door: Door) -> None:
    proof = signed(door.challenge())
    door.site.registry.run(
        lambda tx: tx.save_credential(
            replace(tx.credential(door.card.id), state=State.SUSPENDED)
        )
    )
    with pytest.raises(SignInRefused):
        sign_in.by_card(door.at(), proof)
