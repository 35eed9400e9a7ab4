"""Our client through PKCS#11 on SoftHSM: a real token, though one that never locks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lab.cards.softhsm import (
    MAIL,
    MODULE,
    PIN,
    PUK,
    PrivateKey,
    SoftToken,
    certificate,
)

from kiosk.authority.proof.signature import is_valid
from kiosk.cards.errors import (
    CardError,
    NotSupported,
    NotVerified,
    ObjectMissing,
    PinRefused,
    UnknownCard,
    WrongCard,
    WrongPin,
    WrongPuk,
)
from kiosk.cards.pkcs11.card import Pkcs11Card
from kiosk.cards.pkcs11.process import ModuleProcess
from kiosk.cards.pkcs11.unblocking import Unblocking
from kiosk.cards.ports import CardSession
from kiosk.cards.values import Family, IdentityKind, KeyAlgorithm, KeySlot
from kiosk.core.secret import Secret
from storage.records import PublicKey

KEYS: dict[KeyAlgorithm, PrivateKey] = {
    KeyAlgorithm.RSA_2048: rsa.generate_private_key(65537, 2048),
    KeyAlgorithm.P256: ec.generate_private_key(ec.SECP256R1()),
    KeyAlgorithm.P384: ec.generate_private_key(ec.SECP384R1()),
}
OWN, NEW = Secret(PIN.encode()), Secret(b"2342911")


def spki(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )


def on_record(key: PrivateKey, algorithm: KeyAlgorithm) -> PublicKey:
    return PublicKey(slot="9A", algorithm=algorithm, spki=spki(key))


@pytest.fixture
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def card(soft_token: SoftToken) -> Iterator[Pkcs11Card]:
    yield from a_card(soft_token, Unblocking.INIT_PIN)


def a_card(token: SoftToken, unblocking: Unblocking) -> Iterator[Pkcs11Card]:
    process = ModuleProcess(MODULE, unblocking)
    made = Pkcs11Card(process, reader=token.reader, insertion=1)
    yield made
    made.close()


def signs(session: CardSession, key: PrivateKey, algorithm: KeyAlgorithm) -> bool:
    signed = session.sign(KeySlot.AUTHENTICATION, algorithm, b"nonce")
    return is_valid(on_record(key, algorithm), b"nonce", signed)


def test_a_token_is_recognised_by_its_maker_and_serial_number(
    soft_token: SoftToken, card: Pkcs11Card, key: PrivateKey
) -> None:
    soft_token.put(key, certificate(key), identifier="01")
    found = card.recognise()
    assert found.identity.family is Family.PKCS11
    assert found.identity.kind is IdentityKind.SERIAL
    assert found.identity.value.startswith(b"SoftHSM project/")
    assert found.pin_tries.left is None
    assert found.has_puk
    (by_key,) = card.other_identities(found.identity)
    assert by_key.kind is IdentityKind.KEY
    with card.session(by_key):
        pass


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_pin_is_changed_and_the_new_one_signs(
    soft_token: SoftToken, card: Pkcs11Card, algorithm: KeyAlgorithm
) -> None:
    key = KEYS[algorithm]
    soft_token.put(key, certificate(key), identifier="01")
    with card.session(card.recognise().identity) as session:
        session.change_pin(OWN, NEW)
        with pytest.raises(WrongPin):
            session.verify(OWN)
        session.verify(NEW)
        assert signs(session, key, algorithm)
        session.logout()
        with pytest.raises(NotVerified):
            signs(session, key, algorithm)


def test_the_security_officers_pin_unblocks_where_the_site_says_so(
    soft_token: SoftToken, card: Pkcs11Card, key: PrivateKey
) -> None:
    soft_token.put(key, certificate(key), identifier="01")
    with card.session(card.recognise().identity) as session:
        with pytest.raises(WrongPuk):
            session.unblock(Secret(b"87654321"), NEW)
        session.unblock(Secret(PUK.encode()), NEW)
        session.verify(NEW)
        assert signs(session, key, KeyAlgorithm.P256)


def test_a_middleware_nobody_knows_how_to_unblock_with_is_not_tried(
    soft_token: SoftToken, key: PrivateKey
) -> None:
    soft_token.put(key, certificate(key), identifier="01")
    for card in a_card(soft_token, Unblocking.AUTO):
        found = card.recognise()
        assert not found.has_puk
        with card.session(found.identity) as session:
            with pytest.raises(NotSupported):
                session.unblock(Secret(PUK.encode()), NEW)
            session.verify(OWN)


def test_a_value_the_token_does_not_take_changes_nothing(
    soft_token: SoftToken, card: Pkcs11Card, key: PrivateKey
) -> None:
    soft_token.put(key, certificate(key), identifier="01")
    with card.session(card.recognise().identity) as session:
        with pytest.raises(PinRefused):
            session.change_pin(OWN, Secret(b"1"))
        session.verify(OWN)


def test_the_certificate_for_signing_in_is_chosen_among_many(
    soft_token: SoftToken, card: Pkcs11Card, key: PrivateKey
) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    soft_token.put(other, certificate(other, [MAIL]), identifier="01")
    soft_token.put(key, certificate(key), identifier="02")
    soft_token.put_certificate(certificate(other, is_authority=True), identifier="00")
    qualified = ec.generate_private_key(ec.SECP256R1())
    soft_token.put(
        qualified, certificate(qualified, [], documents_only=True), identifier="03"
    )
    with card.session(card.recognise().identity) as session:
        session.verify(OWN)
        assert signs(session, key, KeyAlgorithm.P256)


def test_a_key_of_the_same_number_that_is_another_one_is_not_used(
    soft_token: SoftToken, card: Pkcs11Card
) -> None:
    certified = rsa.generate_private_key(65537, 2048)
    another = rsa.generate_private_key(65537, 2048)
    soft_token.put(another, certificate(certified), identifier="01")
    with card.session(card.recognise().identity) as session:
        session.verify(OWN)
        with pytest.raises(ObjectMissing):
            session.sign(KeySlot.AUTHENTICATION, KeyAlgorithm.RSA_2048, b"nonce")


def test_a_token_without_a_certificate_can_change_its_pin_but_not_sign(
    soft_token: SoftToken, card: Pkcs11Card
) -> None:
    with card.session(card.recognise().identity) as session:
        session.change_pin(OWN, NEW)
        session.verify(NEW)
        with pytest.raises(ObjectMissing):
            session.certificate(KeySlot.AUTHENTICATION)
        with pytest.raises(ObjectMissing):
            session.sign(KeySlot.AUTHENTICATION, KeyAlgorithm.P256, b"nonce")


def test_a_token_of_another_reader_is_not_this_card(soft_token: SoftToken) -> None:
    process = ModuleProcess(MODULE, Unblocking.AUTO)
    card = Pkcs11Card(process, reader="Another Reader 00 00", insertion=1)
    with pytest.raises(UnknownCard):
        card.recognise()
    card.close()


def test_a_session_opens_for_the_card_it_is_meant_for_only(
    soft_token: SoftToken, card: Pkcs11Card, key: PrivateKey
) -> None:
    soft_token.put(key, certificate(key), identifier="01")
    found = card.recognise().identity
    other = type(found)(found.family, found.kind, found.value + b"1")
    with pytest.raises(WrongCard), card.session(other):
        pass


def test_what_a_module_has_no_way_for_is_refused_without_asking_it(
    soft_token: SoftToken, card: Pkcs11Card
) -> None:
    identity = card.recognise().identity
    with pytest.raises(NotSupported):
        card.hold(identity)
    with card.session(identity) as session:
        for refused in (
            lambda: session.change_puk(OWN, NEW),
            session.challenge,
            session.verify_at_pad,
        ):
            with pytest.raises(CardError) as caught:
                refused()
            assert isinstance(caught.value, NotSupported)
