"""Cards as the visit sees them, whatever their family. This room's doors.

Two levels. A `Connection` carries APDUs to one card in one reader (PC/SC or a
simulated reader). A `Card` is what the visit holds: it recognises itself and
opens a `CardSession`, one PC/SC transaction that starts with the application's
SELECT and a check that it is still the same card, and ends with logout and
reset. Only an open session can transmit.

Everything here is called on the card worker's thread and blocks it. Only
`CardError`s come out; anything else is a bug. A command that compares a secret
(VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER) is sent at most once per
call, whatever happens to the line.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from kiosk.core.errors import KioskError
from kiosk.core.secret import Secret
from kiosk.pin.rules import Alphabet

# --- values ------------------------------------------------------------------


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


# --- errors ------------------------------------------------------------------


class CardError(KioskError):
    """Root of what this room may raise."""

    code = "card.error"


class CardRemoved(CardError):
    """The card left, or was reset by somebody, in the middle: `reader`."""

    code = "card.removed"


class CardMute(CardError):
    """A card is there but does not answer: `reader`."""

    code = "card.mute"


class CardBusy(CardError):
    """Another program holds the card: `reader`."""

    code = "card.busy"


class ReaderGone(CardError):
    """The reader was unplugged: `reader`."""

    code = "card.reader_gone"


class ServiceGone(CardError):
    """The PC/SC service does not answer."""

    code = "card.service_gone"


class ModuleFailed(CardError):
    """The middleware crashed, hung or failed: `module`, `why`.

    What it has done to the card by then is not known.
    """

    code = "card.module_failed"


class ServiceDenied(ServiceGone):
    """The PC/SC service runs, and does not let this user use it (polkit)."""

    code = "card.service_denied"


class UnknownCard(CardError):
    """No card family we know answers on this card: `reader`."""

    code = "card.unknown"


class WrongCard(CardError):
    """Another card than the one this visit began with."""

    code = "card.wrong_card"


class MalformedAnswer(CardError):
    """The card sent bytes that mean nothing: `object`, `offset`."""

    code = "card.malformed"


class UnexpectedStatus(CardError):
    """A status word this command should not give: `ins` and `sw` (hex)."""

    code = "card.unexpected_status"


class ObjectMissing(CardError):
    """The card has no such object or key: `object`."""

    code = "card.object_missing"


class NotSupported(CardError):
    """The card cannot do that: `what`."""

    code = "card.not_supported"


class PadRequired(CardError):
    """PINs are typed at readers' own keys here, and card or `reader` cannot do that."""

    code = "card.pad_required"


class ContactNeeded(NotSupported):
    """The card does that only in a contact reader: `what`."""

    code = "card.contact_needed"


class NotVerified(CardError):
    """The card wants the PIN (or a touch) first."""

    code = "card.not_verified"


class TouchMissed(NotVerified):
    """Nobody touched the card in time, twice. Cost no try."""

    code = "card.touch_missed"


def _told(tries_left: int) -> int | str:
    return tries_left if tries_left >= 0 else "unknown"


class WrongPin(CardError):
    """The PIN was wrong and cost a try: `tries_left` (-1: unknown)."""

    code = "card.wrong_pin"

    def __init__(self, tries_left: int) -> None:
        super().__init__(tries_left=_told(tries_left))
        self.tries_left = tries_left


class PinBlocked(CardError):
    """The PIN counter is used up."""

    code = "card.pin_blocked"


class WrongPuk(CardError):
    """The PUK was wrong and cost a try: `tries_left` (-1: unknown)."""

    code = "card.wrong_puk"

    def __init__(self, tries_left: int) -> None:
        super().__init__(tries_left=_told(tries_left))
        self.tries_left = tries_left


class PukBlocked(CardError):
    """The PUK counter is used up: only a new card helps."""

    code = "card.puk_blocked"


class PinRefused(CardError):
    """The card does not take this value as PIN or PUK; nothing was changed."""

    code = "card.pin_refused"


class PukRefused(PinRefused):
    """The card does not take this value as its PUK; nothing was changed."""

    code = "card.puk_refused"


class PadEntryFailed(CardError):
    """Nothing was entered at the PIN pad that could be sent; nothing was changed."""

    code = "card.pad_failed"


class PadTimedOut(PadEntryFailed):
    """Nobody typed at the PIN pad in time."""

    code = "card.pad_timed_out"


class PadCancelled(PadEntryFailed):
    """The cancel key of the PIN pad was pressed."""

    code = "card.pad_cancelled"


class PadMismatch(PadEntryFailed):
    """The new PIN was repeated differently at the PIN pad."""

    code = "card.pad_mismatch"


class PadTooShort(PadEntryFailed):
    """What was typed at the PIN pad is too short, or too long, for a PIN."""

    code = "card.pad_too_short"


class PinTooSimple(PinRefused):
    """The card's own rules find this value too simple; nothing was changed."""

    code = "card.pin_too_simple"


class WrongManagementKey(CardError):
    """Card and caller do not hold the same management key; costs no try."""

    code = "card.wrong_management_key"


class WrongAdminKey(CardError):
    """The card does not take this answer of the administrator key; it may count."""

    code = "card.wrong_admin_key"


UNUSABLE = (ObjectMissing, NotSupported, NotVerified, UnexpectedStatus, MalformedAnswer)
"""What a card's answer to something optional may end in: it then counts as absent.

What happens to the line (a card that left, a service that stopped) is not among them.
"""


# --- level 1: bytes ----------------------------------------------------------


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


class Pinpad(Protocol):
    """A reader's own keys: what is typed there goes to the card and nowhere else.

    A command is sent to the card at most once per call. Blocks while a person types.
    PadEntryFailed, NotSupported (the reader cannot do that), and errors of the line.
    """

    def verify(self, command: PadCommand) -> int:
        """Have one value typed; return the card's status word."""

    def modify(
        self,
        command: PadCommand,
        *,
        asks_current: bool = True,
        known: Secret | None = None,
    ) -> int:
        """Have a new value typed twice; return the card's status word.

        Before it stands the current one, typed too (`asks_current`), or a value that is
        `known` here, or nothing.
        """


class Connection(Protocol):
    """One card in one reader, powered. PC/SC and simulated readers have this."""

    @property
    def reader(self) -> str:
        """The reader's name."""

    @property
    def atr(self) -> bytes:
        """The card's answer to reset."""

    @property
    def pinpad(self) -> Pinpad | None:
        """The reader's PIN pad; None: it has none, or it is not to be used."""

    def begin(self) -> None:
        """Begin a transaction: nobody else's APDU comes between ours."""

    def hold(self) -> None:
        """Keep everybody else from the card, without a transaction, for minutes.

        For a challenge that dies with any other command while a person telephones.
        CardBusy where another program has the card open. Ended by `end`.
        """

    def end(self) -> None:
        """End transaction or hold and reset the card. Never raises if the card left."""

    def transmit(self, apdu: bytearray) -> bytearray:
        """Send one short command APDU, return data and status word.

        Both buffers belong to the caller, who wipes them.
        """

    def close(self) -> None:
        """Disconnect and reset. Safe to call twice."""


# --- level 2: what the visit uses --------------------------------------------


class CardSession(Protocol):
    """One transaction with a card whose identity has just been checked."""

    def tries(self) -> Tries:
        """Read the PIN counter without a try."""

    def verify(self, pin: Secret) -> None:
        """Present the PIN. WrongPin, PinBlocked."""

    def change_pin(self, old: Secret, new: Secret) -> None:
        """Change the PIN. WrongPin, PinBlocked, PinRefused (nothing changed)."""

    def puk_tries(self) -> PukTold | None:
        """Read the PUK's counter without a try; None: the card does not tell."""

    def change_puk(self, old: Secret, new: Secret) -> None:
        """Change the PUK. WrongPuk, PukBlocked, PukRefused, NotSupported."""

    def unblock(self, puk: Secret, new: Secret) -> None:
        """Set a PIN with the PUK. WrongPuk, PukBlocked, PinRefused, NotSupported."""

    def verify_at_pad(self) -> None:
        """Have the PIN typed at the reader's pad: as `verify`. PadEntryFailed."""

    def change_pin_at_pad(self) -> None:
        """Have old and new PIN typed there: as `change_pin`. PadEntryFailed."""

    def unblock_at_pad(self, puk: Secret | None) -> None:
        """Have a new PIN typed there: as `unblock`. PadEntryFailed.

        The PUK is typed, too, where it is not known here (None).
        """

    def challenge(self) -> bytes:
        """Ask for the challenge that the administrator key answers (8 bytes).

        It dies with any other command than its answer. NotSupported.
        """

    def answer(self, response: bytes, new: Secret) -> None:
        """Answer the challenge and set a PIN. WrongAdminKey, PinRefused."""

    def begin_mutual(self, challenge: bytes) -> bytes:
        """Begin mutual authentication with the administrator key.

        `challenge` is the authority's (16 bytes); returns the card's. NotSupported.
        """

    def end_mutual(self, cryptogram: bytes) -> bytes:
        """Show the authority's proof, return the card's. WrongAdminKey."""

    def reset_pin(self, new: Secret) -> None:
        """Set a PIN once the administrator key is authenticated. PinRefused."""

    def sign(self, slot: KeySlot, algorithm: KeyAlgorithm, message: bytes) -> bytes:
        """Sign `message` (hashed here as the algorithm wants it).

        Returns PKCS#1 v1.5, DER ECDSA or Ed25519 bytes. AUTHENTICATION needs a
        PIN verified before in this session; CARD_AUTHENTICATION needs none.
        Waits for a touch (`RecognisedCard.touch`), and once more if nobody came: half
        a minute. For that, or a key that wants the PIN each time, a PIN that this
        session has seen accepted is presented again, unless its owner has wiped it.
        NotVerified, TouchMissed, ObjectMissing.
        """

    def certificate(self, slot: KeySlot) -> bytes:
        """Return the DER certificate in a slot, inflated. ObjectMissing."""

    def logout(self) -> None:
        """Forget the verified PIN. Leaving the session does this, too."""


class Card(Protocol):
    """The card of one insertion, until it leaves."""

    @property
    def reader(self) -> str:
        """The reader's name."""

    @property
    def insertion(self) -> int:
        """Counts insertions of this process; stale messages are told by it."""

    def recognise(self, family: Family | None = None) -> RecognisedCard:
        """Find out what card this is, in a transaction of its own.

        `family`: by that way of speaking to it and no other; NotSupported where there
        is none.
        """

    def other_identities(self, first: CardIdentity) -> tuple[CardIdentity, ...]:
        """Return what else this card can be known by, in order of preference.

        For a card whose `first` identity nobody knows: its record may be older than
        a change of that. Reads more than `recognise`, so it is asked only then.
        """

    def session(self, identity: CardIdentity) -> AbstractContextManager[CardSession]:
        """Open a transaction: SELECT and identity check. WrongCard."""

    def hold(self, identity: CardIdentity) -> AbstractContextManager[CardSession]:
        """Like `session`, but for minutes: nobody else reaches the card meanwhile.

        CardBusy where another program has it open.
        """

    def close(self) -> None:
        """Let go of the card. Safe to call twice."""


# --- insertions --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CardInserted:
    """A card came into a reader."""

    card: Card


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


ReaderEvent = CardInserted | CardLeft | CardUnreadable | ReadersChanged | ServiceLost
"""After ServiceLost, a ReadersChanged says that the service is back."""


class Monitor(Protocol):
    """Watches readers on a thread of its own, for ever."""

    def start(self, emit: Callable[[ReaderEvent], None]) -> None:
        """Begin to watch. `emit` is called on the monitor's threads and returns soon.

        Never two at a time, and not after `stop`.

        The first event is a ReadersChanged or ServiceLost; a card already there
        follows as CardInserted.
        """

    def stop(self) -> None:
        """Stop and join the thread, within 2 s."""
