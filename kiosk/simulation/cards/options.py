"""How one simulated card differs from another: every switch, documented here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from kiosk.cards.piv.management import ManagementAlgorithm
from storage.known_types import known

ATTESTS_SINCE = b"\x04\x03\x00"
METADATA_SINCE = b"\x05\x03\x00"
AES_DEFAULT_SINCE = b"\x05\x07\x00"


class Variant(StrEnum):
    """The two independent open-source cards whose differences were measured."""

    A = "a"
    """Five tries, 63C0 before 6983, checks the new PIN, SELECT keeps the PIN."""
    B = "b"
    """Three tries, 6983 at once, takes short PINs, SELECT forgets the PIN."""


class PivOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The behaviour of a simulated PIV card."""

    # --- PIN and PUK

    pin_tries: int = 3
    puk_tries: int = 3
    counts_down_to_zero: bool = True
    """The exhausting try answers 63C0 (else 6983 at once)."""
    blocked_query: int = 0x6983
    """What an empty VERIFY answers while blocked (6983 or 63C0)."""
    old_counter_form: bool = False
    """630x instead of 63Cx."""
    checks_new_pin: bool = True
    """A new PIN that is not 6–8 digits is refused with 6A80."""
    refuses_simple: bool = False
    """The card's own complexity rule: equal characters only answer 6985."""
    digits_only_puk: bool = False
    """A new PUK that is not eight digits is refused with 6A80."""
    change_leaves_verified: bool = False
    """CHANGE REFERENCE DATA leaves the PIN verified."""
    has_puk: bool = True
    """False: RESET RETRY COUNTER answers 6D00 (a Bio key)."""
    global_pin: bool = False
    """The holder's PIN is the card's global one (reference 00), which the discovery
    object calls primary; it is not changed or unblocked here."""
    both_blocked_erases: bool = False
    """Keys and objects are gone once PIN and PUK are both blocked."""

    # --- selection and framing

    select_keeps_pin: bool = True
    """Selecting PIV again keeps its security status."""
    unknown_aid: int = 0x6A82
    """What SELECT of another application answers while PIV is selected."""
    unknown_aid_deselects: bool = False
    """SELECT of another application leaves nothing selected."""
    chunk: int = 256
    """Bytes of an answer before 61xx."""
    exponent: bytes = b"\x01\x00\x01"
    """How the RSA exponent is written in 7F49."""
    contactless: bool = False
    """As over the air: what needs contact is refused."""
    contactless_refusal: int = 0x6A81
    """With what (6A81 or 6982)."""

    # --- what real cards were seen to answer to something optional

    missing_object: int = 0x6A82
    """What GET DATA answers for an object that is not there."""
    has_discovery: bool = True
    """False: the discovery object is not there."""
    discovery: bytes | None = None
    """The whole answer for the discovery object, e.g. `7E00`; empty: 9000 and nothing.
    None: as it should be."""
    empty_verify: int = 0
    """What an empty VERIFY answers in place of the counter; 0: the counter."""
    select_warns: int = 0
    """The warning with which SELECT succeeds (6283, 6285); 0: none."""
    shortest_name: int = 5
    """Bytes of the application's name that SELECT wants at least (5, 9 or 11)."""
    takes_any_name: bool = False
    """SELECT answers 9000 and nothing, whatever it is asked for."""
    lacks_own_pin: bool = False
    """There is no reference 80: 6A88. With `global_pin`, the card's PIN is 00."""

    # --- keys

    pin_always: bool = False
    """Each signature of 9A needs a VERIFY directly before."""
    touch: bool = False
    """Signatures of 9A wait for a touch: see `SimulatedPivCard.contact`."""
    touch_is_cached: bool = False
    """One touch will do for 15 s."""
    touch_seconds: float = 0.0
    """How long somebody takes to touch it, on the card's clock."""
    touch_timeout: float = 15.0
    """After how long without a touch a signature is refused with 6982."""
    management_algorithm: ManagementAlgorithm = ManagementAlgorithm.TRIPLE_DES

    # --- a YubiKey's own commands

    version: bytes = b""
    """Firmware (3 bytes) for INS FD, metadata from 5.3 on; empty: 6D00."""
    serial: bytes = b""
    """Serial number (4 bytes) for INS F8; empty: 6D00."""
    metadata_is_empty: bool = False
    """INS F7 answers 9000 and nothing."""

    @property
    def is_yubikey(self) -> bool:
        """It answers as YubiKeys do where they differ from everybody else."""
        return bool(self.version or self.serial)

    @property
    def has_fingers(self) -> bool:
        """A Bio key: fingerprints beside the PIN, and no PUK."""
        return bool(self.version) and not self.has_puk

    @property
    def has_metadata(self) -> bool:
        return self.version >= METADATA_SINCE

    @property
    def attests(self) -> bool:
        """F9 and the object with its certificate are there."""
        return bool(self.serial) and self.version >= ATTESTS_SINCE


def changed(options: PivOptions, values: Mapping[str, object]) -> PivOptions:
    """Return options with these fields as JSON or TOML writes them (bytes: base64).

    msgspec.ValidationError names a field that there is not, or its type.
    """
    merged = {**msgspec.to_builtins(options), **values}
    return msgspec.convert(merged, known(PivOptions))


def of_variant(variant: Variant) -> PivOptions:
    """Return the options of one of the two measured cards."""
    if variant is Variant.A:
        return PivOptions(
            pin_tries=5,
            counts_down_to_zero=True,
            blocked_query=0x6983,
            checks_new_pin=True,
            select_keeps_pin=True,
            chunk=255,
            unknown_aid=0x6D00,
        )
    return PivOptions(
        pin_tries=3,
        counts_down_to_zero=False,
        blocked_query=0x63C0,
        checks_new_pin=False,
        select_keeps_pin=False,
        chunk=256,
        exponent=b"\x00\x01\x00\x01",
        unknown_aid=0x6A82,
    )


def of_yubikey(serial: int, version: tuple[int, int, int] = (5, 4, 3)) -> PivOptions:
    """Return the options of a YubiKey of some firmware."""
    firmware = bytes(version)
    algorithm = ManagementAlgorithm.TRIPLE_DES
    if firmware >= AES_DEFAULT_SINCE:
        algorithm = ManagementAlgorithm.AES_192
    return PivOptions(
        serial=serial.to_bytes(4, "big"),
        version=firmware,
        management_algorithm=algorithm,
        select_keeps_pin=False,
    )


def of_bio_key(serial: int) -> PivOptions:
    """Return the options of a key whose PIN opens FIDO, too: no PUK, eight tries."""
    return msgspec.structs.replace(
        of_yubikey(serial, (5, 6, 4)), has_puk=False, pin_tries=8
    )


def of_neo() -> PivOptions:
    """Return the options of an old key: a version, no serial number, 630x."""
    return PivOptions(version=b"\x03\x04\x09", old_counter_form=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class GidsOptions:
    """How GIDS cards differ. The default has the usual tries and no PUK."""

    pin_tries: int = 3
    puk_tries: int = 0
    """0: the card has no PUK."""
    admin_tries: int = 0
    """Wrong answers that block the administrator key for good; 0: it is not counted
    (as the open-source applet does it), IDPrime cards have 5."""
    chunk: int = 256
    """Bytes of an answer before 61xx."""
