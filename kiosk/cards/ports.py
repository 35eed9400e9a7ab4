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
from typing import Protocol

from kiosk.cards.values import (
    CardIdentity,
    CardLeft,
    CardUnreadable,
    Family,
    KeyAlgorithm,
    KeySlot,
    PadCommand,
    PukTold,
    ReadersChanged,
    RecognisedCard,
    ServiceLost,
    Tries,
)
from kiosk.core.secret import Secret


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


@dataclass(frozen=True, slots=True)
class CardInserted:
    """A card came into a reader."""

    card: Card


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
