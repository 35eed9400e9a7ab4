"""Every kind of PIV card there is does the kiosk's work, each in its own way.

What a card can do is read from it and never assumed; each test names the card that
would be misread.
"""

from __future__ import annotations

import pytest
from lab.cards.lines import ScriptedLine
from msgspec.structs import replace

from kiosk.authority.proof.signature import is_valid
from kiosk.cards.errors import (
    ContactNeeded,
    MalformedAnswer,
    NotSupported,
    NotVerified,
    PinBlocked,
    PinTooSimple,
    TouchMissed,
    WrongCard,
    WrongPin,
)
from kiosk.cards.piv import objects
from kiosk.cards.piv.application import PivApplication
from kiosk.cards.piv.card import PivCard
from kiosk.cards.piv.recognition import recognised
from kiosk.cards.values import (
    CardIdentity,
    Family,
    IdentityKind,
    KeyAlgorithm,
    KeySlot,
    Tries,
)
from kiosk.core.clock import ManualClock
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.pin.alphabet import Alphabet
from kiosk.simulation.cards.factory import make_card
from kiosk.simulation.cards.faults import WrongStatus
from kiosk.simulation.cards.options import (
    PivOptions,
    Variant,
    of_bio_key,
    of_neo,
    of_variant,
    of_yubikey,
)
from kiosk.simulation.cards.reader import SimulatedReaders
from storage.records import PublicKey

OLD, NEW, PUK = b"481516", b"234291", b"75318642"
YUBIKEY = of_yubikey(12345678)
OWN = KeySlot.AUTHENTICATION
P256 = KeyAlgorithm.P256


class Desk:
    """A card in a simulated reader, recognised."""

    def __init__(
        self, options: PivOptions | None = None, algorithm: KeyAlgorithm = P256
    ) -> None:
        self.clock = ManualClock()
        self.made = make_card(
            SeededEntropy(11),
            subject="Ann",
            pin=OLD,
            puk=PUK,
            options=options,
            algorithm=algorithm,
            clock=self.clock,
        )
        self.chip = self.made.card
        self.readers = SimulatedReaders()
        self.card: PivCard = self.readers.insert(self.chip).piv
        self.found = self.card.recognise()
        self.readers.faults.set()

    def sign(self, algorithm: KeyAlgorithm = P256) -> bytes:
        """Verify and sign, in a session of their own."""
        with self.card.session(self.found.identity) as session:
            session.verify(Secret(OLD))
            return session.sign(OWN, algorithm, b"statement")


# --- keys --------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
def test_every_kind_of_key_signs_what_the_one_on_record_believes(
    algorithm: KeyAlgorithm,
) -> None:
    desk = Desk(of_yubikey(1, (5, 7, 0)), algorithm)
    signature = desk.sign(algorithm)
    own = desk.made.authentication
    key = PublicKey(slot="9A", algorithm=own.algorithm, spki=own.spki)
    assert is_valid(key, b"statement", signature)
    assert not is_valid(key, b"another", signature)


# --- a key that wants the PIN each time ---------------------------------------------


@pytest.mark.parametrize(
    "options",
    [PivOptions(pin_always=True), replace(YUBIKEY, pin_always=True)],
    ids=["does not say so", "says so"],
)
def test_the_pin_is_verified_directly_before_each_signature(
    options: PivOptions,
) -> None:
    desk = Desk(options)
    with desk.card.session(desk.found.identity) as session:
        session.verify(Secret(OLD))
        session.certificate(KeySlot.CARD_AUTHENTICATION)
        session.sign(OWN, P256, b"one")
        session.sign(OWN, P256, b"two")
        verified = [ins for ins in desk.chip.commands if ins in (0x20, 0x87)]
    assert verified == [0x20, 0x20, 0x87, 0x20, 0x87]
    assert desk.chip.pin_tries_left == 3


def test_a_key_that_says_once_is_not_asked_for_more() -> None:
    desk = Desk(YUBIKEY)
    with desk.card.session(desk.found.identity) as session:
        session.verify(Secret(OLD))
        session.sign(OWN, P256, b"one")
        session.sign(OWN, P256, b"two")
        assert desk.chip.commands.count(0x20) == 1


def test_a_pin_that_its_owner_has_wiped_is_never_sent_again() -> None:
    desk = Desk(PivOptions(pin_always=True))
    pin = Secret(OLD)
    with desk.card.session(desk.found.identity) as session:
        session.verify(pin)
        session.sign(OWN, P256, b"one")
        pin.wipe()
        with pytest.raises(NotVerified):
            session.sign(OWN, P256, b"two")
        assert desk.chip.commands.count(0x20) == 1
    assert desk.chip.pin_tries_left == 3


@pytest.mark.parametrize(
    "options",
    [PivOptions(pin_always=True), replace(YUBIKEY, touch=True)],
    ids=["each time", "touch"],
)
def test_a_pin_that_was_refused_or_replaced_is_never_sent_again(
    options: PivOptions,
) -> None:
    desk = Desk(options)
    with desk.card.session(desk.found.identity) as session:
        with pytest.raises(WrongPin):
            session.verify(Secret(NEW))
        with pytest.raises(NotVerified):
            session.sign(OWN, P256, b"one")
        session.verify(Secret(OLD))
        session.change_pin(Secret(OLD), Secret(NEW))
        with pytest.raises(NotVerified):
            session.sign(OWN, P256, b"two")
    assert desk.chip.pin_tries_left == 3


# --- a key that wants a touch ---------------------------------------------------------


TOUCH = replace(YUBIKEY, touch=True, touch_seconds=3.0)


@pytest.mark.parametrize(
    ("options", "touch"),
    [
        (TOUCH, True),
        (replace(TOUCH, touch_is_cached=True), True),
        (YUBIKEY, False),
        (of_yubikey(1, (5, 2, 7)), None),
        (PivOptions(), None),
    ],
    ids=["always", "cached", "never", "old firmware", "another card"],
)
def test_whether_a_touch_is_wanted_is_known_before_anybody_signs(
    options: PivOptions, touch: bool | None
) -> None:
    assert Desk(options).found.touch is touch


def test_a_touch_is_waited_for() -> None:
    desk = Desk(TOUCH)
    assert desk.sign()
    assert desk.clock.monotonic() == 3.0


def test_a_touch_that_came_too_late_is_asked_for_once_more_and_costs_no_try() -> None:
    desk = Desk(TOUCH)
    desk.chip.contact.missed = 1
    desk.readers.faults.set()
    assert desk.sign()
    # SELECT, serial number, VERIFY, sign, VERIFY, sign, logout.
    assert desk.readers.faults.count == 7
    assert desk.clock.monotonic() == 18.0
    assert desk.chip.pin_tries_left == 3


def test_nobody_is_asked_to_touch_a_third_time() -> None:
    desk = Desk(TOUCH)
    desk.chip.contact.missed = 9
    with pytest.raises(TouchMissed):
        desk.sign()
    assert desk.chip.contact.missed == 7
    assert desk.chip.pin_tries_left == 3
    assert not desk.chip.is_verified


def test_a_card_that_has_not_spoken_of_touch_gets_its_pin_once() -> None:
    desk = Desk()
    desk.readers.faults.set(WrongStatus(ins=0x87, sw=0x6982))
    with pytest.raises(NotVerified) as caught:
        desk.sign()
    assert not isinstance(caught.value, TouchMissed)
    # SELECT, CHUID, VERIFY, the refused signature, logout.
    assert desk.readers.faults.count == 5


def test_what_the_key_wants_is_read_once_for_each_insertion() -> None:
    desk = Desk(YUBIKEY)
    desk.chip.keys.pop(0x9A)
    assert desk.card.recognise().touch is False
    assert desk.readers.insert(desk.chip).recognise().touch is None


def test_what_was_known_of_a_key_is_asked_again_after_personalising() -> None:
    desk = Desk(YUBIKEY)
    with desk.card.application():
        desk.chip.policies[0x9A] = (0, 2)
    assert desk.card.recognise().touch is True


# --- metadata, or none ---------------------------------------------------------------


def test_a_card_with_empty_metadata_has_none() -> None:
    options = PivOptions(serial=b"\0\0\0\7", metadata_is_empty=True, pin_tries=5)
    found = Desk(options).found
    assert (found.pin_tries, found.puk_tries) == (Tries(5), None)
    assert found.has_puk
    assert found.pin_is_default is None


def test_metadata_tell_tries_beyond_fifteen_before_and_after_a_wrong_pin() -> None:
    desk = Desk(replace(YUBIKEY, pin_tries=20))
    assert desk.found.pin_tries == Tries(20, 20)
    with desk.card.session(desk.found.identity) as session:
        with pytest.raises(WrongPin) as caught:
            session.verify(Secret(NEW))
        assert caught.value.tries_left == 19
        assert session.tries() == Tries(19, 20)


def test_without_metadata_more_than_fifteen_tries_show_as_fifteen() -> None:
    desk = Desk(PivOptions(pin_tries=20))
    with (
        desk.card.session(desk.found.identity) as session,
        pytest.raises(WrongPin) as caught,
    ):
        session.verify(Secret(NEW))
    assert caught.value.tries_left == 15


# --- a Bio key: no PUK ----------------------------------------------------------------


def test_a_bio_key_is_changed_but_cannot_be_unblocked() -> None:
    desk = Desk(of_bio_key(5))
    assert not desk.found.has_puk
    assert desk.found.puk_tries is None
    assert desk.found.pin_tries == Tries(8, 8)
    with desk.card.session(desk.found.identity) as session:
        with pytest.raises(NotSupported):
            session.unblock(Secret(PUK), Secret(NEW))
        with pytest.raises(NotSupported):
            session.change_puk(Secret(PUK), Secret(NEW))
        session.change_pin(Secret(OLD), Secret(NEW))
        session.verify(Secret(NEW))


def test_a_failed_question_for_the_puk_does_not_make_a_bio_key() -> None:
    line = ScriptedLine(
        ("00a4040005a00000030800", "9000"),
        ("00f7008000", "0101ff0501000602030" + "39000"),
        ("00f7008100", "6f00"),
        ("00f7009a00", "6a88"),
    )
    identity = CardIdentity(Family.PIV, IdentityKind.SERIAL, b"\0\0\0\7")
    found, _ = recognised(PivApplication(line, "r"), identity, "r", None)
    assert found.has_puk
    assert found.puk_tries is None
    assert line.is_done


# --- the global PIN -------------------------------------------------------------------


def test_a_card_whose_primary_pin_is_the_global_one_is_asked_for_that() -> None:
    desk = Desk(PivOptions(global_pin=True, pin_tries=4))
    assert desk.found.pin_is_global
    assert not desk.found.has_puk, "it is unblocked elsewhere"
    assert desk.found.pin_tries == Tries(4)
    assert desk.sign()
    assert desk.chip.references.pin.left == 4


def test_a_wrong_global_pin_costs_a_try_of_that_one_only() -> None:
    desk = Desk(PivOptions(global_pin=True))
    with (
        desk.card.session(desk.found.identity) as session,
        pytest.raises(WrongPin) as caught,
    ):
        session.verify(Secret(NEW))
    assert caught.value.tries_left == 2
    assert desk.chip.pin_tries_left == 2
    assert desk.chip.references.pin.left == 3


def test_a_global_pin_is_neither_changed_nor_unblocked_here() -> None:
    desk = Desk(PivOptions(global_pin=True))
    with desk.card.session(desk.found.identity) as session:
        before = len(desk.chip.commands)
        with pytest.raises(NotSupported):
            session.change_pin(Secret(OLD), Secret(NEW))
        with pytest.raises(NotSupported):
            session.unblock(Secret(PUK), Secret(NEW))
        assert len(desk.chip.commands) == before
    assert desk.chip.has_pin(OLD)


def test_a_session_with_a_card_that_nobody_recognised_finds_its_pin_first() -> None:
    desk = Desk(PivOptions(global_pin=True))
    card = desk.readers.insert(desk.chip)
    with card.session(desk.found.identity) as session:
        session.verify(Secret(OLD))
    assert desk.chip.references.pin.left == 3


@pytest.mark.parametrize(
    ("policy", "has_global", "is_primary"),
    [
        ("4000", False, False),
        ("6010", True, False),
        ("6020", True, True),
        ("4020", False, False),
        ("7820", True, True),
    ],
)
def test_the_discovery_object_says_which_pin_is_meant(
    policy: str, has_global: bool, is_primary: bool
) -> None:
    aid = "4f0ba000000308000010000100"
    usage = objects.read_discovery(bytes.fromhex(f"{aid}5f2f02{policy}"))
    assert usage == objects.PinUsage(has_global, is_primary)


@pytest.mark.parametrize("value", ["", "5f2f0140", "5f2f03402000", "5f2f04", "4f00"])
def test_a_discovery_object_without_its_policy_means_nothing(value: str) -> None:
    with pytest.raises(MalformedAnswer):
        objects.read_discovery(bytes.fromhex(value))


# --- counters that end in different ways ---------------------------------------------


@pytest.mark.parametrize(
    "options",
    [of_variant(Variant.A), of_variant(Variant.B), YUBIKEY, of_neo()],
    ids=["63C0 at last", "6983 at once", "YubiKey", "630x"],
)
def test_the_try_that_empties_the_counter_blocks_whatever_the_card_says(
    options: PivOptions,
) -> None:
    desk = Desk(options)
    with desk.card.session(desk.found.identity) as session:
        for left in range(options.pin_tries - 1, 0, -1):
            with pytest.raises(WrongPin) as caught:
                session.verify(Secret(NEW))
            assert caught.value.tries_left == left
        for _ in range(2):
            with pytest.raises(PinBlocked):
                session.verify(Secret(NEW))
        assert session.tries().is_blocked
    assert desk.card.recognise().pin_tries.is_blocked


def test_an_old_key_has_no_serial_number_and_is_known_by_its_guid() -> None:
    desk = Desk(of_neo())
    assert desk.found.identity == desk.made.identity
    assert desk.found.pin_tries == Tries(3)
    assert desk.sign()


# --- selection, and what a change leaves behind ---------------------------------------


@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize("verified", [True, False])
def test_a_change_works_whatever_a_card_keeps_verified(
    keeps: bool, verified: bool
) -> None:
    options = PivOptions(select_keeps_pin=keeps, change_leaves_verified=verified)
    desk = Desk(options)
    desk.chip.references.is_verified = True
    assert desk.card.recognise().pin_tries == Tries(3)
    with desk.card.session(desk.found.identity) as session:
        session.verify(Secret(OLD))
        session.sign(OWN, P256, b"statement")
        session.change_pin(Secret(OLD), Secret(NEW))
        session.verify(Secret(NEW))
        session.sign(OWN, P256, b"statement")
    assert desk.chip.has_pin(NEW)
    assert not desk.chip.is_verified


def test_a_card_with_its_own_rules_says_that_the_pin_is_too_simple() -> None:
    desk = Desk(replace(YUBIKEY, refuses_simple=True))
    with desk.card.session(desk.found.identity) as session:
        with pytest.raises(PinTooSimple):
            session.change_pin(Secret(OLD), Secret(b"777777"))
        with pytest.raises(PinTooSimple):
            session.unblock(Secret(PUK), Secret(b"777777"))
        session.verify(Secret(OLD))
    assert (desk.chip.pin_tries_left, desk.chip.puk_tries_left) == (3, 3)


# --- over the air --------------------------------------------------------------------


@pytest.mark.parametrize("refusal", [0x6A81, 0x6982])
def test_a_card_held_to_the_reader_has_to_be_inserted(refusal: int) -> None:
    held = PivOptions(contactless=True, contactless_refusal=refusal)
    made = make_card(SeededEntropy(1), subject="Ann", pin=OLD, puk=PUK, options=held)
    card = SimulatedReaders().insert(made.card)
    with pytest.raises(ContactNeeded):
        card.recognise()
    with card.session(made.identity) as session:
        with pytest.raises(ContactNeeded):
            session.certificate(OWN)
        with pytest.raises(ContactNeeded):
            session.verify(Secret(OLD))
        with pytest.raises(ContactNeeded):
            session.unblock(Secret(PUK), Secret(NEW))
        session.certificate(KeySlot.CARD_AUTHENTICATION)
        session.sign(KeySlot.CARD_AUTHENTICATION, P256, b"nonce")


# --- which card it is -----------------------------------------------------------------


GUID = bytes(range(16))
NUMBER = bytes.fromhex("d0439458210c2c19a0846d83685a1082108ce73984108ca3fc")


def put_guid(desk: Desk, guid: bytes, number: bytes = objects.FASC_N) -> None:
    """Write another CHUID, as some programs do whenever they store something."""
    chuid = objects.write_chuid(guid).replace(objects.FASC_N, number)
    desk.chip.objects[objects.CHUID] = chuid


def test_a_yubikey_with_another_guid_is_the_same_card() -> None:
    desk = Desk(YUBIKEY)
    put_guid(desk, GUID)
    assert desk.card.recognise().identity == desk.found.identity
    with desk.card.session(desk.found.identity):
        pass


def test_a_card_with_another_guid_can_still_be_found_by_its_key() -> None:
    desk = Desk()
    before = desk.card.other_identities(desk.found.identity)
    put_guid(desk, GUID)
    now = desk.card.recognise().identity
    assert now != desk.found.identity
    after = desk.card.other_identities(now)
    assert [each.kind for each in after] == [IdentityKind.KEY]
    assert after == before
    with desk.card.session(after[0]):
        pass


def test_the_other_identities_come_in_their_order_and_without_the_first() -> None:
    desk = Desk(YUBIKEY)
    put_guid(desk, GUID, NUMBER)
    others = desk.card.other_identities(desk.found.identity)
    assert [each.kind for each in others] == [
        IdentityKind.GUID,
        IdentityKind.FASC_N,
        IdentityKind.KEY,
    ]
    for identity in others:
        with desk.card.session(identity):
            pass


def test_another_cards_number_is_not_believed_beside_a_guid() -> None:
    desk = Desk()
    put_guid(desk, GUID, NUMBER)
    other = CardIdentity(Family.PIV, IdentityKind.FASC_N, bytes(25))
    with pytest.raises(WrongCard), desk.card.session(other):
        pytest.fail("the session was opened")


def test_what_cannot_be_read_is_no_identity_and_no_obstacle() -> None:
    desk = Desk(YUBIKEY)
    desk.chip.objects[objects.CHUID] = b"\x34\x02\x00\x00"
    desk.chip.objects[objects.CERTIFICATE_9A] = b"\x70\x02\x30\x00"
    assert desk.card.other_identities(desk.found.identity) == ()


def test_a_serial_number_of_zero_is_none() -> None:
    desk = Desk(replace(YUBIKEY, serial=bytes(4)))
    assert desk.found.identity.kind is IdentityKind.GUID


# --- certificates beyond all measure -------------------------------------------------


@pytest.mark.parametrize("size", [3052, 12000, 60000])
def test_a_large_certificate_object_is_read_whole(size: int) -> None:
    desk = Desk()
    der = bytes(range(256)) * (size // 256)
    desk.chip.objects[objects.CERTIFICATE_9A] = objects.write_certificate(der)
    with desk.card.session(desk.found.identity) as session:
        assert session.certificate(OWN) == der


def test_an_object_of_more_than_64_kib_is_given_up_and_the_card_still_works() -> None:
    desk = Desk()
    whole = desk.chip.objects[objects.CERTIFICATE_9A]
    desk.chip.objects[objects.CERTIFICATE_9A] = objects.write_certificate(
        bytes(1 << 17)
    )
    with (
        desk.card.session(desk.found.identity) as session,
        pytest.raises(MalformedAnswer),
    ):
        session.certificate(OWN)
    desk.chip.objects[objects.CERTIFICATE_9A] = whole
    assert desk.sign()


# --- templates ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "bare"),
    [
        ("61114f0600001000010079074f05a000000308", True),
        ("611a4f06000010000100500279004f05a000000308", True),
        ("610d4f0600001000010050034e4f50", False),
        ("610d4f06000010000100ac03800111", False),
        ("", True),
        ("53ff", True),
    ],
    ids=["YubiKey", "broken", "label", "algorithms", "none", "garbage"],
)
def test_only_a_card_that_names_nothing_is_asked_for_a_yubikeys_serial(
    template: str, bare: bool
) -> None:
    line = ScriptedLine(("00a4040005a00000030800", f"{template}9000"))
    assert PivApplication(line, "reader").may_be_yubikey is bare


def test_a_yubikeys_pin_may_have_any_characters_and_another_cards_digits() -> None:
    assert Desk(YUBIKEY).found.pin_format.alphabet is Alphabet.PRINTABLE
    assert Desk().found.pin_format.alphabet is Alphabet.DIGITS
