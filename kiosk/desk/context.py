"""What a page works with, and where it can lead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from kiosk.authority.office.operators import Action, may, require
from kiosk.authority.office.ports import Office, OfficeAuthority
from kiosk.cards.ports import Card
from kiosk.certificates.ports import CertificateSource
from kiosk.core.clock import Clock
from kiosk.core.entropy import Entropy
from kiosk.core.errors import KioskError, Message
from kiosk.desk.files import OwnFiles, StationFiles
from kiosk.desk.views import Emit, Filled, Look, Page
from kiosk.enrollment.bench import Bench

if TYPE_CHECKING:
    from kiosk.desk.card_work import Aside, WorkBesideTheDesk


OWN_FILES = OwnFiles()


class NotSignedIn(KioskError):
    """Nobody is signed in any more."""

    code = "desk.not_signed_in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What a desk has of its own, beside the office."""

    clock: Clock
    entropy: Entropy
    issuer: Callable[[], CertificateSource] | None
    """What certifies new cards; None: cards are not issued here."""
    questions: tuple[str, ...] = ()
    """What the helpdesk asks a caller before it releases anything."""
    answers: tuple[str, ...] = ()
    """Where the answer to each is found."""
    files: StationFiles = OWN_FILES
    """Where what an operator names is read and written."""
    is_lent: bool = False
    """Cards are at a station elsewhere, which lends their bytes: none is spoken to by a
    vendor's middleware, and nothing is done beside a card that is issued.
    """
    waits: Callable[[], bool] = lambda: True
    """Does the operator still wait for what takes long and changes nothing?"""


@dataclass(slots=True)
class Context:
    """One session's state. Authority worker's thread."""

    authority: OfficeAuthority
    site: Site
    session: Office | None = None
    """What the operator who is signed in asks; None: nobody is."""
    own_insertion: int = 0
    """The operator's card; 0: signed in by account."""
    cards: dict[int, Card] = field(default_factory=dict)
    aside: Aside | None = None
    """Where cards are issued beside the session; None: on its own thread."""
    drafts: dict[tuple[str, str, int], dict[str, str]] = field(default_factory=dict)
    """What an operator (account name) has changed in a template (name, version) and
    not saved.
    """
    works: dict[str, WorkBesideTheDesk] = field(default_factory=dict)
    """The card that each operator (account name) is issuing, or has issued last."""

    @property
    def office(self) -> Office:
        """What the operator asks. NotSignedIn."""
        if self.session is None:
            raise NotSignedIn
        return self.session

    @property
    def bench(self) -> Bench:
        """Where the operator works on cards. NotSignedIn."""
        return Bench(
            office=self.office, clock=self.site.clock, entropy=self.site.entropy
        )

    def may(self, action: Action) -> bool:
        """Say whether the operator's roles include the action."""
        return self.session is not None and may(self.session.operator, action)

    def require(self, action: Action) -> None:
        """Let pass what one of the operator's roles includes. NotSignedIn, NotInRole.

        For what a page shows; the office judges again whatever it is asked.
        """
        require(self.office.operator, action)

    def sign_out(self) -> None:
        """Nobody is signed in any more."""
        self.session = None
        self.own_insertion = 0

    @property
    def own_work(self) -> WorkBesideTheDesk | None:
        """The operator's own work, until they have seen how it ended and have handed
        over what goes with it.
        """
        if self.session is None:
            return None
        work = self.works.get(self.session.operator.account)
        return None if work is None or work.is_settled else work

    def working_on(self, insertion: int) -> WorkBesideTheDesk | None:
        """Return whose card is being issued now; None: nobody's."""
        under_way = (each for each in self.works.values() if not each.is_over)
        return next((it for it in under_way if it.insertion == insertion), None)

    def others_card(self) -> Card | None:
        """Return the one card that is not the operator's, and not being issued; None:
        none, or several.
        """
        others = [
            card
            for insertion, card in self.cards.items()
            if insertion != self.own_insertion and self.working_on(insertion) is None
        ]
        return others[0] if len(others) == 1 else None


@dataclass(frozen=True, slots=True)
class Move:
    """Where to go next."""

    to: Screen | None = None
    """A page to go on to; None: stay."""
    back: int = 0
    """How many pages to leave first."""
    notice: Message | None = None
    home: bool = False
    """Leave all but the first."""
    is_done: bool = False
    """The notice tells that something has been done as it was wanted."""


def stay(notice: Message | None = None) -> Move:
    """Show the same page again."""
    return Move(notice=notice)


def done(notice: Message, *, back: int = 0) -> Move:
    """Tell what has been done, here or so many pages before."""
    return Move(back=back, notice=notice, is_done=True)


def go(to: Screen, notice: Message | None = None) -> Move:
    """Go on to a page; going back leads here."""
    return Move(to, notice=notice)


def instead(to: Screen, notice: Message | None = None) -> Move:
    """Go on to a page in place of this one."""
    return Move(to, back=1, notice=notice)


def back(notice: Message | None = None, *, steps: int = 1) -> Move:
    """Leave this page (and those before it)."""
    return Move(back=steps, notice=notice)


def home(notice: Message | None = None) -> Move:
    """Go back to the first page."""
    return Move(home=True, notice=notice)


class Screen(Protocol):
    """One page's mind. What KioskErrors and RegistryErrors say, the session shows."""

    @property
    def opens_cards(self) -> bool:
        """A card that is put in opens its own page; else it is for this one."""

    def show(self, context: Context) -> Page:
        """Return the page as it is now."""

    def choose(self, context: Context, key: str, emit: Emit) -> Move:
        """Do what a choice says."""

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:
        """Take what was typed."""

    def look(self, look: Look) -> None:
        """Note how the table is to be shown, or what is being filled in."""

    def left(self, context: Context) -> None:
        """Somebody has gone back from it."""


class Plain:
    """What most pages do about what they do not have."""

    opens_cards = False

    def choose(self, context: Context, key: str, emit: Emit) -> Move:  # noqa: ARG002 - there are no choices
        return stay()

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:  # noqa: ARG002 - there are no fields
        return stay()

    def look(self, look: Look) -> None:
        """There is no table."""

    def left(self, context: Context) -> None:
        """Nothing is lost."""
