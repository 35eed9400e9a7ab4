"""What a rehearsal is played on: a reader with a hand, and a domain with one.

The simulated ones are `kiosk.simulation.cards.reader.SimulatedReaders` and
`kiosk.simulation.domain.SimulatedDirectory`. A scenario can also be played with
its simulated cards in a real reader, and against a laboratory's real domain.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from kiosk.cards.ports import Card, ReaderEvent
from kiosk.core.errors import KioskError
from kiosk.core.secret import Secret
from kiosk.directory.ports import Directory
from kiosk.directory.values import Account
from kiosk.simulation.cards.chip import Chip
from kiosk.simulation.cards.faults import Faults
from kiosk.simulation.domain_faults import AnyFault


class NotHere(KioskError):
    """A step needs simulated parts: `what`."""

    code = "rehearsal.not_here"


class RehearsalReaders(Protocol):
    """A reader that somebody moves cards in."""

    @property
    def faults(self) -> Faults:
        """What goes wrong with the card that is in."""

    def start(self, emit: Callable[[ReaderEvent], None]) -> None:
        """Begin to watch."""

    def stop(self) -> None:
        """Stop watching."""

    def insert(self, card: Chip) -> Card:
        """Put a card in; return what the visit gets, once the reader has seen it."""

    def pull(self) -> None:
        """Take the card out; returns when the reader has seen that."""


class Domain(Directory, Protocol):
    """`ports.Directory`, with accounts that a scenario arranges and observes."""

    @property
    def writes(self) -> list[tuple[str, str]]:
        """(DC, objectGUID) of every password that was really written."""

    def add_account(
        self,
        name: str,
        *,
        display_name: str = "",
        password: Secret | None = None,
        delegated: bool = True,
        enabled: bool = True,
        locked: bool = False,
        expired: bool = False,
        privileged: bool = False,
        smart_card_required: bool = False,
    ) -> str:
        """Arrange an account; return its objectGUID."""

    def change_account(self, guid: str, **changes: str | bool | int) -> None:
        """Change fields of `ports.Account`."""

    def change_elsewhere(
        self, guid: str, password: Secret, *, must_change: bool = False
    ) -> None:
        """Somebody else sets the password, perhaps to be changed at the next logon."""

    def fail(self, fault: AnyFault) -> None:
        """Let something go wrong."""

    def heal(self) -> None:
        """Let all be well again."""

    def binds(self, guid: str, password: Secret) -> bool:
        """Say whether the account can sign in with this password."""

    def account(self, guid: str) -> Account:
        """Return the account as it is now."""
