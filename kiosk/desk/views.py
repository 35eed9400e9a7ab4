"""What an operator's page shows and asks: the only things its face knows.

A page is data: lines to read, choices to make, fields to fill, a table to search. One
screen can show every page, a rehearsal can walk through them by name. Strings that are
not `Message`s are outside text and must pass through
`kiosk.core.untrusted_text.visible`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from kiosk.cards.ports import Card
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.desk.tables import Look, PageLine, Style, Table, Words

__all__ = [
    "Choice",
    "DeskPort",
    "Emit",
    "FieldKind",
    "Filled",
    "Flow",
    "Look",
    "Page",
    "PageField",
    "PageLine",
    "Style",
    "Table",
    "Words",
]


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to do next; greyed with its reason where it is refused."""

    key: str
    label: Words
    detail: Words | None = None
    refusal: Message | None = None
    letter: str = ""
    """Its key, the same wherever it is offered; empty: it is numbered. A function key
    (`f4`) stands in the key bar, and works where letters are typed, too.
    """
    of_row: bool = False
    """It is about the row where the cursor is: a blank and its key follow `key`."""
    needs_printer: bool = False
    """It is offered where the station has one: its screens see to that."""
    count: str = ""
    """How many wait there."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Pages that follow each other, and where among them somebody is."""

    steps: tuple[Message, ...]
    """What each is called."""
    at: int
    """Those before it are done."""


class FieldKind(StrEnum):
    """What is typed into a field."""

    TEXT = "text"
    NUMBER = "number"
    CHOICE = "choice"
    """One of `options`."""
    SECRET = "secret"  # noqa: S105 - the name of a kind
    """A card's PIN: not shown; a wipeable value."""
    PASSWORD = "password"  # noqa: S105 - the name of a kind
    """A directory's: as `SECRET`, of every printable character, as UTF-8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageField:
    """One thing to fill in."""

    name: str
    label: Message
    kind: FieldKind = FieldKind.TEXT
    value: str = ""
    options: tuple[tuple[str, Words], ...] = ()
    """Value and words of each, for CHOICE."""
    heading: Message | None = None
    """What begins a group of fields here."""
    before: str | None = None
    """What it was before anybody changed it; a change is marked."""
    help: Message | None = None
    """What it means, beside the field."""
    compared: str | None = None
    """What it is in what the page is compared with; None: nothing is compared."""
    effect: Message | None = None
    """What its change means, or what is wrong with it."""
    short_effect: str = ""
    """The same where there is room for a number only."""
    is_needed: bool = False
    """Without it nothing is submitted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Everything that is on the screen."""

    name: str
    """Which page this is, for tests and rehearsals."""
    title: Words
    flow: Flow | None = None
    """Which step of several this is."""
    lines: tuple[PageLine, ...] = ()
    fields: tuple[PageField, ...] = ()
    action: Message | None = None
    """What submitting does; None: nothing is submitted here."""
    asks_own_key: bool = False
    """The action gives something away, overwrites something or cannot be undone: it has
    a key of its own, and nothing is chosen before somebody chooses.
    """
    choices: tuple[Choice, ...] = ()
    below: tuple[PageLine, ...] = ()
    """More to read: beside the choices where there is room, else under them."""
    table: Table | None = None
    """Rows to choose one of."""
    finds: bool = False
    """What is in the first field is looked for while it is typed (`DeskPort.look`)."""
    weighs: bool = False
    """What is in the fields is weighed while it is typed (`DeskPort.look`)."""
    beside: tuple[tuple[str, Words], ...] = ()
    """What the fields can be compared with: key and words of each."""
    compared: str = ""
    """Which of them is chosen."""
    progress: tuple[int, int] | None = None
    """How many steps are done, and of about how many; drawn as a bar."""
    refresh: float = 0.0
    """Seconds after which the page is to be asked for anew; 0: it does not change."""
    paper: tuple[PageLine, ...] = ()
    """What the station is to print, once, as this page comes."""
    notice: Message | None = None
    """What came of what was just done."""
    about_field: str = ""
    """Which field the notice is about."""
    is_refused: bool = False
    """Nothing came of it: what was typed can be put right."""
    is_done: bool = False
    """The notice tells of something that has been done as it was wanted."""
    operator: str = ""
    """Who is signed in; empty: nobody."""
    can_go_back: bool = False
    elsewhere: tuple[Choice, ...] = ()
    """What can be gone to from everywhere; `choose` takes their keys."""
    leaving: Message | None = None
    """What leaving it means: that is asked, where there are fields only if something
    was typed; None: nothing is lost.
    """


@dataclass(slots=True)
class Filled:
    """What was typed into a page. The session wipes the secrets."""

    texts: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, Secret] = field(default_factory=dict)

    def wipe(self) -> None:
        """Wipe every secret."""
        for secret in self.secrets.values():
            secret.wipe()

    def __repr__(self) -> str:
        return f"Filled({', '.join([*self.texts, *self.secrets])})"


Emit = Callable[[Message], None]
"""Told what is being done, while something takes time."""


class DeskPort(Protocol):
    """An operator's session. Every call blocks; the authority worker's thread.

    No error comes out: whatever goes wrong is the next page's notice.
    """

    def page(self) -> Page:
        """Return what is to be shown now."""

    def choose(self, key: str, emit: Emit) -> Page:
        """Do what a choice says."""

    def submit(self, filled: Filled, emit: Emit) -> Page:
        """Take what was typed."""

    def look(self, look: Look) -> Page:
        """Show the page's table, or what is being filled in, as somebody wants to see
        it now.
        """

    def back(self) -> Page:
        """Go back one page."""

    def card_came(self, card: Card) -> Page:
        """A card came into a reader."""

    def card_left(self, insertion: int) -> Page:
        """A card left; the operator's own ends the session."""

    def sign_out(self) -> Page:
        """End the session: nothing of it is kept."""
