"""A PIV card as the visit holds it: few APDUs, one transaction, nothing left behind."""

from __future__ import annotations

import pytest
from cryptography import x509

from kiosk.cards.errors import (
    CardRemoved,
    ContactNeeded,
    MalformedAnswer,
    NotVerified,
    ObjectMissing,
    UnexpectedStatus,
    UnknownCard,
    WrongCard,
    WrongPin,
)
from kiosk.cards.piv import objects
from kiosk.cards.piv.card import PivCard
from kiosk.cards.values import (
    CardIdentity,
    Family,
    IdentityKind,
    KeyAlgorithm,
    KeySlot,
    Tries,
)
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.pin.alphabet import Alphabet
from kiosk.simulation.cards.factory import MadeCard, make_card
from kiosk.simulation.cards.faults import (
    Endless,
    Garbage,
    PullAfter,
    PullBefore,
    WrongStatus,
)
from kiosk.simulation.cards.options import (
    PivOptions,
    Variant,
    of_variant,
    of_yubikey,
)
from kiosk.simulation.cards.reader import SimulatedReaders

OLD, NEW, PUK = b"481516", b"234291", b"75318642"


class Desk:
    """A card in a simulated reader."""

    def __init__(
        self,
        options: PivOptions | None = None,
        algorithm: KeyAlgorithm = KeyAlgorithm.P256,
    ) -> None:
        self.made: MadeCard = make_card(
            SeededEntropy(7),
            subject="Ann",
            pin=OLD,
            puk=PUK,
            options=options,
            algorithm=algorithm,
        )
        self.readers = SimulatedReaders()
        self.card: PivCard = self.readers.insert(self.made.card).piv

    def recognised(self) -> Desk:
        """Recognise the card as every visit does first, and count from here."""
        self.card.recognise()
        self.readers.faults.set()
        return self

    @property
    def identity(self) -> CardIdentity:
        return self.made.identity

    @property
    def apdus(self) -> int:
        return self.readers.faults.count


# --- recognising -----------------------------------------------------------------


@pytest.mark.parametrize("variant", Variant)
def test_a_card_is_recognised_by_its_guid_in_four_apdus(variant: Variant) -> None:
    desk = Desk(of_variant(variant))
    found = desk.card.recognise()
    assert found.identity == desk.identity
    assert found.identity.kind is IdentityKind.GUID
    assert found.pin_tries == Tries(of_variant(variant).pin_tries)
    assert found.pin_format.alphabet is Alphabet.DIGITS
    assert desk.apdus == 4


@pytest.mark.parametrize(
    ("version", "first"), [((5, 2, 7), 4), ((5, 4, 3), 5), ((5, 7, 0), 5)]
)
def test_a_yubikey_is_recognised_by_its_serial_and_its_policies_are_read_once(
    version: tuple[int, int, int], first: int
) -> None:
    desk = Desk(of_yubikey(12345678, version))
    found = desk.card.recognise()
    assert found.identity.key == "piv:serial:00bc614e"
    assert found.pin_tries.left == 3
    assert found.has_puk
    assert desk.apdus == first
    desk.readers.faults.set()
    assert desk.card.recognise() == found
    assert desk.apdus == 4


def test_metadata_tell_totals_and_whether_the_pin_is_the_factorys() -> None:
    desk = Desk(of_yubikey(1))
    found = desk.card.recognise()
    assert (found.pin_tries, found.puk_tries) == (Tries(3, 3), Tries(3, 3))
    assert found.pin_is_default is False
    desk.made.card.set_pin(b"123456")
    assert desk.card.recognise().pin_is_default is True


def test_a_bio_key_has_no_puk() -> None:
    options = PivOptions(serial=b"\0\0\0\1", version=b"\5\6\0", has_puk=False)
    assert not Desk(options).card.recognise().has_puk


def test_a_card_without_guid_is_known_by_its_key() -> None:
    desk = Desk()
    desk.made.card.objects[objects.CHUID] = objects.write_chuid(bytes(16))
    found = desk.card.recognise().identity
    assert found.kind is IdentityKind.KEY
    with desk.card.session(found):
        pass


def test_a_federal_card_without_guid_is_known_by_its_number() -> None:
    desk = Desk()
    number = bytes.fromhex("d0439458210c2c19a0846d83685a1082108ce73984108ca3fc")
    chuid = objects.write_chuid(bytes(16)).replace(objects.FASC_N, number)
    desk.made.card.objects[objects.CHUID] = chuid
    assert desk.card.recognise().identity == CardIdentity(
        Family.PIV, IdentityKind.FASC_N, number
    )


def test_a_card_with_nothing_on_it_is_missing_its_certificate() -> None:
    desk = Desk()
    desk.made.card.objects.clear()
    with pytest.raises(ObjectMissing):
        desk.card.recognise()


def test_a_card_without_piv_is_of_no_known_kind() -> None:
    desk = Desk()
    desk.readers.faults.set(WrongStatus(ins=0xA4, sw=0x6A82))
    with pytest.raises(UnknownCard):
        desk.card.recognise()


def test_a_card_held_to_the_reader_has_to_be_inserted() -> None:
    with pytest.raises(ContactNeeded):
        Desk(PivOptions(contactless=True)).card.recognise()


def test_a_card_that_is_recognised_again_costs_three_apdus() -> None:
    desk = Desk().recognised()
    assert desk.card.recognise().identity == desk.identity
    assert desk.apdus == 3


@pytest.mark.parametrize("tries", [0, 1, 2])
def test_recognising_never_costs_a_try(tries: int) -> None:
    for variant in Variant:
        desk = Desk(of_variant(variant))
        desk.made.card.set_tries(pin=tries)
        for _ in range(3):
            assert desk.card.recognise().pin_tries.left == tries
        assert desk.made.card.pin_tries_left == tries


def test_a_pin_that_somebody_left_verified_does_not_hide_the_counter() -> None:
    desk = Desk(PivOptions(pin_tries=4))
    with desk.card.application():
        desk.made.card.references.is_verified = True
        assert desk.card.recognise().pin_tries == Tries(4)


def test_fifteen_tries_and_more_are_shown_as_fifteen() -> None:
    assert Desk(PivOptions(pin_tries=20)).card.recognise().pin_tries == Tries(15)


# --- sessions ---------------------------------------------------------------------


def change_and_sign(desk: Desk, algorithm: KeyAlgorithm) -> bytes:
    """Do to the card what a visit does in its one transaction."""
    with desk.card.session(desk.identity) as session:
        session.verify(Secret(OLD))
        signature = session.sign(KeySlot.AUTHENTICATION, algorithm, b"statement")
        session.change_pin(Secret(OLD), Secret(NEW))
        session.verify(Secret(NEW))
        session.logout()
    return signature


@pytest.mark.parametrize("variant", Variant)
@pytest.mark.parametrize(
    ("algorithm", "most"),
    [(KeyAlgorithm.P256, 7), (KeyAlgorithm.P384, 7), (KeyAlgorithm.RSA_2048, 9)],
)
def test_a_whole_change_costs_few_apdus(
    variant: Variant, algorithm: KeyAlgorithm, most: int
) -> None:
    desk = Desk(of_variant(variant), algorithm).recognised()
    change_and_sign(desk, algorithm)
    assert desk.apdus == most
    assert desk.made.card.has_pin(NEW)


def test_a_session_with_another_card_is_refused_before_anything_is_sent_to_it() -> None:
    desk = Desk()
    other = CardIdentity(Family.PIV, IdentityKind.GUID, bytes(16))
    with pytest.raises(WrongCard), desk.card.session(other):
        pytest.fail("the session was opened")
    assert desk.apdus == 2


@pytest.mark.parametrize(
    "kind", [IdentityKind.SERIAL, IdentityKind.FASC_N, IdentityKind.KEY]
)
def test_an_identity_of_another_kind_is_another_card(kind: IdentityKind) -> None:
    desk = Desk()
    del desk.made.card.objects[objects.CERTIFICATE_9A]
    other = CardIdentity(Family.PIV, kind, desk.identity.value)
    with pytest.raises(WrongCard), desk.card.session(other):
        pytest.fail("the session was opened")


def test_a_session_ends_with_one_logout_and_a_reset() -> None:
    desk = Desk().recognised()
    change_and_sign(desk, KeyAlgorithm.P256)
    assert desk.apdus == 7
    # A card that has just been reset has heard nothing yet.
    assert desk.made.card.commands == []


def test_leaving_a_session_logs_out_where_nobody_did() -> None:
    desk = Desk().recognised()
    with desk.card.session(desk.identity) as session:
        session.verify(Secret(OLD))
        assert desk.made.card.is_verified
    assert desk.apdus == 4
    assert not desk.made.card.is_verified


def test_a_pin_that_the_card_may_have_taken_is_logged_out_too() -> None:
    """Nobody heard what became of it: the card may be open."""
    desk = Desk().recognised()
    desk.readers.faults.set(WrongStatus(ins=0x20, sw=0x6F00))
    with pytest.raises(UnexpectedStatus), desk.card.session(desk.identity) as session:
        session.verify(Secret(OLD))
    assert desk.apdus == 4


def test_a_session_in_which_no_pin_was_sent_needs_no_logout() -> None:
    desk = Desk().recognised()
    with desk.card.session(desk.identity):
        pass
    assert desk.apdus == 2


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_session_is_cleaned_up_whatever_breaks_it(
    error: type[BaseException],
) -> None:
    desk = Desk()

    def break_it() -> None:
        with desk.card.session(desk.identity) as session:
            session.verify(Secret(OLD))
            raise error

    with pytest.raises(error):
        break_it()
    assert not desk.made.card.is_verified
    assert desk.card.recognise().pin_tries == Tries(3)


def test_a_wrong_pin_leaves_the_card_usable() -> None:
    desk = Desk()
    with desk.card.session(desk.identity) as session:
        with pytest.raises(WrongPin) as caught:
            session.verify(Secret(b"000000"))
        assert caught.value.tries_left == 2
        session.verify(Secret(OLD))


def test_a_signature_without_the_pin_is_refused() -> None:
    desk = Desk()
    with desk.card.session(desk.identity) as session:
        with pytest.raises(NotVerified):
            session.sign(KeySlot.AUTHENTICATION, KeyAlgorithm.P256, b"x")
        session.sign(KeySlot.CARD_AUTHENTICATION, KeyAlgorithm.P256, b"x")


def test_both_certificates_can_be_read() -> None:
    desk = Desk()
    with desk.card.session(desk.identity) as session:
        for slot in KeySlot:
            x509.load_der_x509_certificate(session.certificate(slot))


def test_the_puk_is_changed_and_then_unblocks() -> None:
    desk = Desk()
    desk.made.card.set_tries(pin=0)
    with desk.card.session(desk.identity) as session:
        assert session.tries().is_blocked
        session.change_puk(Secret(PUK), Secret(b"86427531"))
        session.unblock(Secret(b"86427531"), Secret(NEW))
        session.verify(Secret(NEW))


# --- what goes wrong -----------------------------------------------------------------


@pytest.mark.parametrize("fault", [PullBefore, PullAfter])
@pytest.mark.parametrize("at", range(1, 8))
def test_a_card_pulled_at_any_apdu_is_told_as_removed(
    fault: type[PullBefore] | type[PullAfter], at: int
) -> None:
    desk = Desk().recognised()
    desk.readers.faults.set(fault(at=at))
    with pytest.raises(CardRemoved):
        change_and_sign(desk, KeyAlgorithm.P256)
    with pytest.raises(CardRemoved):
        desk.card.recognise()


@pytest.mark.parametrize(
    ("at", "kind"), [(2, IdentityKind.KEY), (3, IdentityKind.GUID)]
)
def test_a_chuid_or_discovery_object_of_garbage_counts_as_none(
    at: int, kind: IdentityKind
) -> None:
    desk = Desk()
    desk.readers.faults.set(Garbage(at=at))
    assert desk.card.recognise().identity.kind is kind
    assert desk.made.card.pin_tries_left == 3


def test_garbage_in_place_of_the_counter_does_not_mislead() -> None:
    desk = Desk()
    desk.readers.faults.set(Garbage(at=4))
    found = desk.card.recognise()
    assert (found.identity, found.pin_tries) == (desk.identity, Tries(3))


def test_an_endless_answer_is_given_up() -> None:
    desk = Desk()
    desk.readers.faults.set(Endless(at=3))
    with pytest.raises(MalformedAnswer):
        desk.card.recognise()
    desk.readers.faults.set()
    assert desk.card.recognise().identity == desk.identity


def test_a_closed_card_may_be_closed_again() -> None:
    desk = Desk()
    desk.card.recognise()
    desk.card.close()
    desk.card.close()
