"""Records of templates: what a class of credentials may do."""

from __future__ import annotations

from enum import StrEnum

from storage.records.record import Record


class CardType(StrEnum):
    """Which family of cards a template is for."""

    PIV = "piv"
    GIDS = "gids"
    PKCS11 = "pkcs11"


class CardAccess(StrEnum):
    """By what a kiosk speaks to a card that it could speak to by itself."""

    NATIVE = "native"
    MIDDLEWARE = "middleware"
    IF_POSSIBLE = "middleware if possible"


class PinAlphabet(StrEnum):
    """Which characters a PIN may have."""

    DIGITS = "digits"
    PRINTABLE = "printable"


class FirstPin(StrEnum):
    """How the first PIN of a new card is authorised."""

    TRANSPORT_PIN = "transport pin"
    ACTIVATION_CODE = "activation code"


class UnblockMethod(StrEnum):
    """What authorises an unblock."""

    RELEASE_CODE = "release code"
    HOLDER_PUK = "holder puk"
    ADMIN_KEY_ONLINE = "admin key online"
    ADMIN_KEY_PHONE = "admin key by phone"


class ImportedPuk(StrEnum):
    """What is said of the PUK of a card that was issued elsewhere."""

    UNKNOWN = "unknown"
    FACTORY = "factory"
    HOLDERS = "holder"


class Keyless(StrEnum):
    """May a credential with no authentication key on record sync unsigned?"""

    OFF = "off"
    WITH_RELEASE = "with helpdesk release"
    WITHOUT = "without"


class PinPolicy(Record, frozen=True, kw_only=True):
    """A named part of a template: what a PIN must be, and where it goes."""

    name: str = "default"
    update_ad_password: bool = True
    minimum: int = 6
    maximum: int = 8
    alphabet: PinAlphabet = PinAlphabet.DIGITS
    required_classes: int = 0
    """Of upper, lower, digit, special: how many must occur (0–4)."""
    history: int = 0
    """How many earlier PINs may not return (0: only the present one)."""
    refuse_weak: bool = True
    refuse_account_name: bool = True
    expiry_days: int = 0
    """How many days after it was set a PIN has to be changed (0: never)."""
    reminder_days: tuple[int, ...] = (14, 7, 3, 1)
    """How many days before that the holder is reminded at the kiosk."""


class Template(Record, frozen=True, kw_only=True):
    """What a class of credentials may do. Saved versions are never changed."""

    name: str
    version: int = 0
    card_type: CardType = CardType.PIV
    self_service: bool = True
    card_access: CardAccess = CardAccess.NATIVE
    pin_policy: PinPolicy = PinPolicy()
    apply_pin_policy: bool = True
    first_pin: FirstPin = FirstPin.TRANSPORT_PIN
    activation_code_days: int = 14
    unblock: tuple[UnblockMethod, ...] = (UnblockMethod.RELEASE_CODE,)
    imported_puk: ImportedPuk = ImportedPuk.UNKNOWN
    """What imported cards have, where neither import nor card says it."""
    key_slot: str = "9A"
    key_algorithm: str = "P-256"
    keyless: Keyless = Keyless.OFF
    allow_smart_card_required: bool = False
    allow_pinpad: bool = False
    """May a PIN be set at a reader's own keys, which leaves the password as it is?"""
    honour_directory_history: bool = False
    """A reset obeys the directory's history and minimum age, where a domain controller
    can be asked to."""
