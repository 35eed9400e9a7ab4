"""A session: one operator, one stack of pages. `views.DeskPort`."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import replace

from kiosk.authority.office.errors import NoRole
from kiosk.authority.office.ports import OFFICE_ERRORS, OfficeAuthority
from kiosk.cards.ports import Card
from kiosk.core.errors import Message, said_of
from kiosk.desk.card_work import Aside
from kiosk.desk.context import Context, Move, NotSignedIn, Screen, Site, home
from kiosk.desk.pages.credential import CredentialPage
from kiosk.desk.pages.menu import ELSEWHERE, Menu, elsewhere
from kiosk.desk.pages.sign_in import SignInPage
from kiosk.desk.views import Choice, Emit, Filled, Look, Page

log = logging.getLogger(__name__)
LOOKING_SECONDS = 60.0
"""After which somebody who only looks is asked for again."""


class Session:
    """Shows the sign-in page until somebody is signed in, and after they have left.

    Whether the operator still has a role is asked of the directory before each step,
    and each minute while somebody only looks; who has lost it is signed out.
    """

    def __init__(
        self, authority: OfficeAuthority, site: Site, aside: Aside | None = None
    ) -> None:
        """`aside`: a thread beside this one's, for what takes long."""
        self._context = Context(authority, site, aside=aside)
        self._stack: list[Screen] = [SignInPage()]
        self._notice: Message | None = None
        self._is_refused = self._is_done = False
        self._asked_at = 0.0
        """When the directory was asked last (monotonic seconds)."""

    # --- views.DeskPort ---------------------------------------------------------

    def page(self) -> Page:
        self._still_looking()
        notice, self._notice = self._notice, None
        is_refused, self._is_refused = self._is_refused, False
        is_done, self._is_done = self._is_done, False
        shown, why_not = self._shown()
        if why_not is not None:
            notice, is_done = why_not, False
        return replace(
            shown,
            notice=notice or shown.notice,
            is_refused=is_refused,
            is_done=is_done,
            operator=self._who(),
            can_go_back=len(self._stack) > 1,
            elsewhere=self._elsewhere(),
        )

    def _shown(self) -> tuple[Page, Message | None]:
        """Show the uppermost page that can be, and say why none above it.

        Where not even the first one can, nobody is signed in any more.
        """
        why_not: Message | None = None
        while True:
            try:
                return self._stack[-1].show(self._context), why_not
            except OFFICE_ERRORS as error:
                why_not = why_not or said_of(error)
            if len(self._stack) == 1:
                return self._emptied().show(self._context), why_not
            self._stack.pop()

    def _who(self) -> str:
        """Return what people call the operator; empty: nobody is signed in."""
        if self._context.session is None:
            return ""
        operator = self._context.session.operator
        return operator.person or operator.account

    def _elsewhere(self) -> tuple[Choice, ...]:
        """Return what an operator can go to from every page but the first."""
        is_first = len(self._stack) == 1
        if is_first or self._context.session is None:
            return ()
        return tuple(elsewhere(self._context))

    def choose(self, key: str, emit: Emit) -> Page:
        if key.startswith(ELSEWHERE):
            wanted = key.removeprefix(ELSEWHERE)
            return self._step(lambda _: self._go_elsewhere(wanted, emit))
        return self._step(lambda screen: screen.choose(self._context, key, emit))

    def _go_elsewhere(self, wanted: str, emit: Emit) -> Move:
        """Go there from the first page, where going back leads then."""
        if self._context.session is None:
            raise NotSignedIn
        if not wanted:
            return home()
        move = self._stack[0].choose(self._context, wanted, emit)
        return move if move.to is None else replace(move, home=True)

    def submit(self, filled: Filled, emit: Emit) -> Page:
        try:
            return self._step(lambda screen: screen.submit(self._context, filled, emit))
        finally:
            filled.wipe()

    def look(self, look: Look) -> Page:
        self._stack[-1].look(look)
        return self.page()

    def back(self) -> Page:
        if len(self._stack) > 1:
            self._stack.pop().left(self._context)
        return self.page()

    def card_came(self, card: Card) -> Page:
        self._context.cards[card.insertion] = card
        if self._context.session is not None and self._stack[-1].opens_cards:
            self._open(card)
        return self.page()

    def card_left(self, insertion: int) -> Page:
        card = self._context.cards.pop(insertion, None)
        if (work := self._context.working_on(insertion)) is not None:
            work.card_left()
        elif card is not None:
            card.close()
        if self._context.session is not None and (
            insertion == self._context.own_insertion
        ):
            self._notice = Message("desk.card_left")
            self._emptied()
        return self.page()

    def sign_out(self) -> Page:
        self._emptied()
        return self.page()

    # --- inside -----------------------------------------------------------------

    def _step(self, act: Callable[[Screen], Move]) -> Page:
        context = self._context
        was_signed_in = context.session is not None
        try:
            self._still_allowed()
            self._follow(act(self._stack[-1]))
        except (NoRole, NotSignedIn) as error:
            self._notice = said_of(error)
            self._emptied()
        except OFFICE_ERRORS as error:
            self._notice, self._is_refused = said_of(error), True
        except Exception as error:  # noqa: BLE001 - a defect is shown and logged, never its words
            frames = "".join(traceback.format_tb(error.__traceback__))
            log.error("desk.failed type=%s\n%s", type(error).__name__, frames)
            self._notice = said_of(error)
        if context.session is not None and not was_signed_in:
            self._stack = [Menu()]
            self._asked_at = context.site.clock.monotonic()
        return self.page()

    def _open(self, card: Card) -> None:
        """Open the page of a card that is put in while nobody waits for one."""
        try:
            identity = card.recognise().identity
            known = self._context.office.meant(identity.key)
        except OFFICE_ERRORS as error:
            self._notice = said_of(error)
            return
        if known:
            if isinstance(self._stack[-1], CredentialPage):
                self._stack.pop()
            self._stack.append(CredentialPage(known))

    def _still_allowed(self) -> None:
        if self._context.session is not None:
            self._asked_at = self._context.site.clock.monotonic()
            self._context.session.still()

    def _still_looking(self) -> None:
        """Sign out who has lost the role, though nothing is done but typed and read.

        While the directory cannot be asked, what is on record can be looked at.
        """
        since = self._context.site.clock.monotonic() - self._asked_at
        if since < LOOKING_SECONDS:
            return
        try:
            self._still_allowed()
        except NoRole as error:
            self._notice = said_of(error)
            self._emptied()
        except OFFICE_ERRORS as error:
            log.info("desk.roles_unknown code=%s", error.code)

    def _follow(self, move: Move) -> None:
        self._notice, self._is_done = move.notice, move.is_done
        if move.home:
            del self._stack[1:]
        elif move.back:
            del self._stack[max(1, len(self._stack) - move.back) :]
        if move.to is not None:
            self._stack.append(move.to)

    def _emptied(self) -> Screen:
        self._context.sign_out()
        self._stack = [SignInPage()]
        return self._stack[0]
