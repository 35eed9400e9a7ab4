"""Keys of simulated cards, and the requests that the cards sign for them."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.cards.new_keys import NewKey
from kiosk.cards.piv.attestation import attest
from kiosk.cards.piv.card import PivCard
from kiosk.cards.values import CardIdentity, KeyAlgorithm, KeySlot
from kiosk.certificates import certificate_requests
from kiosk.certificates.ports import Applicant, CertificateRequest
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.simulation.cards.factory import KeyMade, MadeCard, make_card
from kiosk.simulation.cards.options import PivOptions
from kiosk.simulation.cards.reader import SimulatedReaders

PIN = b"481516"
GUID = bytes(range(16))
ANN = Applicant(account="ann@ad.test", display_name="Ann Example", guid="guid-of-ann")


@dataclass(frozen=True, slots=True)
class CardAtHand:
    """A personalised simulated card in a reader, whose keys sign."""

    made: MadeCard

    @property
    def identity(self) -> CardIdentity:
        return self.made.identity

    def key(self, slot: KeySlot = KeySlot.AUTHENTICATION) -> NewKey:
        made = self._made(slot)
        return NewKey(
            slot=slot,
            algorithm=made.algorithm,
            spki=made.spki,
            sign=lambda message: self._sign(slot, message),
        )

    def request(
        self,
        slot: KeySlot = KeySlot.AUTHENTICATION,
        *,
        person: Applicant = ANN,
        renews: bytes = b"",
        attested: bool = False,
    ) -> CertificateRequest:
        statement = None
        if attested:
            with _inserted(self.made).application() as application:
                statement = attest(application, slot)
        return certificate_requests.request(
            self.key(slot),
            person,
            card=self.identity.key,
            guid=GUID,
            renews=renews,
            attestation=statement,
        )

    def _made(self, slot: KeySlot) -> KeyMade:
        if slot is KeySlot.AUTHENTICATION:
            return self.made.authentication
        assert self.made.card_authentication is not None
        return self.made.card_authentication

    def _sign(self, slot: KeySlot, message: bytes) -> bytes:
        with _inserted(self.made).application() as application:
            application.verify(Secret(PIN))
            return application.sign(slot, self._made(slot).algorithm, message)


def _inserted(made: MadeCard) -> PivCard:
    return SimulatedReaders().insert(made.card).piv


def card(
    algorithm: KeyAlgorithm = KeyAlgorithm.P256,
    options: PivOptions | None = None,
    seed: int = 5,
) -> CardAtHand:
    """Return a card with keys of a kind."""
    return CardAtHand(
        make_card(
            SeededEntropy(seed),
            subject="Ann",
            pin=PIN,
            puk=b"12345678",
            algorithm=algorithm,
            options=options,
        )
    )
