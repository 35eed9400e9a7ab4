"""The simulated card keeps the rules of real ones, asked with raw APDUs.

`A` and `B` are the two independent cards whose differences were measured.
"""

from __future__ import annotations

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.cards.piv import objects
from kiosk.cards.piv.management import FACTORY_KEY, HeldManagementKey
from kiosk.core.clock import Clock, ManualClock
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.simulation.cards.factory import MadeCard, make_card
from kiosk.simulation.cards.keys import known_rsa, sign_raw
from kiosk.simulation.cards.options import PivOptions, Variant, of_variant, of_yubikey
from kiosk.simulation.cards.piv import SimulatedPivCard

SELECT = "00a4040005a000000308"
VERIFY = "0020008008313233343536ffff"
WRONG = "0020008008393939393939ffff"
QUERY = "00200080"
LOGOUT = "0020ff80"
CHANGE = "0024008010313233343536ffff363534333231ffff"
CHANGE_WRONG = "0024008010393939393939ffff363534333231ffff"
RESET = "002c0080103132333435363738363534333231ffff"
RESET_WRONG = "002c0080103939393939393939363534333231ffff"
SIGN = "0087119a267c2482008120" + "ab" * 32 + "00"


def ask(card: SimulatedPivCard, apdu: str) -> str:
    """Send one APDU, return the answer in hex."""
    return card.transmit(bytes.fromhex(apdu)).hex()


def sw(card: SimulatedPivCard, apdu: str) -> str:
    """Send one APDU, return its status word in hex."""
    return ask(card, apdu)[-4:]


def make(options: PivOptions | None = None, clock: Clock | None = None) -> MadeCard:
    made = make_card(
        SeededEntropy(3),
        subject="Ann",
        pin=b"123456",
        puk=b"12345678",
        options=options,
        clock=clock,
    )
    ask(made.card, SELECT)
    return made


def a_card(options: PivOptions | None = None) -> SimulatedPivCard:
    return make(options).card


def of(variant: Variant) -> SimulatedPivCard:
    return a_card(of_variant(variant))


def altered(**changes: object) -> SimulatedPivCard:
    return a_card(msgspec.structs.replace(PivOptions(), **changes))


def admin(card: SimulatedPivCard) -> None:
    """Authenticate with the factory's management key, one way."""
    algorithm = card.admin.algorithm
    key = HeldManagementKey(algorithm, Secret(FACTORY_KEY))
    size = algorithm.block_size
    challenge = card.transmit(bytes.fromhex(f"0087{algorithm:02x}9b047c028100"))
    answer = key.encrypt(bytes(challenge[4 : 4 + size])).hex()
    proof = f"7c{size + 2:02x}82{size:02x}{answer}"
    assert sw(card, f"0087{algorithm:02x}9b{size + 4:02x}{proof}") == "9000"


# --- selecting -----------------------------------------------------------------


@pytest.mark.parametrize(
    "aid",
    ["a000000308", "a00000030800001000", "a000000308000010000100"],
)
@pytest.mark.parametrize("le", ["", "00"])
def test_piv_is_selected_by_each_length_of_its_name(aid: str, le: str) -> None:
    card = a_card()
    card.power_on()
    answer = ask(card, f"00a40400{len(aid) // 2:02x}{aid}{le}")
    assert answer.startswith("61")
    assert answer.endswith("9000")


def test_a_selection_that_wants_no_answer_gets_none() -> None:
    assert ask(a_card(), "00a4040c05a000000308") == "9000"


def test_nothing_works_before_the_application_is_selected() -> None:
    card = a_card()
    card.power_on()
    assert sw(card, QUERY) == "6986"


@pytest.mark.parametrize(
    ("variant", "answer"), [(Variant.A, "6d00"), (Variant.B, "6a82")]
)
def test_another_application_is_unknown_and_piv_stays_selected(
    variant: Variant, answer: str
) -> None:
    card = of(variant)
    assert sw(card, "00a4040005a000000397") == answer
    assert sw(card, QUERY).startswith("63c")


def test_some_cards_lose_their_selection_to_an_unknown_one() -> None:
    card = altered(unknown_aid_deselects=True)
    ask(card, VERIFY)
    ask(card, "00a4040005a000000397")
    assert sw(card, QUERY) == "6986"
    ask(card, SELECT)
    assert not card.is_verified


@pytest.mark.parametrize(("variant", "keeps"), [(Variant.A, True), (Variant.B, False)])
def test_selecting_again_keeps_the_pin_verified_or_not(
    variant: Variant, keeps: bool
) -> None:
    card = of(variant)
    ask(card, VERIFY)
    ask(card, SELECT)
    assert card.is_verified is keeps


# --- the PIN ---------------------------------------------------------------------


@pytest.mark.parametrize("form", [QUERY, QUERY + "00"])
def test_both_forms_of_the_query_tell_the_counter_and_cost_nothing(form: str) -> None:
    card = a_card()
    assert [sw(card, form) for _ in range(5)] == ["63c3"] * 5
    ask(card, VERIFY)
    assert sw(card, form) == "9000"


@pytest.mark.parametrize(
    ("variant", "answers"),
    [
        (Variant.A, ["63c4", "63c3", "63c2", "63c1", "63c0", "6983"]),
        (Variant.B, ["63c2", "63c1", "6983", "6983"]),
    ],
)
def test_wrong_pins_count_down_as_measured(
    variant: Variant, answers: list[str]
) -> None:
    card = of(variant)
    assert [sw(card, WRONG) for _ in answers] == answers
    assert sw(card, VERIFY) == "6983"


@pytest.mark.parametrize(
    ("variant", "answer"), [(Variant.A, "6983"), (Variant.B, "63c0")]
)
def test_the_query_of_a_blocked_card_differs(variant: Variant, answer: str) -> None:
    card = of(variant)
    card.set_tries(pin=0)
    assert sw(card, QUERY) == answer


def test_an_old_card_tells_its_tries_in_the_old_form() -> None:
    card = altered(old_counter_form=True)
    assert [sw(card, WRONG) for _ in range(3)] == ["6302", "6301", "6300"]


def test_a_right_pin_gives_all_tries_back() -> None:
    card = a_card()
    ask(card, WRONG)
    assert sw(card, VERIFY) == "9000"
    assert card.pin_tries_left == 3


def test_logging_out_forgets_the_pin_and_keeps_the_counter() -> None:
    card = a_card()
    ask(card, WRONG)
    ask(card, VERIFY)
    assert sw(card, LOGOUT) == "9000"
    assert sw(card, QUERY) == "63c3"


@pytest.mark.parametrize("apdu", [WRONG, CHANGE_WRONG, RESET_WRONG])
def test_any_wrong_value_forgets_that_the_pin_was_verified(apdu: str) -> None:
    card = a_card()
    ask(card, VERIFY)
    ask(card, apdu)
    assert not card.is_verified


def test_a_pin_of_wrong_length_is_no_try() -> None:
    card = a_card()
    assert sw(card, "0020008006313233343536") == "6a80"
    assert card.pin_tries_left == 3


@pytest.mark.parametrize("reference", ["00", "96", "98"])
def test_references_the_card_does_not_have_are_not_found(reference: str) -> None:
    assert sw(a_card(), f"002000{reference}") == "6a88"


# --- changing --------------------------------------------------------------------


@pytest.mark.parametrize("variant", Variant)
def test_a_change_needs_the_old_pin_and_leaves_nobody_verified(
    variant: Variant,
) -> None:
    card = of(variant)
    assert sw(card, CHANGE_WRONG).startswith("63c")
    assert sw(card, CHANGE) == "9000"
    assert card.has_pin(b"654321")
    assert card.pin_tries_left == card.options.pin_tries
    assert not card.is_verified


def test_a_card_by_the_book_is_verified_after_a_change() -> None:
    card = altered(change_leaves_verified=True)
    ask(card, CHANGE)
    assert card.is_verified


@pytest.mark.parametrize(
    ("variant", "answer"), [(Variant.A, "6a80"), (Variant.B, "9000")]
)
def test_a_new_pin_of_four_digits_is_refused_by_one_and_taken_by_the_other(
    variant: Variant, answer: str
) -> None:
    card = of(variant)
    short = "0024008010313233343536ffff31323334ffffffff"
    assert sw(card, short) == answer
    assert card.has_pin(b"123456") is (answer != "9000")


def test_a_refused_new_pin_changes_nothing_at_all() -> None:
    card = a_card()
    ask(card, WRONG)
    letters = "0024008010313233343536ffff6162636465666768"
    assert sw(card, letters) == "6a80"
    assert card.has_pin(b"123456")
    assert card.pin_tries_left == 2


def test_a_card_with_its_own_rules_refuses_simple_pins() -> None:
    card = altered(refuses_simple=True)
    simple = "0024008010313233343536ffff313131313131ffff"
    assert sw(card, simple) == "6985"


def test_the_puk_has_a_counter_of_its_own() -> None:
    card = a_card()
    change_puk = "0024008110" + "39" * 8 + "38" * 8
    assert sw(card, change_puk) == "63c2"
    assert (card.pin_tries_left, card.puk_tries_left) == (3, 2)
    assert sw(card, "00240081103132333435363738" + "38" * 8) == "9000"
    assert card.has_puk(b"88888888")


@pytest.mark.parametrize("variant", Variant)
def test_the_puk_unblocks_and_verifies_nobody(variant: Variant) -> None:
    card = of(variant)
    card.set_tries(pin=0)
    assert sw(card, RESET) == "9000"
    assert card.has_pin(b"654321")
    assert not card.is_verified
    assert sw(card, QUERY) == f"63c{card.options.pin_tries}"


def test_unblocking_with_a_refused_new_pin_changes_no_counter() -> None:
    card = a_card()
    card.set_tries(pin=0, puk=2)
    short = "002c008010313233343536373831323334ffffffff"
    assert sw(card, short) == "6a80"
    assert (card.pin_tries_left, card.puk_tries_left) == (0, 2)


def test_a_used_up_puk_stays_used_up() -> None:
    card = a_card()
    for _ in range(3):
        ask(card, RESET_WRONG)
    assert sw(card, RESET) == "6983"


def test_a_card_without_puk_says_so() -> None:
    card = altered(has_puk=False)
    assert sw(card, RESET) == "6d00"
    assert sw(card, "0024008110" + "31" * 16) == "6a88"


def test_some_cards_erase_themselves_when_both_are_blocked() -> None:
    card = altered(both_blocked_erases=True)
    for _ in range(3):
        ask(card, WRONG)
    assert card.keys
    for _ in range(3):
        ask(card, RESET_WRONG)
    assert not card.keys
    assert not card.objects


# --- keys --------------------------------------------------------------------------


def test_a_signature_needs_the_pin_and_is_one_of_the_key_on_record() -> None:
    made = make()
    assert sw(made.card, SIGN) == "6982"
    ask(made.card, VERIFY)
    answer = bytes.fromhex(ask(made.card, SIGN))
    key = made.card.keys[0x9A]
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    key.public_key().verify(
        answer[4:-2], b"\xab" * 32, ec.ECDSA(Prehashed(hashes.SHA256()))
    )


@pytest.mark.parametrize("variant", Variant)
def test_after_a_change_the_new_pin_must_be_verified_before_signing(
    variant: Variant,
) -> None:
    card = of(variant)
    ask(card, VERIFY)
    ask(card, CHANGE)
    assert sw(card, SIGN) == "6982"


def test_the_card_authentication_key_signs_without_a_pin() -> None:
    assert sw(a_card(), SIGN.replace("119a", "119e")) == "9000"


def test_a_key_for_every_signature_wants_the_pin_directly_before() -> None:
    card = altered(pin_always=True)
    ask(card, VERIFY)
    assert sw(card, SIGN) == "9000"
    assert sw(card, SIGN) == "6982"
    ask(card, VERIFY)
    ask(card, QUERY)
    assert sw(card, SIGN) == "6982"


def test_a_key_that_is_not_touched_in_time_does_not_sign() -> None:
    card = altered(touch=True)
    card.contact.missed = 1
    ask(card, VERIFY)
    assert sw(card, SIGN) == "6982"
    assert sw(card, SIGN) == "9000"


def touched(clock: ManualClock, **changes: object) -> SimulatedPivCard:
    """Return a card whose key wants a touch, verified."""
    options = msgspec.structs.replace(PivOptions(touch=True), **changes)
    card = make(options, clock).card
    ask(card, VERIFY)
    return card


def test_a_touch_takes_its_time_and_is_waited_for_no_longer_than_the_card_does() -> (
    None
):
    clock = ManualClock()
    assert sw(touched(clock, touch_seconds=4.0), SIGN) == "9000"
    assert clock.monotonic() == 4.0
    assert sw(touched(clock, touch_seconds=60.0), SIGN) == "6982"
    assert clock.monotonic() == 19.0


def test_a_cached_touch_does_for_fifteen_seconds_and_not_beyond_a_reset() -> None:
    clock = ManualClock()
    card = touched(clock, touch_seconds=2.0, touch_is_cached=True)
    ask(card, SIGN)
    clock.advance(14.0)
    assert sw(card, SIGN) == "9000"
    assert clock.monotonic() == 16.0
    clock.advance(1.0)
    ask(card, SIGN)
    assert clock.monotonic() == 19.0
    card.power_on()
    ask(card, SELECT)
    ask(card, VERIFY)
    ask(card, SIGN)
    assert clock.monotonic() == 21.0


@pytest.mark.parametrize(
    "apdu",
    [
        SIGN.replace("119a", "149a"),  # the algorithm of another key
        SIGN.replace("119a", "119c"),  # no such key
        "0087119a047c02820000",  # nothing to sign
        "0087119a02ffff00",  # no template
        "0087119a267c2482008120" + "ab" * 31,  # cut short
    ],
)
def test_a_template_that_does_not_fit_is_refused(apdu: str) -> None:
    card = a_card()
    ask(card, VERIFY)
    assert sw(card, apdu) in ("6a80", "6700")


def test_generating_needs_the_management_key() -> None:
    card = a_card()
    generate = "0047009a05ac0380011100"
    assert sw(card, generate) == "6982"
    admin(card)
    assert ask(card, generate).startswith("7f4943864104")


@pytest.mark.parametrize(
    ("variant", "exponent"), [(Variant.A, "8203010001"), (Variant.B, "820400010001")]
)
def test_the_rsa_exponent_is_written_in_two_ways(
    variant: Variant, exponent: str
) -> None:
    card = of(variant)
    admin(card)
    answer = bytes.fromhex(ask(card, "0047009a05ac0380010600"))
    assert answer[-2:] == b"\x90\x00"
    assert answer[:-2].hex().endswith(exponent)


def test_authenticating_with_a_wrong_answer_or_twice_the_same_is_refused() -> None:
    card = a_card()
    ask(card, "0087039b047c028100")
    assert sw(card, "0087039b0c7c0a8208" + "00" * 8) == "6982"
    assert sw(card, "0087039b0c7c0a8208" + "00" * 8) == "6982"
    assert sw(card, "0087089b047c028100") == "6a86"


def test_power_off_forgets_the_management_key_too() -> None:
    card = a_card()
    admin(card)
    card.power_on()
    ask(card, SELECT)
    assert sw(card, "0047009a05ac0380011100") == "6982"


# --- objects ---------------------------------------------------------------------


def test_an_object_that_is_not_there_is_not_found() -> None:
    assert sw(a_card(), "00cb3fff055c035fc10a00") == "6a82"


def test_an_object_is_put_read_and_deleted() -> None:
    card = a_card()
    admin(card)
    assert sw(card, "00db3fff0a5c035fc10a5303aabbcc") == "9000"
    assert ask(card, "00cb3fff055c035fc10a00") == "5303aabbcc9000"
    assert sw(card, "00db3fff075c035fc10a5300") == "9000"
    assert sw(card, "00cb3fff055c035fc10a00") == "6a82"


def test_personal_objects_need_the_pin() -> None:
    card = a_card()
    card.objects[0x5FC109] = b"\x01\x03Ann"
    assert sw(card, "00cb3fff055c035fc10900") == "6982"
    ask(card, VERIFY)
    assert sw(card, "00cb3fff055c035fc10900") == "9000"


def test_a_small_le_is_honoured_and_the_rest_may_be_left() -> None:
    card = a_card()
    first = ask(card, "00cb3fff035c017e08")
    assert (len(first), first[-4:]) == (20, "610c")
    assert len(ask(card, "00cb3fff035c017e14")) == 2 * (20 + 2)


@pytest.mark.parametrize(("variant", "chunk"), [(Variant.A, 255), (Variant.B, 256)])
def test_long_answers_come_in_chunks(variant: Variant, chunk: int) -> None:
    card = of(variant)
    value = card.objects[objects.CERTIFICATE_9A]
    answer = bytes.fromhex(ask(card, "00cb3fff055c035fc10500"))
    assert len(answer) == chunk + 2
    whole = answer[:-2]
    while answer[-2] == 0x61:
        answer = bytes.fromhex(ask(card, f"00c00000{answer[-1]:02x}"))
        whole += answer[:-2]
    assert whole.endswith(value)
    assert sw(card, "00c0000000") == "6985"


def test_a_chain_that_is_interrupted_is_dropped() -> None:
    card = a_card()
    ask(card, VERIFY)
    assert sw(card, "1087119a027c24") == "9000"
    assert sw(card, QUERY) == "9000"
    assert sw(card, "0087119a2482008120" + "ab" * 32 + "00") == "6a80"


def test_extended_lengths_are_taken_too() -> None:
    card = a_card()
    ask(card, VERIFY)
    extended = "0087119a0000267c2482008120" + "ab" * 32 + "0000"
    assert sw(card, extended) == "9000"


def test_over_the_air_only_what_is_public_works() -> None:
    card = altered(contactless=True)
    assert sw(card, QUERY) == "6a81"
    assert sw(card, CHANGE) == "6a81"
    assert sw(card, RESET) == "6a81"
    assert sw(card, "00cb3fff055c035fc10200") == "9000"
    assert sw(card, "00cb3fff055c035fc10500") == "6982"
    assert sw(card, SIGN) == "6982"
    assert sw(card, SIGN.replace("119a", "119e")) == "9000"


# --- a YubiKey's own commands --------------------------------------------------------


def test_a_plain_card_knows_no_command_of_yubikeys() -> None:
    card = a_card()
    for ins in ("fd", "f8", "f7", "fa", "fb", "f9"):
        assert sw(card, f"00{ins}000000") == "6d00"


def test_a_yubikey_tells_version_and_serial() -> None:
    card = a_card(of_yubikey(12345678, (5, 4, 3)))
    assert ask(card, "00fd000000") == "0504039000"
    assert ask(card, "00f8000000") == "00bc614e9000"


def test_metadata_exist_from_firmware_5_3_on() -> None:
    assert sw(a_card(of_yubikey(1, (5, 2, 7))), "00f7008000") == "6d00"
    card = a_card(of_yubikey(1))
    ask(card, WRONG)
    assert ask(card, "00f7008000") == "0101ff050101060203029000"
    assert ask(card, "00f7008100") == "0101ff050101060203039000"
    assert ask(card, "00f7009b00") == "0101030202000105010190" + "00"
    assert ask(card, "00f7009a00").startswith("010111020202010301010443864104")
    assert sw(card, "00f7009600") == "6a88"


def test_the_management_key_is_aes_from_firmware_5_7_on() -> None:
    card = a_card(of_yubikey(1, (5, 7, 0)))
    assert ask(card, "00f7009b00").startswith("01010a")
    admin(card)


def test_new_counters_bring_the_factory_values_back() -> None:
    card = a_card(of_yubikey(1))
    ask(card, CHANGE)
    admin(card)
    assert sw(card, "00fa0805") == "6982"
    ask(card, VERIFY.replace("313233343536", "363534333231"))
    assert sw(card, "00fa0805") == "9000"
    assert card.has_pin(b"123456")
    assert sw(card, QUERY) == "63c8"


def test_a_yubikey_is_reset_only_when_both_are_blocked() -> None:
    card = a_card(of_yubikey(1))
    assert sw(card, "00fb0000") == "6985"
    card.set_tries(pin=0, puk=0)
    assert sw(card, "00fb0000") == "9000"
    assert (card.keys, card.objects, card.pin_tries_left) == ({}, {}, 3)


# --- anything at all -----------------------------------------------------------------


@settings(max_examples=300)
@given(st.lists(st.binary(max_size=40), max_size=6), st.sampled_from(Variant))
def test_whatever_is_sent_is_answered_with_a_status_word(
    apdus: list[bytes], variant: Variant
) -> None:
    card = SimulatedPivCard(entropy=SeededEntropy(1), options=of_variant(variant))
    ask(card, SELECT)
    for apdu in apdus:
        assert len(card.transmit(apdu)) >= 2


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255), st.binary())
def test_only_comparisons_cost_a_try(ins: int, p1: int, p2: int, data: bytes) -> None:
    card = SimulatedPivCard(entropy=SeededEntropy(1), options=of_yubikey(1))
    ask(card, SELECT)
    body = bytes((len(data[:255]),)) + data[:255] if data else b""
    card.transmit(bytes((0, ins, p1, p2)) + body)
    if ins not in (0x20, 0x24, 0x2C):
        assert (card.pin_tries_left, card.puk_tries_left) == (3, 3)


@pytest.mark.parametrize(
    "block",
    [
        b"\x00\x01" + b"\xff" * (253 - 51) + b"\x00" + bytes(range(51)),
        b"\x00\x01" + b"\xff" * 7 + b"\x00" + b"\x5a" * 246,
        b"\x00\x02" + b"\xff" * 202 + b"\x00" + bytes(range(51)),
        b"\x00" + b"\xa5" * 255,
        bytes(256),
    ],
    ids=["padded", "padded too little", "of another kind", "not at all", "nothing"],
)
def test_an_rsa_key_raises_whatever_block_it_gets(block: bytes) -> None:
    key = known_rsa(2048)
    signed = sign_raw(key, 0x07, block)
    assert signed is not None
    public = key.public_key().public_numbers()
    raised = pow(int.from_bytes(signed, "big"), public.e, public.n)
    assert raised.to_bytes(256, "big") == block
