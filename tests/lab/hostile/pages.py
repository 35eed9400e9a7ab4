"""The helpdesk of the town at its pages: what a page showed may be old when it decides.

The real session with its pages, on the authority as it is by now. Between any two of
Hanna's steps (looked for, opened, chosen, confirmed, gone back) others may go on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kiosk.authority.office.operators import Action
from kiosk.core.secret import Secret
from kiosk.desk.context import Site
from kiosk.desk.session import Session
from kiosk.desk.views import Filled, Page
from kiosk.simulation.rehearsal.office import office_of

if TYPE_CHECKING:
    from lab.hostile.town import Person, Town

PASSWORD = b"Helpdesk-2026"
_REASON = "asked for by the holder"
CHOICES = {
    "suspend": Action.SUSPEND,
    "resume": Action.RESUME,
    "revoke": Action.REVOKE,
    "close": Action.CLOSE,
    "release": Action.RELEASE,
    "activation": Action.RELEASE,
}
"""What Hanna chooses on a card's page, and what it is."""
EVENTS = {
    "suspend": "lifecycle.suspend",
    "resume": "lifecycle.resume",
    "revoke": "lifecycle.revoke",
    "close": "credential.case_closed",
}
"""What the evidence has of it; codes may be made for others, too."""


class AtPages:
    """Hanna's session. It ends with the authority's process; then there is another."""

    def __init__(self, town: Town, account: str) -> None:
        self._town = town
        self._account = account
        self._session: Session | None = None
        self.told: list[tuple[str, str]] = []
        """Credential and choice of everything that a page said was done."""

    def leave(self) -> None:
        """The process at the other end is gone, or Hanna is."""
        self._session = None

    def decides(
        self, person: Person, choice: str, between: Callable[[], None]
    ) -> Page | None:
        """Go through the pages of one decision; the last one.

        None: the page is not that person's, or does not offer it.
        """
        session = self._signed_in()
        session.choose("go:", _quiet)
        page = session.submit(Filled({"term": person.name}, {}), _quiet)
        between()
        session.page()  # it is read anew while she looks at it
        between()
        offered = {each.key for each in page.choices if each.refusal is None}
        if page.title != self._holder(person) or choice not in offered:
            return None  # she reads whose page it is
        page = session.choose(choice, _quiet)
        between()
        texts = {each.name: _REASON for each in page.fields}
        page = session.submit(Filled(texts, {}), _quiet)
        if page.is_done:
            self.told.append((person.holder.credential, choice))
        between()
        session.back()
        return page

    def _holder(self, person: Person) -> str:
        return self._town.credential(person).holder

    def _signed_in(self) -> Session:
        """Return the session, once she has signed in, if need be."""
        session = self._session
        if session is None or not session.page().operator:
            world = self._town.world
            office = office_of(world.parts, with_account=True, second_for=frozenset())
            site = Site(clock=world.clock, entropy=world.entropy, issuer=None)
            session = self._session = Session(office, site)
            session.choose("account", _quiet)
            typed = {"password": Secret(PASSWORD)}
            session.submit(Filled({"account": self._account}, typed), _quiet)
        return session


def _quiet(said: object) -> None:
    """Nobody listens to what is said meanwhile."""
