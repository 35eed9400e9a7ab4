"""Every command to a PIV card, byte by byte, and what its refusals mean."""

from __future__ import annotations

import hashlib

import pytest
from lab.cards.lines import ScriptedLine

from kiosk.cards.errors import (
    CardError,
    ContactNeeded,
    MalformedAnswer,
    NotSupported,
    NotVerified,
    ObjectMissing,
    PinBlocked,
    PinRefused,
    PinTooSimple,
    PukBlocked,
    PukRefused,
    UnexpectedStatus,
    UnknownCard,
    WrongManagementKey,
    WrongPin,
    WrongPuk,
)
from kiosk.cards.piv.administration import PivAdministration, management_algorithm
from kiosk.cards.piv.application import GLOBAL_PIN, PUK, PivApplication, padded
from kiosk.cards.piv.management import (
    FACTORY_KEY,
    HeldManagementKey,
    ManagementAlgorithm,
)
from kiosk.cards.values import KeyAlgorithm, KeySlot, Tries
from kiosk.core.secret import Secret

SELECT = ("00a4040005a00000030800", "61114f0600001000010079074f05a0000003089000")
MESSAGE = b"what the kiosk lets the card sign"
DIGEST = hashlib.sha256(MESSAGE).hexdigest()
PREFIX = "3031300d060960864801650304020105000420"


def selected(*exchanges: tuple[str, str]) -> tuple[PivApplication, ScriptedLine]:
    line = ScriptedLine(SELECT, *exchanges)
    return PivApplication(line, "reader"), line


def one(command: str, answer: str) -> PivApplication:
    return selected((command, answer))[0]


# --- select and read -----------------------------------------------------------


@pytest.mark.parametrize("sw", ["6a82", "6d00", "6999", "6f00"])
def test_a_card_that_does_not_select_piv_is_of_no_known_kind(sw: str) -> None:
    with pytest.raises(UnknownCard) as caught:
        PivApplication(ScriptedLine((SELECT[0], sw)), "front reader")
    assert caught.value.data == {"reader": "front reader"}


def test_an_object_is_asked_for_by_its_three_byte_tag() -> None:
    application = one("00cb3fff055c035fc10200", "5303aabbcc9000")
    assert application.object(0x5FC102, "CHUID").hex() == "aabbcc"


def test_the_discovery_object_has_no_tag_53_around_it() -> None:
    application = one("00cb3fff035c017e00", "7e034f01a09000")
    assert application.object(0x7E, "discovery").hex() == "4f01a0"


@pytest.mark.parametrize("sw", ["6a82", "6a88"])
def test_an_absent_object_is_missing_by_its_name(sw: str) -> None:
    with pytest.raises(ObjectMissing) as caught:
        one("00cb3fff055c035fc10200", sw).object(0x5FC102, "CHUID")
    assert caught.value.data == {"object": "CHUID"}


@pytest.mark.parametrize("sw", ["6a81", "6982"])
def test_a_public_object_that_is_refused_needs_contact(sw: str) -> None:
    with pytest.raises(ContactNeeded):
        one("00cb3fff055c035fc10500", sw).certificate(KeySlot.AUTHENTICATION)


@pytest.mark.parametrize("answer", ["5401aa9000", "5305aa9000", "9000"])
def test_an_object_without_its_tag_means_nothing(answer: str) -> None:
    with pytest.raises(MalformedAnswer):
        one("00cb3fff055c035fc10200", answer).object(0x5FC102, "CHUID")


def test_a_serial_number_is_four_bytes_or_none() -> None:
    assert one("00f8000000", "009896819000").serial() == bytes.fromhex("00989681")
    assert one("00f8000000", "6d00").serial() is None
    assert one("00f8000000", "00989000").serial() is None


def test_a_version_is_three_bytes_or_none() -> None:
    assert one("00fd000000", "0504039000").version() == b"\x05\x04\x03"
    assert one("00fd000000", "6d00").version() is None


def test_metadata_tell_the_counter_without_its_cap_of_fifteen() -> None:
    told = one("00f7008000", "0101ff050101060214139000").pin_metadata(0x80)
    assert told is not None
    assert (told.tries, told.is_default) == (Tries(19, 20), True)


@pytest.mark.parametrize("answer", ["6d00", "6a88", "9000"])
def test_a_card_without_metadata_tells_none(answer: str) -> None:
    assert one("00f7008100", answer).pin_metadata(PUK) is None


@pytest.mark.parametrize("answer", ["0101ff050101" + "9000", "0501010601039000"])
def test_metadata_without_two_counters_count_as_none(answer: str) -> None:
    assert one("00f7008000", answer).pin_metadata(0x80) is None


@pytest.mark.parametrize(
    ("sw", "left"), [("63c5", 5), ("63c0", 0), ("6983", 0), ("9000", None)]
)
def test_the_counter_is_read_with_an_empty_verify(sw: str, left: int | None) -> None:
    assert one("00200080", sw).pin_tries() == Tries(left)


@pytest.mark.parametrize("sw", ["6a81", "6982", "6700", "6a80", "6985", "6d00"])
def test_a_counter_that_is_refused_is_asked_for_in_the_other_form(sw: str) -> None:
    application, line = selected(("00200080", sw), ("0020008000", "63c2"))
    assert application.pin_tries() == Tries(2)
    assert line.is_done


@pytest.mark.parametrize("sw", ["6a81", "6982", "6700", "6a80", "6985", "6d00"])
def test_a_counter_that_no_form_tells_is_unknown(sw: str) -> None:
    application, _ = selected(("00200080", sw), ("0020008000", sw))
    assert application.pin_tries() == Tries(None)


# --- PIN and PUK ---------------------------------------------------------------


def test_values_are_filled_with_ff_to_eight_bytes() -> None:
    assert padded(Secret(b"123456"), Secret(b"12345678")).hex() == (
        "313233343536ffff" + "3132333435363738"
    )


def test_a_value_that_is_too_long_is_refused_before_it_is_sent() -> None:
    application, line = selected()
    with pytest.raises(PinRefused):
        application.verify(Secret(b"123456789"))
    assert line.is_done


COMPARISONS = {
    "verify": "0020008008313233343536ffff",
    "change_pin": "0024008010313233343536ffff363534333231ffff",
    "change_puk": "0024008110313233343536ffff363534333231ffff",
    "unblock": "002c008010313233343536ffff363534333231ffff",
}


def compare(application: PivApplication, which: str) -> None:
    old, new = Secret(b"123456"), Secret(b"654321")
    match which:
        case "verify":
            application.verify(old)
        case "change_pin":
            application.change_pin(old, new)
        case "change_puk":
            application.change_puk(old, new)
        case _:
            application.reset_retry_counter(old, new)


@pytest.mark.parametrize("which", COMPARISONS)
def test_a_comparison_that_succeeds_is_one_command(which: str) -> None:
    application, line = selected((COMPARISONS[which], "9000"))
    compare(application, which)
    assert line.is_done
    assert not any(line.sent[-1])


@pytest.mark.parametrize("which", COMPARISONS)
@pytest.mark.parametrize(
    ("sw", "of_pin", "of_puk"),
    [
        ("63c2", WrongPin, WrongPuk),
        ("63c0", PinBlocked, PukBlocked),
        ("6983", PinBlocked, PukBlocked),
        ("6a80", PinRefused, PinRefused),
        ("6982", ContactNeeded, ContactNeeded),
        ("6700", PinRefused, PinRefused),
        ("6d00", NotSupported, NotSupported),
        ("6a88", NotSupported, NotSupported),
        ("6a81", ContactNeeded, ContactNeeded),
        ("6f00", UnexpectedStatus, UnexpectedStatus),
        ("6c08", UnexpectedStatus, UnexpectedStatus),
    ],
)
def test_a_refused_comparison_says_why_and_is_not_repeated(
    which: str, sw: str, of_pin: type[CardError], of_puk: type[CardError]
) -> None:
    application, line = selected((COMPARISONS[which], sw))
    expected = of_puk if which in ("change_puk", "unblock") else of_pin
    if which == "change_puk" and expected is PinRefused:
        expected = PukRefused
    with pytest.raises(CardError) as caught:
        compare(application, which)
    assert type(caught.value) is expected
    assert line.is_done


@pytest.mark.parametrize(
    ("which", "refused"),
    [
        ("verify", PinRefused),
        ("change_pin", PinTooSimple),
        ("change_puk", PukRefused),
        ("unblock", PinTooSimple),
    ],
)
def test_a_value_that_the_cards_own_rules_refuse_is_too_simple(
    which: str, refused: type[CardError]
) -> None:
    with pytest.raises(CardError) as caught:
        compare(one(COMPARISONS[which], "6985"), which)
    assert type(caught.value) is refused


# --- counters in every form ------------------------------------------------------


VERSION = "00fd000000"
OLD_KEY, NEW_KEY, NO_KEY = "0304099000", "0504039000", "6d00"


def wrong(which: str, *exchanges: tuple[str, str]) -> int | None:
    """Return the tries left that a refusal tells; None: there are none left."""
    application, line = selected(*exchanges)
    with pytest.raises((WrongPin, WrongPuk, PinBlocked, PukBlocked)) as caught:
        compare(application, which)
    assert line.is_done
    return getattr(caught.value, "tries_left", None)


def test_a_wrong_pin_tells_the_tries_left() -> None:
    assert wrong("verify", (COMPARISONS["verify"], "63c2")) == 2


@pytest.mark.parametrize("which", COMPARISONS)
@pytest.mark.parametrize(("sw", "left"), [("6302", 2), ("6301", 1), ("6300", None)])
def test_only_an_old_key_counts_in_the_old_form(
    which: str, sw: str, left: int | None
) -> None:
    assert wrong(which, (COMPARISONS[which], sw), (VERSION, OLD_KEY)) == left


@pytest.mark.parametrize("version", [NEW_KEY, NO_KEY])
@pytest.mark.parametrize("sw", ["6302", "6300"])
def test_the_old_form_from_any_other_card_tells_no_number(
    sw: str, version: str
) -> None:
    assert wrong("verify", (COMPARISONS["verify"], sw), (VERSION, version)) == -1


def test_an_old_keys_counter_is_read_in_the_old_form() -> None:
    application, _ = selected(("00200080", "6303"), (VERSION, OLD_KEY))
    assert application.pin_tries() == Tries(3)


def test_a_try_spent_of_more_than_fifteen_is_told_from_the_metadata() -> None:
    told = ("00f7008000", "0101ff050100060214139000")
    application, line = selected((COMPARISONS["verify"], "63cf"), told)
    application.has_metadata = True
    with pytest.raises(WrongPin) as caught:
        compare(application, "verify")
    assert caught.value.tries_left == 19
    assert line.is_done


@pytest.mark.parametrize("answer", ["6d00", "9000", "05019000"])
def test_metadata_that_fail_do_not_hide_that_a_try_is_spent(answer: str) -> None:
    told = ("00f7008000", answer)
    application, _ = selected((COMPARISONS["verify"], "63cf"), told)
    application.has_metadata = True
    with pytest.raises(WrongPin) as caught:
        compare(application, "verify")
    assert caught.value.tries_left == 15


# --- the global PIN -----------------------------------------------------------------


def test_a_global_pin_is_verified_under_its_own_reference() -> None:
    application, line = selected(
        ("00200000", "63c4"),
        ("0020000008313233343536ffff", "9000"),
        ("0020ff00", "9000"),
    )
    application.pin_reference = GLOBAL_PIN
    assert application.pin_tries() == Tries(4)
    application.verify(Secret(b"123456"))
    application.logout()
    assert line.is_done


@pytest.mark.parametrize("which", ["change_pin", "unblock"])
def test_a_global_pin_is_not_changed_here_and_nothing_is_sent(which: str) -> None:
    application, line = selected()
    application.pin_reference = GLOBAL_PIN
    with pytest.raises(NotSupported) as caught:
        compare(application, which)
    assert caught.value.data == {"what": "global PIN"}
    assert line.is_done


def test_logging_out_ignores_cards_that_cannot() -> None:
    for sw in ("9000", "6a86", "6b00"):
        application, line = selected(("0020ff80", sw))
        application.logout()
        assert line.is_done


# --- signatures ------------------------------------------------------------------


def test_p256_signs_the_sha256_of_the_message() -> None:
    application = one(f"0087119a267c2482008120{DIGEST}00", "7c0482023000" + "9000")
    signature = application.sign(KeySlot.AUTHENTICATION, KeyAlgorithm.P256, MESSAGE)
    assert signature.hex() == "3000"


def test_p384_signs_the_sha384_of_the_message() -> None:
    digest = hashlib.sha384(MESSAGE).hexdigest()
    application = one(f"0087149e367c3482008130{digest}00", "7c0482023000" + "9000")
    application.sign(KeySlot.CARD_AUTHENTICATION, KeyAlgorithm.P384, MESSAGE)


def test_ed25519_signs_the_message_itself() -> None:
    asked = f"7c2582008121{MESSAGE.hex()}"
    application = one(f"0087e09a27{asked}00", "7c0482023000" + "9000")
    application.sign(KeySlot.AUTHENTICATION, KeyAlgorithm.ED25519, MESSAGE)


@pytest.mark.parametrize(
    ("algorithm", "identifier", "size"),
    [
        (KeyAlgorithm.RSA_2048, 0x07, 256),
        (KeyAlgorithm.RSA_3072, 0x05, 384),
        (KeyAlgorithm.RSA_4096, 0x16, 512),
    ],
)
def test_rsa_signs_a_block_that_the_host_has_padded(
    algorithm: KeyAlgorithm, identifier: int, size: int
) -> None:
    block = "0001" + "ff" * (size - 54) + "00" + PREFIX + DIGEST
    assert len(block) == 2 * size
    inner = f"820081{0x82:02x}{size:04x}{block}"
    template = f"7c82{len(inner) // 2:04x}{inner}"
    parts = [template[at : at + 510] for at in range(0, len(template), 510)]
    head = f"87{identifier:02x}9a"
    exchanges = [(f"10{head}ff{part}", "9000") for part in parts[:-1]]
    last = f"00{head}{len(parts[-1]) // 2:02x}{parts[-1]}00"
    answer = f"7c82{size + 4:04x}8282{size:04x}" + "5a" * size
    exchanges.append((last, f"{answer[:512]}6100"))
    left = answer[512:]
    while len(left) > 512:
        exchanges.append(("00c0000000", f"{left[:512]}6100"))
        left = left[512:]
    exchanges.append(("00c0000000", f"{left}9000"))
    application, line = selected(*exchanges)
    signature = application.sign(KeySlot.AUTHENTICATION, algorithm, MESSAGE)
    assert signature == b"\x5a" * size
    assert line.is_done


@pytest.mark.parametrize(
    ("sw", "error"),
    [
        ("6982", NotVerified),
        ("6a80", ObjectMissing),
        ("6a86", ObjectMissing),
        ("6a88", ObjectMissing),
        ("6d00", NotSupported),
        ("6f00", UnexpectedStatus),
    ],
)
def test_a_refused_signature_says_why(sw: str, error: type[CardError]) -> None:
    application = one(f"0087119a267c2482008120{DIGEST}00", sw)
    with pytest.raises(error):
        application.sign(KeySlot.AUTHENTICATION, KeyAlgorithm.P256, MESSAGE)


@pytest.mark.parametrize(
    "answer", ["", "7c00", "7d0482023000", "7c04810230", "82023000"]
)
def test_a_signature_without_its_tags_means_nothing(answer: str) -> None:
    application = one(f"0087119a267c2482008120{DIGEST}00", f"{answer}9000")
    with pytest.raises(MalformedAnswer):
        application.sign(KeySlot.AUTHENTICATION, KeyAlgorithm.P256, MESSAGE)


# --- with the management key ---------------------------------------------------------

KEY = HeldManagementKey(ManagementAlgorithm.TRIPLE_DES, Secret(FACTORY_KEY))
AES = HeldManagementKey(ManagementAlgorithm.AES_192, Secret(FACTORY_KEY))


class Fixed:
    """Randomness that is the same in every run."""

    def bytes(self, count: int) -> bytes:
        return bytes(range(count))

    def below(self, limit: int) -> int:
        return 0


def authentication(key: HeldManagementKey) -> list[tuple[str, str]]:
    """The two commands that prove a management key, for a witness of all 5A."""
    size = key.algorithm.block_size
    head = f"0087{key.algorithm:02x}9b"
    witness, challenge = b"\x5a" * size, bytes(range(size))
    proof = f"80{size:02x}{witness.hex()}81{size:02x}{challenge.hex()}"
    answer = f"82{size:02x}{key.encrypt(challenge).hex()}"
    inner = len(proof) // 2
    return [
        (
            f"{head}047c02800000",
            f"7c{size + 2:02x}80{size:02x}{key.encrypt(witness).hex()}9000",
        ),
        (
            f"{head}{inner + 2:02x}7c{inner:02x}{proof}00",
            f"7c{size + 2:02x}{answer}9000",
        ),
    ]


def administered(*exchanges: tuple[str, str]) -> tuple[PivAdministration, ScriptedLine]:
    application, line = selected(*authentication(KEY), *exchanges)
    return PivAdministration(application, KEY, Fixed()), line


def test_the_factory_key_encrypts_as_everywhere_else() -> None:
    challenge = bytes.fromhex("a892d75601617c5d")
    assert KEY.encrypt(challenge).hex() == "b0a1674747f4eb87"
    assert KEY.decrypt(bytes.fromhex("b0a1674747f4eb87")) == challenge


@pytest.mark.parametrize("key", [KEY, AES])
def test_card_and_caller_prove_the_management_key_to_each_other(
    key: HeldManagementKey,
) -> None:
    application, line = selected(*authentication(key))
    PivAdministration(application, key, Fixed())
    assert line.is_done


def test_a_card_that_does_not_know_the_key_is_found_out() -> None:
    (ask, proof) = authentication(KEY)
    application, _ = selected(ask, (proof[0], "7c0a8208" + "00" * 8 + "9000"))
    with pytest.raises(WrongManagementKey):
        PivAdministration(application, KEY, Fixed())


def test_a_card_whose_witness_would_be_its_answer_is_a_mirror() -> None:
    """It sends E(our challenge) first, as if it had known; nothing more is sent."""
    size = KEY.algorithm.block_size
    witness = KEY.encrypt(bytes(range(size))).hex()
    ask = authentication(KEY)[0][0]
    application, line = selected((ask, f"7c{size + 2:02x}80{size:02x}{witness}9000"))
    with pytest.raises(WrongManagementKey):
        PivAdministration(application, KEY, Fixed())
    assert line.is_done


@pytest.mark.parametrize("sw", ["6982", "6a80", "6a86"])
def test_every_card_refuses_a_wrong_key_in_its_own_way(sw: str) -> None:
    (ask, proof) = authentication(KEY)
    application, _ = selected(ask, (proof[0], sw))
    with pytest.raises(WrongManagementKey):
        PivAdministration(application, KEY, Fixed())


@pytest.mark.parametrize(
    ("answer", "algorithm"),
    [
        ("01010a020200010501019000", ManagementAlgorithm.AES_192),
        ("6d00", ManagementAlgorithm.TRIPLE_DES),
        ("0101ee9000", ManagementAlgorithm.TRIPLE_DES),
    ],
)
def test_the_kind_of_management_key_is_asked_for(
    answer: str, algorithm: ManagementAlgorithm
) -> None:
    assert management_algorithm(one("00f7009b00", answer)) is algorithm


def test_an_object_is_put_with_its_tag_and_value() -> None:
    administration, line = administered(("00db3fff0a5c035fc1025303aabbcc", "9000"))
    administration.put(0x5FC102, b"\xaa\xbb\xcc")
    assert line.is_done


def test_a_p256_key_is_generated_and_known_in_der() -> None:
    point = (
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    )
    administration, _ = administered(
        ("0047009a05ac0380011100", f"7f49438641{point}9000")
    )
    spki = administration.generate(KeySlot.AUTHENTICATION, KeyAlgorithm.P256)
    assert spki.hex().endswith(point)


@pytest.mark.parametrize("exponent", ["010001", "00010001"])
def test_an_rsa_exponent_may_have_leading_zeros(exponent: str) -> None:
    modulus = "c5" * 256
    value = f"8182{256:04x}{modulus}82{len(exponent) // 2:02x}{exponent}"
    answer = f"7f4982{len(value) // 2:04x}{value}"
    administration, _ = administered(
        ("0047009e05ac0380010700", f"{answer[:512]}6100"),
        ("00c0000000", f"{answer[512:]}9000"),
    )
    spki = administration.generate(KeySlot.CARD_AUTHENTICATION, KeyAlgorithm.RSA_2048)
    assert spki.hex().endswith(f"{modulus}0203010001")


@pytest.mark.parametrize(
    "value", ["8600", "864104" + "00" * 64, "860104", "8101018203010001", "820101"]
)
def test_a_key_that_is_no_key_means_nothing(value: str) -> None:
    administration, _ = administered(
        ("0047009a05ac0380011100", f"7f49{len(value) // 2:02x}{value}9000")
    )
    with pytest.raises(MalformedAnswer):
        administration.generate(KeySlot.AUTHENTICATION, KeyAlgorithm.P256)


def test_the_management_key_is_replaced_and_its_bytes_are_wiped() -> None:
    new = bytes(range(32))
    administration, line = administered((f"00ffffff230c9b20{new.hex()}", "9000"))
    administration.set_management_key(
        HeldManagementKey(ManagementAlgorithm.AES_256, Secret(new))
    )
    assert not any(line.sent[-1])


def test_the_counters_are_set_with_fa() -> None:
    administration, line = administered(("00fa0805", "9000"))
    administration.set_tries(8, 5)
    assert line.is_done


def test_what_a_card_cannot_do_is_said_so() -> None:
    administration, _ = administered(("00fa0805", "6d00"))
    with pytest.raises(NotSupported) as caught:
        administration.set_tries(8, 5)
    assert caught.value.data == {"what": "FA"}
