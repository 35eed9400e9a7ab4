"""What real cards answer to something optional never stops what is needed."""

from __future__ import annotations

import pytest
from lab.cards.card_kinds import NEW, PIN, PUK, make_gids, make_piv

from kiosk.authority.proof.signature import is_valid
from kiosk.cards import tlv
from kiosk.cards.any_card import AnyCard
from kiosk.cards.errors import CardRemoved, ObjectMissing, UnknownCard, WrongPin
from kiosk.cards.piv import objects
from kiosk.cards.values import (
    Family,
    IdentityKind,
    KeyAlgorithm,
    KeySlot,
    PassedOver,
    Tries,
)
from kiosk.core.secret import Secret
from kiosk.simulation.cards.factory import MadeCard
from kiosk.simulation.cards.faults import Garbage, PullBefore, WrongStatus
from kiosk.simulation.cards.options import PivOptions, of_neo, of_yubikey
from kiosk.simulation.cards.reader import SimulatedReaders
from storage.records import PublicKey

REFUSALS = [0x6A80, 0x6700, 0x6985, 0x6F00, 0x6581, 0x6982, 0x6A81, 0x6D00, 0x6A88]
P256 = KeyAlgorithm.P256


def inserted(
    options: PivOptions | None = None,
) -> tuple[MadeCard, AnyCard, SimulatedReaders]:
    made, readers = make_piv(options), SimulatedReaders()
    return made, readers.insert(made.card), readers


def changes(made: MadeCard, card: AnyCard) -> bool:
    """Do what a visit does, and say whether it has done it."""
    found = card.recognise()
    with card.session(found.identity) as session:
        session.verify(Secret(PIN))
        signature = session.sign(KeySlot.AUTHENTICATION, P256, b"statement")
        session.change_pin(Secret(PIN), Secret(NEW))
        session.verify(Secret(NEW))
    key = made.authentication
    assert key is not None
    on_record = PublicKey(slot="9A", algorithm=key.algorithm, spki=key.spki)
    return made.card.has_pin(NEW) and is_valid(on_record, b"statement", signature)


ODD = {
    "no discovery object": PivOptions(has_discovery=False),
    "discovery: empty": PivOptions(discovery=b""),
    "discovery: 7E 00": PivOptions(discovery=bytes.fromhex("7e00")),
    "discovery: 53 00": PivOptions(discovery=bytes.fromhex("5300")),
    "discovery: no 5F2F": PivOptions(discovery=bytes.fromhex("7e044f02a000")),
    "discovery: garbage": PivOptions(discovery=bytes.fromhex("7effff")),
    "SELECT warns 6283": PivOptions(select_warns=0x6283),
    "SELECT warns 6285": PivOptions(select_warns=0x6285),
    "SELECT wants 9 bytes": PivOptions(shortest_name=9),
    "SELECT wants 11 bytes": PivOptions(shortest_name=11),
    **{
        f"missing objects: {sw:04X}": PivOptions(missing_object=sw, has_discovery=False)
        for sw in REFUSALS
    },
    **{
        f"empty VERIFY: {sw:04X}": PivOptions(empty_verify=sw)
        for sw in (*REFUSALS, 0x6300, 0x630F)
    },
}


@pytest.mark.parametrize("options", ODD.values(), ids=ODD)
def test_an_odd_card_is_recognised_and_changed(options: PivOptions) -> None:
    made, card, _ = inserted(options)
    assert card.recognise().identity == made.identity
    assert made.card.pin_tries_left == options.pin_tries
    assert changes(made, card)


@pytest.mark.parametrize("sw", [0x6300, 0x630F, 0x6700, 0x6A80, 0x6982, 0x6985])
def test_a_counter_that_is_not_told_is_unknown_not_a_wrong_pin(sw: int) -> None:
    _, card, _ = inserted(PivOptions(empty_verify=sw))
    assert card.recognise().pin_tries == Tries(None)


@pytest.mark.parametrize("sw", [0x6300, 0x630F])
def test_what_may_have_been_a_comparison_is_not_asked_in_another_form(sw: int) -> None:
    made, card, _ = inserted(PivOptions(empty_verify=sw))
    with card.session(card.recognise().identity) as session:
        before = made.card.commands.count(0x20)
        session.tries()
        assert made.card.commands.count(0x20) == before + 1


def test_an_old_key_tells_that_none_are_left_with_6300() -> None:
    made, card, _ = inserted(of_neo())
    made.card.set_tries(pin=0)
    assert card.recognise().pin_tries.is_blocked


@pytest.mark.parametrize("sw", REFUSALS)
def test_a_chuid_may_be_refused_in_any_way(sw: int) -> None:
    made, card, readers = inserted()
    readers.faults.set(WrongStatus(ins=0xCB, sw=sw))
    assert card.recognise().identity.kind is IdentityKind.KEY
    assert changes(made, card)


def test_what_was_passed_over_is_told() -> None:
    _, card, _ = inserted(PivOptions(discovery=bytes.fromhex("7e00")))
    assert card.recognise().passed_over == (
        PassedOver("discovery object", is_garbled=True),
    )


def test_what_was_refused_in_another_way_than_usual_is_told() -> None:
    _, card, _ = inserted(PivOptions(has_discovery=False, missing_object=0x6F00))
    assert card.recognise().passed_over == (
        PassedOver("discovery object", is_garbled=False),
    )


def test_what_is_plainly_not_there_is_not_passed_over() -> None:
    _, card, _ = inserted(PivOptions(has_discovery=False))
    assert card.recognise().passed_over == ()


@pytest.mark.parametrize("at", [2, 3, 4])
def test_a_card_that_leaves_is_no_card_without_an_object(at: int) -> None:
    _, card, readers = inserted()
    readers.faults.set(PullBefore(at=at))
    with pytest.raises(CardRemoved):
        card.recognise()


# --- counters and policies of YubiKeys ------------------------------------------------


@pytest.mark.parametrize("at", [3, 4, 5])
def test_metadata_of_garbage_do_not_stop_a_yubikey(at: int) -> None:
    made, card, readers = inserted(of_yubikey(77))
    readers.faults.set(Garbage(at=at))
    assert card.recognise().identity == made.identity
    readers.faults.set()
    assert changes(made, card)


# --- which PIN -----------------------------------------------------------------------


@pytest.mark.parametrize("has_discovery", [True, False])
def test_a_card_with_the_global_pin_alone_is_told(has_discovery: bool) -> None:
    options = PivOptions(
        global_pin=True, lacks_own_pin=True, has_discovery=has_discovery, pin_tries=5
    )
    made, card, _ = inserted(options)
    found = card.recognise()
    assert (found.pin_is_global, found.pin_tries) == (True, Tries(5))
    with card.session(found.identity) as session:
        assert session.tries() == Tries(5)
        with pytest.raises(WrongPin):
            session.verify(Secret(b"000000"))
        session.verify(Secret(PIN))
    assert made.card.pin_tries_left == 5


# --- which card ----------------------------------------------------------------------


@pytest.mark.parametrize("filler", [0x00, 0xFF])
def test_numbers_that_stand_for_none_identify_no_card(filler: int) -> None:
    made, card, _ = inserted()
    chuid = tlv.pack(0x30, bytes([filler]) * 25) + tlv.pack(0x34, bytes(16))
    made.card.objects[objects.CHUID] = chuid
    assert card.recognise().identity.kind is IdentityKind.KEY


@pytest.mark.parametrize("filler", [0x00, 0xFF])
def test_a_guid_that_stands_for_none_leaves_the_federal_number(filler: int) -> None:
    made, card, _ = inserted()
    number = bytes.fromhex("d0439458210c2c19a0846d83685a1082108ce73984108ca3fc")
    chuid = tlv.pack(0x30, number) + tlv.pack(0x34, bytes([filler]) * 16)
    made.card.objects[objects.CHUID] = chuid
    assert card.recognise().identity.kind is IdentityKind.FASC_N


@pytest.mark.parametrize("chuid", [b"", b"\x30\xff", b"\x34\x02ab"])
def test_a_chuid_that_means_nothing_counts_as_none(chuid: bytes) -> None:
    made, card, _ = inserted()
    made.card.objects[objects.CHUID] = chuid
    assert card.recognise().identity.kind is IdentityKind.KEY


# --- which family --------------------------------------------------------------------


class Both:
    """A chip with two applications; the one that was selected last answers."""

    def __init__(self, piv: MadeCard, gids_puk: bytes = PUK) -> None:
        self.piv, self.gids = piv, make_gids(gids_puk)
        self.atr = piv.card.atr
        self._on = piv.card.transmit

    def power_on(self) -> bytes:
        self.piv.card.power_on()
        self.gids.card.power_on()
        return self.atr

    def transmit(self, apdu: bytes | bytearray) -> bytearray:
        if apdu[1] == 0xA4:
            is_piv = bytes(apdu[5:10]) == bytes.fromhex("a000000308")
            self._on = self.piv.card.transmit if is_piv else self.gids.card.transmit
        return self._on(apdu)


def test_a_blank_piv_application_does_not_hide_a_gids_card_in_use() -> None:
    blank = make_piv()
    blank.card.objects.clear()
    both = Both(blank)
    card = SimulatedReaders().insert(both)
    assert card.recognise().identity == both.gids.identity


def test_a_piv_card_with_both_applications_in_use_is_a_piv_card() -> None:
    both = Both(make_piv())
    card = SimulatedReaders().insert(both)
    assert card.recognise().identity == both.piv.identity


def test_whoever_asks_for_a_family_is_shown_no_other() -> None:
    both = Both(make_piv())
    card = SimulatedReaders().insert(both)
    assert card.recognise(Family.GIDS).identity == both.gids.identity
    assert card.recognise(Family.PIV).identity == both.piv.identity


def test_a_blank_card_says_what_it_lacks() -> None:
    made, card, _ = inserted()
    made.card.objects.clear()
    with pytest.raises(ObjectMissing):
        card.recognise()


class YesToAll:
    """A card that answers 9000 and nothing to everything."""

    atr = bytes.fromhex("3b00")

    def power_on(self) -> bytes:
        return self.atr

    def transmit(self, apdu: bytes | bytearray) -> bytearray:
        return bytearray(b"\x90\x00")


def test_a_card_that_takes_every_name_and_has_nothing_is_of_no_known_kind() -> None:
    with pytest.raises(UnknownCard):
        SimulatedReaders().insert(YesToAll()).recognise()


def test_a_card_that_takes_every_name_is_what_it_has() -> None:
    made, card, _ = inserted(PivOptions(takes_any_name=True))
    assert card.recognise().identity == made.identity
