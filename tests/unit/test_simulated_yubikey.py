"""What a simulated YubiKey has besides PIV, and what others do to a card meanwhile."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from msgspec.structs import replace

from kiosk.cards import tlv
from kiosk.cards.errors import PukBlocked, WrongPin
from kiosk.cards.piv import objects
from kiosk.cards.piv.management import FACTORY_KEY, HeldManagementKey
from kiosk.cards.values import KeyAlgorithm, KeySlot, Tries
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.simulation.cards import faults
from kiosk.simulation.cards.factory import MadeCard, make_card
from kiosk.simulation.cards.keys import PrivateKey
from kiosk.simulation.cards.options import (
    PivOptions,
    of_bio_key,
    of_neo,
    of_yubikey,
)
from kiosk.simulation.cards.piv import SimulatedPivCard
from kiosk.simulation.cards.reader import SimulatedReaders

SELECT = "00a4040005a000000308"
MANAGEMENT = "00a4040008a000000527471117"
VERIFY = "0020008008313233343536ffff"
YUBIKEY = of_yubikey(12345678, (5, 7, 1))


def ask(card: SimulatedPivCard, apdu: str) -> str:
    """Send one APDU, return the whole answer in hex."""
    answer = card.transmit(bytes.fromhex(apdu)).hex()
    while answer[-4:-2] == "61":
        answer = answer[:-4] + card.transmit(bytes.fromhex("00c0000000")).hex()
    return answer


def sw(card: SimulatedPivCard, apdu: str) -> str:
    """Send one APDU, return its status word in hex."""
    return ask(card, apdu)[-4:]


def make(options: PivOptions = YUBIKEY) -> MadeCard:
    made = make_card(
        SeededEntropy(3),
        subject="Ann",
        pin=b"123456",
        puk=b"12345678",
        options=options,
    )
    ask(made.card, SELECT)
    return made


def administrated(options: PivOptions = YUBIKEY) -> SimulatedPivCard:
    """Return a card whose management key is authenticated."""
    card = make(options).card
    algorithm = card.admin.algorithm
    key = HeldManagementKey(algorithm, Secret(FACTORY_KEY))
    size = algorithm.block_size
    challenge = card.transmit(bytes.fromhex(f"0087{algorithm:02x}9b047c028100"))
    answer = key.encrypt(bytes(challenge[4 : 4 + size])).hex()
    proof = f"7c{size + 2:02x}82{size:02x}{answer}"
    assert sw(card, f"0087{algorithm:02x}9b{size + 4:02x}{proof}") == "9000"
    return card


def told(card: SimulatedPivCard, reference: str) -> dict[int, str]:
    """Return metadata by their tags, in hex."""
    answer = bytes.fromhex(ask(card, f"00f700{reference}00"))
    return {tag: value.hex() for tag, value in tlv.walk(answer[:-2], "metadata")}


# --- the Management application -------------------------------------------------


def test_the_management_application_greets_with_the_firmware() -> None:
    answer = bytes.fromhex(ask(make().card, MANAGEMENT))
    assert answer.endswith(b"FW version 5.7.1\x90\x00")


def test_its_configuration_tells_serial_firmware_and_that_piv_is_enabled() -> None:
    card = make().card
    ask(card, MANAGEMENT)
    answer = bytes.fromhex(ask(card, "001d000000"))
    assert answer[0] == len(answer) - 3
    parts = dict(tlv.walk(answer[1:-2], "configuration"))
    assert parts[0x02].hex() == "00bc614e"
    assert parts[0x05].hex() == "050701"
    for tag in (0x01, 0x03, 0x0D, 0x0E):
        assert int.from_bytes(parts[tag], "big") & 0x10
    assert sw(card, "001d010000") == "6a86"
    assert sw(card, "00fd000000") == "6d00"


def test_selecting_it_takes_the_verified_pin_away() -> None:
    card = make().card
    ask(card, VERIFY)
    ask(card, MANAGEMENT)
    assert not card.is_verified
    ask(card, SELECT)
    assert sw(card, "00200080") == "63c3"


def test_a_card_that_is_no_yubikey_has_no_such_application() -> None:
    assert sw(make(PivOptions()).card, MANAGEMENT) == "6a82"


# --- keys ---------------------------------------------------------------------------


def test_a_generated_key_has_the_policies_that_were_asked_for() -> None:
    card = administrated()
    assert sw(card, "0047009a0bac09800111aa0103ab010200") == "9000"
    assert told(card, "9a")[2] == "0302"
    assert told(card, "9a")[3] == "01"
    ask(card, VERIFY)
    ask(card, "00200080")
    sign = "0087119a267c2482008120" + "ab" * 32
    assert sw(card, sign) == "6982"


@pytest.mark.parametrize("wrong", ["aa0106ab0101", "aa0101ab0104", "aa020101ab0101"])
def test_a_policy_that_there_is_not_makes_no_key(wrong: str) -> None:
    card = administrated()
    before = card.keys[0x9A]
    control = f"800111{wrong}"
    body = f"ac{len(control) // 2:02x}{control}"
    assert sw(card, f"0047009a{len(body) // 2:02x}{body}") == "6a80"
    assert card.keys[0x9A] is before


def parts_of(key: PrivateKey) -> tuple[int, bytes]:
    """Return algorithm identifier and parts of an import (FE)."""
    match key:
        case rsa.RSAPrivateKey():
            numbers = key.private_numbers()
            primes = (numbers.p, numbers.q)
            made = [value.to_bytes(key.key_size // 16, "big") for value in primes]
            return 0x07, tlv.pack(1, made[0]) + tlv.pack(2, made[1])
        case ec.EllipticCurvePrivateKey():
            value = key.private_numbers().private_value
            return 0x11, tlv.pack(6, value.to_bytes(32, "big"))
        case _:
            return 0xE0, tlv.pack(7, key.private_bytes_raw())


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 2048),
        ec.generate_private_key(ec.SECP256R1()),
        ed25519.Ed25519PrivateKey.generate(),
    ],
    ids=["RSA-2048", "P-256", "Ed25519"],
)
def test_a_key_made_elsewhere_is_taken_as_it_is_and_not_vouched_for(
    key: PrivateKey,
) -> None:
    card = administrated()
    algorithm, parts = parts_of(key)
    size = len(parts).to_bytes(2, "big").hex()
    command = f"00fe{algorithm:02x}9a00{size}{parts.hex()}"
    assert sw(card, command) == "9000"
    assert card.keys[0x9A].public_key() == key.public_key()
    assert told(card, "9a")[3] == "02"
    assert sw(card, "00f99a0000") == "6a80"


@pytest.mark.parametrize("parts", ["", "0101ff", "0601" + "00", "06ff"])
def test_an_import_of_nonsense_leaves_the_key_that_was_there(parts: str) -> None:
    card = administrated()
    before = card.keys[0x9A]
    size = f"{len(parts) // 2:02x}" if parts else ""
    assert sw(card, f"00fe119a{size}{parts}") == "6a80"
    assert card.keys[0x9A] is before


def test_a_key_moves_to_another_slot_or_away() -> None:
    card = administrated()
    key = card.keys[0x9A]
    assert sw(card, "00f6829a") == "9000"
    assert card.keys[0x82] is key
    assert 0x9A not in card.keys
    assert sw(card, "00f69e82") == "6a88", "there is a key already"
    assert sw(card, "00f6ff82") == "9000"
    assert 0x82 not in card.keys
    assert sw(administrated(of_yubikey(1)), "00f6829a") == "6d00"


@pytest.mark.parametrize("command", ["00fe119a", "00f6ff9a", "00faffff", "00ffffff"])
def test_nothing_of_this_works_without_the_management_key(command: str) -> None:
    card = make().card
    ask(card, VERIFY)
    assert sw(card, command) == "6982"


# --- a Bio key, and an old one --------------------------------------------------------


def test_a_bio_key_has_fingers_and_no_puk() -> None:
    card = administrated(of_bio_key(7))
    assert told(card, "80")[6] == "0808"
    assert sw(card, "00f7008100") == "6a88"
    assert told(card, "96").keys() == {6, 7, 8}
    assert sw(card, "002c0080103132333435363738363534333231ffff") == "6d00"
    ask(card, VERIFY)
    assert sw(card, "00fa0303") == "6d00"
    card.set_tries(pin=0, puk=0)
    assert sw(card, "00fb0000") == "6985"


def test_only_a_bio_key_knows_of_fingers() -> None:
    assert sw(make().card, "00f7009600") == "6a88"


def test_an_old_key_has_a_version_and_nothing_newer() -> None:
    card = make(of_neo()).card
    assert ask(card, "00fd000000") == "0304099000"
    for command in ("00f8000000", "00f7008000", "00f99a0000"):
        assert sw(card, command) == "6d00"
    assert sw(card, "0020008008393939393939ffff") == "6302"


def test_metadata_may_be_empty() -> None:
    card = make(replace(YUBIKEY, metadata_is_empty=True)).card
    assert ask(card, "00f7008000") == "9000"


# --- the global PIN -------------------------------------------------------------------


def test_a_global_pin_opens_the_keys_and_is_changed_elsewhere() -> None:
    card = make(PivOptions(global_pin=True)).card
    assert ask(card, "00cb3fff035c017e00").endswith("5f2f0260209000")
    assert sw(card, VERIFY) == "63c2", "the application's own PIN is another"
    assert sw(card, VERIFY.replace("0080", "0000")) == "9000"
    assert sw(card, "0087119a267c2482008120" + "ab" * 32) == "9000"
    for ins in ("24", "2c"):
        assert sw(card, f"00{ins}000010{'31' * 16}") == "6a88"


# --- objects ----------------------------------------------------------------------


def test_one_key_may_have_two_certificates() -> None:
    made = make_card(
        SeededEntropy(3),
        subject="Ann",
        pin=b"123456",
        puk=b"12345678",
        with_old_certificate=True,
    )
    stored = made.card.objects
    old = objects.read_certificate(stored[objects.CERTIFICATE_9D])
    assert old != made.authentication.certificate
    assert made.card.keys[0x9D] is made.card.keys[0x9A]


def test_a_reset_takes_keys_objects_and_policies() -> None:
    card = administrated()
    ask(card, "0047009a0bac09800111aa0103ab010200")
    card.objects[0x5FFF00] = b"admin data"
    card.set_tries(pin=0, puk=0)
    assert sw(card, "00fb0000") == "9000"
    assert not card.keys
    assert not card.objects
    assert not card.policies


# --- what somebody else does to a card meanwhile ------------------------------------


def test_a_counter_drifts_between_two_commands_of_ours() -> None:
    made = make(PivOptions(pin_tries=5))
    readers = SimulatedReaders()
    card = readers.insert(made.card)
    assert card.recognise().pin_tries == Tries(5)
    readers.faults.set(faults.CounterDrift(at=3, tries=2))
    with (
        card.session(made.identity) as session,
        pytest.raises(WrongPin) as caught,
    ):
        session.verify(Secret(b"481516"))
    assert caught.value.tries_left == 2


def test_a_verified_pin_does_not_survive_what_somebody_else_tried() -> None:
    made = make(PivOptions())
    readers = SimulatedReaders()
    card = readers.insert(made.card)
    card.recognise()
    readers.faults.set(faults.CounterDrift(at=4))
    with card.session(made.identity) as session:
        session.verify(Secret(b"123456"))
        with pytest.raises(Exception, match=r"card\.not_verified"):
            session.sign(KeySlot.AUTHENTICATION, KeyAlgorithm.P256, b"statement")


def test_a_puk_is_used_up_between_two_commands_of_ours() -> None:
    made = make(PivOptions())
    readers = SimulatedReaders()
    card = readers.insert(made.card)
    card.recognise()
    readers.faults.set(faults.PukBlockedMeanwhile(at=3))
    with card.session(made.identity) as session, pytest.raises(PukBlocked):
        session.unblock(Secret(b"12345678"), Secret(b"234291"))
    assert made.card.puk_tries_left == 0
