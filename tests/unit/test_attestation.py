"""A maker's word about a key counts if it is about this key, this card, and trusted."""

from __future__ import annotations

import dataclasses

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ObjectIdentifier
from lab.cards.requests import CardAtHand, card

from kiosk.cards.errors import UnexpectedStatus
from kiosk.cards.piv.attestation import Attestation, attest
from kiosk.cards.values import KeyAlgorithm, KeySlot
from kiosk.certificates.attestation import (
    AttestationWrong,
    AttestedOnly,
    AttestedPinPolicy,
    AttestsAnotherCard,
    AttestsAnotherKey,
    KeyWithoutPin,
    MakerNotTrusted,
    NotAttested,
    judge,
)
from kiosk.certificates.local_ca import Issuer, new_issuer
from kiosk.certificates.ports import CertificateRequest, Certified
from kiosk.simulation.cards import attestation as simulated
from kiosk.simulation.cards.options import PivOptions, of_yubikey
from kiosk.simulation.cards.reader import SimulatedReaders

NOW = 1_767_261_600.0
SERIAL = 12_345_678
ROOTS = [simulated.root()]


def yubikey(
    algorithm: KeyAlgorithm = KeyAlgorithm.P256, serial: int = SERIAL
) -> CardAtHand:
    return card(algorithm, of_yubikey(serial, (5, 7, 1)))


def attestation(request: CertificateRequest) -> Attestation:
    assert request.attestation is not None
    return request.attestation


@pytest.mark.parametrize(
    "algorithm", [KeyAlgorithm.P256, KeyAlgorithm.RSA_2048, KeyAlgorithm.ED25519]
)
def test_a_key_that_the_card_has_made_is_attested(algorithm: KeyAlgorithm) -> None:
    request = yubikey(algorithm).request(attested=True)
    told = judge(attestation(request), request, ROOTS)
    assert told.serial == SERIAL
    assert told.firmware == (5, 7, 1)
    assert told.pin_policy is AttestedPinPolicy.ONCE
    assert told.touch_policy == 1


@pytest.mark.parametrize("serial", [1, 0x7F, 0x80, 0xFFFF_FFFF])
def test_every_serial_number_is_read(serial: int) -> None:
    request = yubikey(serial=serial).request(attested=True)
    assert judge(attestation(request), request, ROOTS).serial == serial


def test_the_key_of_the_card_needs_no_pin() -> None:
    request = yubikey().request(KeySlot.CARD_AUTHENTICATION, attested=True)
    told = judge(attestation(request), request, ROOTS)
    assert told.pin_policy is AttestedPinPolicy.NEVER


def test_a_key_of_the_holders_without_a_pin_is_refused() -> None:
    request = yubikey().request(KeySlot.CARD_AUTHENTICATION, attested=True)
    as_holders = dataclasses.replace(request, slot=KeySlot.AUTHENTICATION)
    with pytest.raises(KeyWithoutPin):
        judge(attestation(request), as_holders, ROOTS)


def test_the_word_about_another_key_does_not_count() -> None:
    made = yubikey()
    other = made.request(KeySlot.CARD_AUTHENTICATION, attested=True)
    with pytest.raises(AttestsAnotherKey):
        judge(attestation(other), made.request(), ROOTS)


def test_the_word_of_another_card_does_not_count() -> None:
    request = yubikey().request(attested=True)
    elsewhere = dataclasses.replace(request, card="piv:serial:00000001")
    with pytest.raises(AttestsAnotherCard) as caught:
        judge(attestation(request), elsewhere, ROOTS)
    assert caught.value.data == {"serial": SERIAL}


def test_a_maker_whom_the_site_does_not_trust_vouches_for_nothing() -> None:
    request = yubikey().request(attested=True)
    pem, _ = new_issuer("Another maker", now=NOW)
    for roots in ([], [x509.load_pem_x509_certificate(pem)]):
        with pytest.raises(MakerNotTrusted):
            judge(attestation(request), request, roots)


def test_a_statement_that_another_cards_key_has_signed_does_not_count() -> None:
    request, other = (each.request(attested=True) for each in (yubikey(), yubikey()))
    mixed = Attestation(attestation(request).statement, attestation(other).maker)
    with pytest.raises(MakerNotTrusted):
        judge(mixed, request, ROOTS)


def test_an_attested_key_is_itself_no_maker() -> None:
    """Whoever owns a card could sign statements with its own keys."""
    request = yubikey().request(attested=True)
    held = attestation(request)
    roots = [*ROOTS, x509.load_der_x509_certificate(held.maker)]
    with pytest.raises(MakerNotTrusted):
        judge(Attestation(held.statement, held.statement), request, roots)


def test_a_statement_that_lacks_what_it_should_tell_is_not_read() -> None:
    request, maker = yubikey().request(), simulated.new_maker()
    der = maker.certificate.public_bytes(Encoding.DER)
    key = maker.key
    for told in ({}, _told(firmware=b""), _told(policies=b"\x09\x01"), _told(b"")):
        statement = simulated.statement(maker, key, 0x9A, told)
        with pytest.raises(AttestationWrong):
            judge(Attestation(statement, der), request, ROOTS)


def _told(
    serial: bytes = b"\x02\x01\x05",
    *,
    firmware: bytes = b"\x05\x07\x01",
    policies: bytes = b"\x02\x01",
) -> dict[ObjectIdentifier, bytes]:
    return {
        simulated.SERIAL: serial,
        simulated.FIRMWARE: firmware,
        simulated.POLICIES: policies,
    }


@pytest.mark.parametrize("bad", [b"", b"\x30\x00", b"nonsense"])
def test_nonsense_is_told_as_such(bad: bytes) -> None:
    request = yubikey().request(attested=True)
    good = attestation(request)
    for mixed in (Attestation(bad, good.maker), Attestation(good.statement, bad)):
        with pytest.raises(AttestationWrong):
            judge(mixed, request, ROOTS)


# --- cards -------------------------------------------------------------------


@pytest.mark.parametrize(
    "options", [PivOptions(), of_yubikey(SERIAL, (4, 2, 8))], ids=["generic", "old"]
)
def test_a_card_without_the_command_states_nothing(options: PivOptions) -> None:
    made = card(options=options)
    with SimulatedReaders().insert(made.made.card).piv.application() as application:
        assert attest(application, KeySlot.AUTHENTICATION) is None


def test_an_empty_slot_is_attested_by_nobody() -> None:
    made = yubikey()
    made.made.card.keys.clear()
    card = SimulatedReaders().insert(made.made.card).piv
    with card.application() as application, pytest.raises(UnexpectedStatus):
        attest(application, KeySlot.AUTHENTICATION)


# --- sources -----------------------------------------------------------------


@pytest.fixture
def ca() -> Issuer:
    certificate, pem = new_issuer("Test issuer", now=NOW)
    key = load_pem_private_key(pem, password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return Issuer(x509.load_pem_x509_certificate(certificate), key, 30)


def test_an_attested_key_is_certified(ca: Issuer) -> None:
    source = AttestedOnly(ca, ROOTS, required=True)
    answer = source.obtain(yubikey().request(attested=True), now=NOW)
    assert isinstance(answer, Certified)


def test_a_key_of_an_untrusted_maker_is_not(ca: Issuer) -> None:
    source = AttestedOnly(ca, [], required=False)
    with pytest.raises(MakerNotTrusted):
        source.obtain(yubikey().request(attested=True), now=NOW)


def test_a_card_that_attests_nothing_is_certified_only_where_the_site_allows_it(
    ca: Issuer,
) -> None:
    request = card().request()
    with pytest.raises(NotAttested):
        AttestedOnly(ca, ROOTS, required=True).obtain(request, now=NOW)
    answer = AttestedOnly(ca, ROOTS, required=False).obtain(request, now=NOW)
    assert isinstance(answer, Certified)
