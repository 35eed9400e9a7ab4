"""GIDS cards: bytes as measured, counts as promised, and every refusal as its error."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from kiosk.authority.escrow import admin_key
from kiosk.cards.any_card import AnyCard
from kiosk.cards.errors import (
    CardError,
    MalformedAnswer,
    NotSupported,
    NotVerified,
    ObjectMissing,
    PinBlocked,
    PinRefused,
    WrongAdminKey,
    WrongCard,
    WrongPin,
    WrongPuk,
)
from kiosk.cards.gids import objects
from kiosk.cards.ports import CardSession
from kiosk.cards.values import Family, IdentityKind, KeyAlgorithm, KeySlot, Tries
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.simulation.cards.gids_factory import make_gids_card
from kiosk.simulation.cards.options import GidsOptions
from kiosk.simulation.cards.reader import SimulatedReaders

PIN, NEW, PUK = b"2718", b"Correct-Horse-16", b"86427531"
KEY = bytes.fromhex("0123456789ABCDEFFEDCBA98765432108899AABBCCDDEEFF")
RSA = KeyAlgorithm.RSA_2048


class Desk:
    """A GIDS card in a reader."""

    def __init__(self, options: GidsOptions | None = None, puk: bytes = b"") -> None:
        self.entropy = SeededEntropy(3)
        self.made = make_gids_card(
            self.entropy,
            subject="Ann",
            pin=PIN,
            puk=puk,
            admin_key=KEY,
            options=options,
        )
        self.chip = self.made.card
        self.readers = SimulatedReaders()
        self.card: AnyCard = self.readers.insert(self.chip)
        self.sent: list[bytes] = []
        heard = self.chip.transmit

        def transmit(apdu: bytes | bytearray) -> bytearray:
            self.sent.append(bytes(apdu))
            return heard(apdu)

        self.chip.transmit = transmit  # type: ignore[method-assign]  # to listen

    def in_session(self, act: Callable[[CardSession], object]) -> list[str]:
        """Act in one transaction; return what was sent, in hex."""
        self.sent.clear()
        with self.card.session(self.made.identity) as session:
            act(session)
        return [apdu.hex().upper() for apdu in self.sent]


# --- recognising --------------------------------------------------------------


def test_piv_is_asked_first_then_gids() -> None:
    desk = Desk()
    found = desk.card.recognise()
    assert found.identity.family is Family.GIDS
    assert found.identity.kind is IdentityKind.CARD_ID
    selects = [apdu[5:].hex().upper() for apdu in desk.sent if apdu[1] == 0xA4]
    assert selects == ["A00000030800", "A0000003974254465900"]


def test_recognising_takes_six_apdus_and_no_try() -> None:
    desk = Desk()
    found = desk.card.recognise()
    assert [apdu[1] for apdu in desk.sent[1:]] == [0xA4, 0xCB, 0xCB, 0xCB, 0xCB]
    assert found.pin_tries == Tries(3, 3)
    assert (found.pin_format.minimum, found.pin_format.maximum) == (4, 16)
    assert found.has_admin_key
    assert not found.has_puk


def test_a_puk_is_seen_by_its_counter() -> None:
    found = Desk(puk=PUK).card.recognise()
    assert found.has_puk
    assert found.puk_tries == Tries(3, 3)


def test_tries_are_read_from_their_data_object_never_with_an_empty_verify() -> None:
    desk = Desk()
    sent = desk.in_session(lambda session: session.tries())
    assert "00CB3FFF045C027F7100" in sent
    assert not any(apdu.startswith("0020") for apdu in sent)


# --- PINs ---------------------------------------------------------------------


def test_a_change_with_its_signature_takes_six_apdus_and_the_identity_check() -> None:
    desk = Desk()
    desk.card.recognise()

    def change(session: CardSession) -> None:
        session.change_pin(Secret(PIN), Secret(NEW))
        session.verify(Secret(NEW))
        session.sign(KeySlot.AUTHENTICATION, RSA, b"nonce")
        session.logout()

    sent = desk.in_session(change)
    heads = [apdu[:8] for apdu in sent]
    assert heads == [
        "00A40400",
        "00CBA012",
        "00240080",
        "00200080",
        "002241B6",
        "002A9E9A",
        "00200082",
    ]
    assert sent[2] == "0024008014" + (PIN + NEW).hex().upper()
    assert sent[3] == "0020008010" + NEW.hex().upper(), "not padded"
    assert sent[4] == "002241B606800157840181"
    assert desk.chip.has_pin(NEW)


def test_the_signature_is_of_the_key_on_record() -> None:
    desk = Desk()
    signatures: list[bytes] = []

    def sign(session: CardSession) -> None:
        session.verify(Secret(PIN))
        signatures.append(session.sign(KeySlot.AUTHENTICATION, RSA, b"nonce"))

    desk.in_session(sign)
    public = load_der_public_key(desk.made.authentication.spki)
    assert isinstance(public, rsa.RSAPublicKey)
    public.verify(signatures[0], b"nonce", padding.PKCS1v15(), hashes.SHA256())


def test_the_certificate_is_inflated() -> None:
    desk = Desk()
    found: list[bytes] = []
    desk.in_session(
        lambda session: found.append(session.certificate(KeySlot.AUTHENTICATION))
    )
    assert found == [desk.made.authentication.certificate]


def test_wrong_pins_count_down_and_block() -> None:
    desk = Desk()
    for expected in (2, 1):
        with pytest.raises(WrongPin) as caught:
            desk.in_session(lambda session: session.verify(Secret(b"0000")))
        assert caught.value.tries_left == expected
    with pytest.raises(PinBlocked):
        desk.in_session(lambda session: session.verify(Secret(b"0000")))


@pytest.mark.parametrize("new", [b"123", b"x" * 17])
def test_a_new_pin_of_another_length_changes_nothing(new: bytes) -> None:
    desk = Desk()
    with pytest.raises(PinRefused):
        desk.in_session(lambda session: session.change_pin(Secret(PIN), Secret(new)))
    assert desk.chip.has_pin(PIN)
    assert desk.chip.pin_tries_left == 3


def test_signing_wants_the_pin() -> None:
    desk = Desk()
    with pytest.raises(NotVerified):
        desk.in_session(lambda it: it.sign(KeySlot.AUTHENTICATION, RSA, b"nonce"))


@pytest.mark.parametrize(
    ("slot", "algorithm", "error"),
    [
        (KeySlot.CARD_AUTHENTICATION, RSA, ObjectMissing),
        (KeySlot.AUTHENTICATION, KeyAlgorithm.P256, NotSupported),
    ],
)
def test_what_the_card_has_not_is_said(
    slot: KeySlot, algorithm: KeyAlgorithm, error: type[CardError]
) -> None:
    desk = Desk()
    with pytest.raises(error):
        desk.in_session(lambda session: session.sign(slot, algorithm, b"nonce"))


def test_another_card_is_no_session() -> None:
    desk = Desk()
    other = Desk().made.identity
    identity = type(other)(other.family, other.kind, bytes(16))
    with pytest.raises(WrongCard), desk.card.session(identity):
        pass


# --- unblocking ---------------------------------------------------------------


def test_a_puk_sets_a_new_pin_in_one_command() -> None:
    desk = Desk(puk=PUK)
    desk.chip.set_tries(pin=0)
    sent = desk.in_session(lambda session: session.unblock(Secret(PUK), Secret(NEW)))
    assert sent[-1] == "002C008018" + (PUK + NEW).hex().upper()
    assert desk.chip.has_pin(NEW)


def test_a_wrong_puk_counts_and_changes_nothing() -> None:
    desk = Desk(puk=PUK)
    with pytest.raises(WrongPuk) as caught:
        desk.in_session(lambda it: it.unblock(Secret(b"11111111"), Secret(NEW)))
    assert caught.value.tries_left == 2
    assert desk.chip.has_pin(PIN)


def mutual(session: CardSession, key: bytes) -> bool:
    """Authenticate both ways, as the authority would: is the card proven?"""
    entropy = SeededEntropy(9)
    ours = entropy.bytes(16)
    cards = session.begin_mutual(ours)
    with Secret(key) as secret:
        answered = session.end_mutual(admin_key.prove(secret, ours, cards, entropy))
        return admin_key.is_proven(secret, ours, cards, answered)


def test_both_prove_the_administrator_key_and_a_pin_is_set() -> None:
    desk = Desk()
    desk.chip.set_tries(pin=0)

    def unblock(session: CardSession) -> None:
        assert mutual(session, KEY)
        session.reset_pin(Secret(NEW))
        session.verify(Secret(NEW))
        session.sign(KeySlot.AUTHENTICATION, RSA, b"nonce")
        session.logout()

    desk.card.recognise()
    sent = desk.in_session(unblock)
    assert len(sent) == 10, "nine and the identity check"
    assert sent[2] == "0022C1A403830180"
    assert sent[3].startswith("00870000147C128110")
    assert sent[4].startswith("008700002C7C2A8228")
    assert sent[5] == "002C028010" + NEW.hex().upper()


def test_a_wrong_administrator_key_sets_nothing() -> None:
    desk = Desk()

    def unblock(session: CardSession) -> None:
        mutual(session, bytes(24))

    with pytest.raises(WrongAdminKey):
        desk.in_session(unblock)
    with pytest.raises(NotVerified):
        desk.in_session(lambda session: session.reset_pin(Secret(NEW)))
    assert desk.chip.has_pin(PIN)


def test_a_challenge_is_answered_as_windows_would_have_it() -> None:
    desk = Desk()
    desk.chip.set_tries(pin=0)
    desk.sent.clear()
    with desk.card.hold(desk.made.identity) as session, Secret(KEY) as key:
        challenge = session.challenge()
        session.answer(admin_key.answer(key, challenge), Secret(NEW))
    assert len(challenge) == 8
    assert desk.chip.has_pin(NEW)
    heads = [apdu[:4].hex() for apdu in desk.sent]
    assert heads == [
        "00a40400",
        "00cba012",
        "002281a4",
        "00870000",
        "00870000",
        "002c0280",
    ]


def test_the_challenge_dies_with_any_other_command() -> None:
    desk = Desk()
    with desk.card.hold(desk.made.identity) as session, Secret(KEY) as key:
        challenge = session.challenge()
        session.tries()
        with pytest.raises(WrongAdminKey):
            session.answer(admin_key.answer(key, challenge), Secret(NEW))
    assert desk.chip.has_pin(PIN)


def test_cards_that_count_wrong_answers_block_the_key_for_good() -> None:
    desk = Desk(GidsOptions(admin_tries=2))
    for _ in range(2):
        with desk.card.hold(desk.made.identity) as session:
            session.challenge()
            with pytest.raises(WrongAdminKey):
                session.answer(bytes(8), Secret(NEW))
    with desk.card.hold(desk.made.identity) as session, Secret(KEY) as key:
        challenge = session.challenge()
        with pytest.raises(WrongAdminKey):
            session.answer(admin_key.answer(key, challenge), Secret(NEW))


# --- files --------------------------------------------------------------------


def test_the_masterfile_has_records_of_28_bytes() -> None:
    entry = objects.FileEntry("mscp", "cmapfile", 0xDF23, 0xA010)
    written = objects.write_masterfile([entry])
    name = "6D73637000000000 00" + "636D617066696C65 00"
    assert written == bytes.fromhex("01" + name + "0000" + "23DF000010A00000")
    assert objects.read_masterfile(written) == (entry,)


def test_the_default_container_is_the_marked_one_else_the_first_valid() -> None:
    first = objects.Container(
        index=0, is_default=False, exchange_bits=2048, signature_bits=0
    )
    second = objects.Container(
        index=1, is_default=True, exchange_bits=0, signature_bits=2048
    )
    assert objects.default_of((first, second)) is second
    assert objects.default_of((first,)) is first
    assert objects.default_of(()) is None
    assert (first.certificate, second.certificate) == ("kxc00", "ksc01")


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (objects.read_masterfile, b""),
        (objects.read_masterfile, bytes(30)),
        (objects.read_masterfile, b"\x01" + b"\xff" * 28),
        (objects.read_cmapfile, bytes(85)),
        (objects.read_certificate, b"\x01\x00\x05"),
        (objects.read_certificate, b"\x01\x00\x05\x00garbage"),
    ],
)
def test_files_that_mean_nothing_are_named(
    read: Callable[[bytes], object], value: bytes
) -> None:
    with pytest.raises(MalformedAnswer):
        read(value)


def test_a_certificate_that_inflates_without_end_is_given_up() -> None:
    bomb = b"\x01\x00\x00\x00" + zlib.compress(bytes(10**7))
    with pytest.raises(MalformedAnswer):
        objects.read_certificate(bomb)
