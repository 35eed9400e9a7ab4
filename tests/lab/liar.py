"""A station in one operation, which talks to the authority's port as it likes."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from kiosk.authority.ports import Authority
from kiosk.authority.proof import seal, statement
from kiosk.authority.values import CardLimits, Prepared
from kiosk.core.secret import Secret
from kiosk.pin.alphabet import Alphabet
from lab.histories import NEW, STORIES, History, Story
from statemachine.operation import Kind
from storage.records import ApprovalKind, Credential, Operation

LIMITS = CardLimits(minimum=6, maximum=8, alphabet=Alphabet.DIGITS)


def named(name: str) -> Story:
    return next(story for story in STORIES if story.name == name)


class Liar:
    """A station in one operation, which calls what it likes."""

    def __init__(self, history: History, kind: Kind, *, insert: bool = True) -> None:
        self.history = history
        if insert:
            history.home_screen()
        self.port: Authority = history.world.authority.port
        self.prepared: Prepared = history.prepare(kind, LIMITS)
        self.id = self.prepared.operation

    @property
    def operation(self) -> Operation:
        return self.history.world.registry.run(lambda tx: tx.operation(self.id))

    @property
    def credential(self) -> Credential:
        return self.history.world.credential("alice")

    def redeem(self, kind: ApprovalKind, code: Secret) -> None:
        self.prove_card()
        self.port.redeem(self.id, kind, code)

    def presence(self) -> tuple[bytes, bytes]:
        """A nonce, and the card's own signature over it."""
        challenge = self.port.challenge_presence(self.credential.id)
        assert challenge is not None
        return challenge.nonce, self.signed(0x9E, challenge.message)

    def prove_card(self) -> None:
        self.port.prove_card(self.id, *self.presence())

    def signed(self, slot: int, message: bytes) -> bytes:
        key = self.history.holder.made.card.keys[slot]
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key.sign(message, ec.ECDSA(hashes.SHA256()))

    def sealed(self, value: bytes = NEW) -> bytes:
        public = self.prepared.sealing_key
        with Secret(value) as secret:
            return seal.seal(secret, public_key=public, operation=self.id)

    def authorise(self, sealed: bytes) -> None:
        challenge = self.prepared.challenge
        assert challenge is not None
        message = statement.authorisation(challenge, seal.digest(sealed))
        signed = self.signed(0x9A, message)
        self.port.authorise(self.id, challenge.nonce, signed, sealed, going_on=False)

    def reset_card(self) -> None:
        """What a visit does before the card of an unblock has its new PIN."""
        self.redeem(ApprovalKind.RELEASE, self.history.world.release_code("alice"))
        self.port.release(self.id, *self.presence(), None)
