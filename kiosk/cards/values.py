"""What a card and its reader are told to be: values that every family has."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kiosk.pin.alphabet import Alphabet


class Family(StrEnum):
    """The kinds of card we can speak to."""

    PIV = "piv"
    GIDS = "gids"
    PKCS11 = "pkcs11"


class IdentityKind(StrEnum):
    """What a card's identity was taken from, in order of preference."""

    SERIAL = "serial"
    GUID = "guid"
    FASC_N = "fascn"
    CARD_ID = "cardid"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class CardIdentity:
    """Which card this is. Public, and no proof of anything."""

    family: Family
    kind: IdentityKind
    value: bytes

    @property
    def key(self) -> str:
        """The registry's key, e.g. `piv:guid:00112233…` (lower-case hex)."""
        return f"{self.family}:{self.kind}:{self.value.hex()}"


@dataclass(frozen=True, slots=True)
class Tries:
    """A retry counter. `left` is None where the card does not tell."""

    left: int | None
    total: int | None = None

    @property
    def is_blocked(self) -> bool:
        return self.left == 0


@dataclass(frozen=True, slots=True)
class PukTold:
    """What a card tells of its PUK."""

    tries: Tries
    is_default: bool | None = None
    """It is the factory's; None: not told."""


@dataclass(frozen=True, slots=True)
class PinFormat:
    """What the card itself takes as a PIN (characters)."""

    minimum: int
    maximum: int
    alphabet: Alphabet


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Something optional that counts as absent, though the card did not say so."""

    name: str
    is_garbled: bool
    """It answered bytes that mean nothing; else it refused in its own way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognisedCard:
    """What identification found, without any try at a PIN."""

    identity: CardIdentity
    reader: str
    pin_tries: Tries
    pin_format: PinFormat
    puk_tries: Tries | None = None
    """None: the card does not tell."""
    has_puk: bool = True
    has_admin_key: bool = False
    """An administrator key can set a PIN (GIDS, IDPrime)."""
    pin_is_default: bool | None = None
    pin_is_global: bool = False
    """The PIN serves all applications of the card: verified here, but changed and
    unblocked elsewhere (SP 800-73-5 part 1, discovery object)."""
    touch: bool | None = None
    """A signature of 9A waits until somebody touches the card; None: it does not tell.

    The card shows nothing while it waits: ask for the touch before `sign` is called,
    until it returns.
    """
    pinpad: bool = False
    """The reader has a PIN pad that can be used with this card."""
    passed_over: tuple[PassedOver, ...] = ()
    """What it need not tell, and told in a way that could not be used."""


class KeyAlgorithm(StrEnum):
    """Signature keys, decided by the key on record, never by vendor ids."""

    RSA_2048 = "RSA-2048"
    RSA_3072 = "RSA-3072"
    RSA_4096 = "RSA-4096"
    P256 = "P-256"
    P384 = "P-384"
    ED25519 = "Ed25519"


class KeySlot(StrEnum):
    """Keys on the card, by their PIV reference (SP 800-73-5 part 1)."""

    AUTHENTICATION = "9A"
    CARD_AUTHENTICATION = "9E"


@dataclass(frozen=True, slots=True, kw_only=True)
class PadCommand:
    """A command into which a PIN pad puts what is typed there."""

    header: bytes
    """CLA INS P1 P2."""
    block: int
    """Bytes that each value is padded to with FF; 0: values are not padded."""
    minimum: int
    maximum: int
    """Characters of a value."""


@dataclass(frozen=True, slots=True)
class CardLeft:
    """The card of that insertion is no longer there."""

    insertion: int


@dataclass(frozen=True, slots=True)
class CardUnreadable:
    """Something is in the reader that does not answer (or was put in wrongly)."""

    reader: str


@dataclass(frozen=True, slots=True)
class ReadersChanged:
    """Which readers there are now; empty: none.

    Also sent, with the same names, when what was unreadable has been taken out.
    """

    readers: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    """Readers that cannot be used because of their names; others are not affected."""


@dataclass(frozen=True, slots=True)
class ServiceLost:
    """The PC/SC service went away or was never there; the monitor keeps trying."""

    reason: str
    is_denied: bool = False
    """It runs, and does not let this user use it."""
