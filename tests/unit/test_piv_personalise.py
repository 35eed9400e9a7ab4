"""A blank card becomes somebody's, in an order that survives a crash anywhere."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from kiosk.authority.proof.signature import is_valid
from kiosk.cards.errors import CardRemoved, WrongManagementKey, WrongPuk
from kiosk.cards.new_keys import NewKey
from kiosk.cards.piv import objects
from kiosk.cards.piv.card import PivCard
from kiosk.cards.piv.management import (
    FACTORY_KEY,
    HeldManagementKey,
    ManagementAlgorithm,
)
from kiosk.cards.piv.personalise import (
    CardSecrets,
    Personalised,
    Plan,
    personalise,
)
from kiosk.cards.request import certificate_request
from kiosk.cards.values import KeyAlgorithm, KeySlot
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.simulation.cards.faults import PullAfter
from kiosk.simulation.cards.options import (
    PivOptions,
    Variant,
    of_variant,
    of_yubikey,
)
from kiosk.simulation.cards.piv import SimulatedPivCard
from kiosk.simulation.cards.reader import SimulatedReaders
from storage.records import PublicKey

NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ann Example")])
NEW_KEY = bytes(range(32))
CERTIFICATE = b"\x30\x82\x02\x04" + bytes(0x204)
PLAN = Plan(
    guid=bytes(range(16)),
    card_id=bytes(14),
    expires=datetime.date(2031, 12, 31),
)


def secrets(
    pin: bytes, puk: bytes, algorithm: ManagementAlgorithm, key: bytes
) -> CardSecrets:
    return CardSecrets(
        pin=Secret(pin),
        puk=Secret(puk),
        management=HeldManagementKey(algorithm, Secret(key)),
    )


class Blank:
    """A card as from the factory, in a simulated reader."""

    def __init__(self, options: PivOptions | None = None) -> None:
        self.chip = SimulatedPivCard(entropy=SeededEntropy(1), options=options)
        self.readers = SimulatedReaders()
        self.card: PivCard = self.readers.insert(self.chip).piv
        self.requests: list[x509.CertificateSigningRequest] = []
        self.before = secrets(
            b"123456",
            b"12345678",
            self.chip.options.management_algorithm,
            FACTORY_KEY,
        )
        self.after = secrets(
            b"481516", b"75318642", ManagementAlgorithm.AES_256, NEW_KEY
        )

    def certify(self, keys: Sequence[NewKey]) -> list[bytes]:
        requests = [certificate_request(key, NAME) for key in keys]
        self.requests += [x509.load_der_x509_csr(each) for each in requests]
        return [CERTIFICATE for _ in keys]

    def personalise(self, plan: Plan = PLAN) -> Personalised:
        with self.card.application() as application:
            return personalise(
                application,
                plan,
                before=self.before,
                after=self.after,
                set_puk=lambda: application.change_puk(self.before.puk, self.after.puk),
                certify=self.certify,
                entropy=SeededEntropy(2),
            )

    @property
    def is_finished(self) -> bool:
        return (
            self.chip.has_pin(b"481516")
            and self.chip.has_puk(b"75318642")
            and self.chip.admin.is_key(NEW_KEY)
        )


OPTIONS = {
    "a": of_variant(Variant.A),
    "b": of_variant(Variant.B),
    "yubikey 5.4": of_yubikey(1),
    "yubikey 5.7": of_yubikey(1, (5, 7, 0)),
    "pin always": PivOptions(pin_always=True),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_a_blank_card_gets_keys_objects_and_secrets(name: str) -> None:
    blank = Blank(OPTIONS[name])
    made = blank.personalise()
    assert blank.is_finished
    assert made.identity == blank.card.recognise().identity
    assert objects.read_chuid(blank.chip.objects[objects.CHUID]).guid == PLAN.guid
    assert blank.chip.objects[objects.CCC] == objects.write_ccc(PLAN.card_id)
    for tag in objects.CERTIFICATES.values():
        stored = objects.read_certificate(blank.chip.objects[tag])
        assert stored == CERTIFICATE


@pytest.mark.parametrize(
    "algorithm",
    [
        KeyAlgorithm.P256,
        KeyAlgorithm.P384,
        KeyAlgorithm.RSA_2048,
        KeyAlgorithm.ED25519,
    ],
)
def test_the_key_on_record_is_the_one_that_signs(algorithm: KeyAlgorithm) -> None:
    blank = Blank()
    plan = Plan(
        guid=PLAN.guid,
        card_id=PLAN.card_id,
        expires=PLAN.expires,
        authentication=algorithm,
    )
    made = blank.personalise(plan)
    key = PublicKey(slot="9A", algorithm=algorithm, spki=made.authentication.spki)
    with blank.card.session(made.identity) as session:
        session.verify(Secret(b"481516"))
        signature = session.sign(KeySlot.AUTHENTICATION, algorithm, b"nonce")
    assert is_valid(key, b"nonce", signature)
    assert blank.requests[0].is_signature_valid
    assert blank.requests[0].subject == NAME


def test_a_card_may_do_without_a_card_authentication_key() -> None:
    blank = Blank()
    plan = Plan(
        guid=PLAN.guid,
        card_id=PLAN.card_id,
        expires=PLAN.expires,
        card_authentication=None,
    )
    assert blank.personalise(plan).card_authentication is None
    assert 0x9E not in blank.chip.keys


def test_personalising_costs_few_apdus() -> None:
    blank = Blank()
    blank.personalise(
        Plan(
            guid=PLAN.guid,
            card_id=PLAN.card_id,
            expires=PLAN.expires,
            card_authentication=None,
        )
    )
    # SELECT, 9B ×2, generate, CHUID, CCC, VERIFY, sign, certificate ×3, identity,
    # PUK, PIN, management key, logout.
    assert blank.readers.faults.count == 16


def test_what_a_card_may_refuse_comes_first_and_the_management_key_last() -> None:
    blank = Blank()
    blank.personalise()
    order: dict[tuple[bool, bool, int, bool], None] = {}
    for at in range(1, blank.readers.faults.count + 1):
        again = Blank()
        again.readers.faults.set(PullAfter(at=at))
        with pytest.raises(CardRemoved):
            again.personalise()
        chip = again.chip
        has = chip.has_puk(b"75318642"), chip.has_pin(b"481516")
        order[(*has, len(chip.keys), chip.admin.is_key(NEW_KEY))] = None
    assert list(order) == [
        (False, False, 0, False),
        (True, False, 0, False),
        (True, True, 0, False),
        (True, True, 1, False),
        (True, True, 2, False),
        (True, True, 2, True),
    ]


BEFORE_SECRETS = 5
"""SELECT, the management key (2), the card's name (2): then its secrets are set."""


def test_a_card_pulled_before_its_secrets_is_personalised_by_starting_over() -> None:
    for at in range(1, BEFORE_SECRETS + 1):
        blank = Blank()
        blank.readers.faults.set(PullAfter(at=at))
        with pytest.raises(CardRemoved):
            blank.personalise()
        blank.readers.faults.set()
        blank.card = blank.readers.insert(blank.chip).piv
        blank.personalise()
        assert blank.is_finished


def test_a_card_with_another_management_key_is_left_as_it_is() -> None:
    blank = Blank()
    blank.chip.admin.replace(ManagementAlgorithm.TRIPLE_DES, bytes(range(24)))
    with pytest.raises(WrongManagementKey):
        blank.personalise()
    assert (blank.chip.objects, blank.chip.keys) == ({}, {})


def test_a_card_with_another_puk_keeps_its_pin() -> None:
    blank = Blank()
    blank.chip.references.puk.replace(b"00000000")
    with pytest.raises(WrongPuk):
        blank.personalise()
    assert blank.chip.has_pin(b"123456")
    assert blank.chip.puk_tries_left == 2
