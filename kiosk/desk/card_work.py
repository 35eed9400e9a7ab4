"""A card that is issued while its operator goes on with something else.

A card may need half a minute for its keys, and a certificate ten for somebody's yes.
That happens on a thread of its own; what it asks of the office is asked on the
session's, one question at a time, between the operator's own.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

from kiosk.authority.office.ports import OFFICE_ERRORS, Office
from kiosk.cards.ports import Card
from kiosk.core.errors import KioskError, Message, said_of
from kiosk.core.secret import Secret
from kiosk.desk.context import Context
from kiosk.desk.personalise import IssuedCard, order_of
from kiosk.desk.tables import PageLine, Style
from kiosk.enrollment.bench import Bench
from kiosk.enrollment.issue import Order, issue_card
from storage.records import Credential

log = logging.getLogger(__name__)
T = TypeVar("T")
_STEPS = 5
"""So many steps most cards have; a card with fewer keys has one less."""


class AlreadyWorking(KioskError):
    """Another card is being issued here."""

    code = "desk.already_working"


class Aside(Protocol):
    """A thread beside the session's."""

    def run(self, job: Callable[[], None]) -> None:
        """Begin it; returns at once. Session's thread."""

    def ask(self, question: Callable[[], T]) -> T:
        """Have it answered on the session's thread; waits. The job's thread."""


class WorkBesideTheDesk:
    """One card on its way. Session's thread, unless it says otherwise."""

    def __init__(
        self, card: Card, operator: str, ends: Callable[[WorkBesideTheDesk], None]
    ) -> None:
        """`operator`: whose work it is. `ends` is told once, however it ended."""
        self.insertion = card.insertion
        self.operator = operator
        self.is_over = False
        self.error: Exception | None = None
        """Why it failed."""
        self.credential: Credential | None = None
        """What was issued."""
        self.is_seen = False
        """Its operator has seen how it ended."""
        self._card = card
        self._is_card_gone = False
        self._ends = ends
        self._steps: list[Message] = []
        self._issued: IssuedCard | None = None
        self._handover: tuple[PageLine, ...] = ()

    # --- what is shown ------------------------------------------------------------

    def lines(self) -> tuple[PageLine, ...]:
        """Return how far it is; once it is over, what to hand over, or what failed."""
        if not self.is_over:
            return tuple(self._under_way())
        self.is_seen = True
        if self.error is not None:
            return (PageLine(said_of(self.error), Style.WARNING),)
        if self._issued is not None:
            self._handover, self._issued = self._issued.lines(), None
        return self._handover

    def _under_way(self) -> list[PageLine]:
        *done, now = self._steps or [Message("enrollment.personalising")]
        lines = [PageLine(each, Style.DONE) for each in done]
        return [*lines, PageLine(now, Style.STRONG)]

    @property
    def progress(self) -> tuple[int, int]:
        """How many steps are done, of about how many."""
        return (_STEPS if self.is_over else max(0, len(self._steps) - 1)), _STEPS

    # --- what happens ---------------------------------------------------------------

    def card_left(self) -> None:
        """Its card was pulled; it is let go when nothing works on it any more."""
        self._is_card_gone = True
        if self.is_over:
            self._card.close()

    def forget(self) -> None:
        """Nobody will look at it any more."""
        if self._issued is not None:
            self._issued.wipe()
        self._issued, self._handover = None, ()

    def begin(self, aside: Aside, bench: Bench, order: Order) -> None:
        """Issue the card beside the session. The PIN in the order is wiped after."""
        asked = Bench(
            office=cast(Office, _OfficeAside(bench.office, aside)),
            clock=bench.clock,
            entropy=bench.entropy,
        )

        def job() -> None:
            try:
                issued = issue_card(asked, self._card, order, self._steps.append)
                done = IssuedCard(issued.credential, issued.transport_pin, issued.puk)
            except Exception as error:  # noqa: BLE001 - a defect is shown and logged, never its words
                failed = error
                aside.ask(lambda: self._failed(failed))
            else:
                aside.ask(lambda: self._done(done))
            finally:
                if order.token_pin is not None:
                    order.token_pin.wipe()

        aside.run(job)

    def _done(self, issued: IssuedCard) -> None:
        self._issued, self.credential = issued, issued.credential
        self._over()

    def _failed(self, error: Exception) -> None:
        self.error = error
        if not isinstance(error, OFFICE_ERRORS):
            frames = "".join(traceback.format_tb(error.__traceback__))
            log.error("desk.work_failed type=%s\n%s", type(error).__name__, frames)
        self._over()

    def _over(self) -> None:
        self.is_over = True
        if self._is_card_gone:
            self._card.close()
        self._ends(self)


class _OfficeAside:
    """An office whose every call is made on the session's thread."""

    def __init__(self, office: Office, aside: Aside) -> None:
        self._office, self._aside = office, aside

    def __getattr__(self, name: str) -> Any:
        def call(*given: Any, **named: Any) -> Any:
            return self._aside.ask(lambda: getattr(self._office, name)(*given, **named))

        return call


def begin(
    context: Context,
    aside: Aside,
    card: Card,
    account: str,
    template: str,
    token_pin: Secret | None,
    ends: Callable[[WorkBesideTheDesk], None] = lambda _: None,
) -> WorkBesideTheDesk:
    """Begin to issue a card beside the session. AlreadyWorking, NoCertificates.

    What was begun goes on when its operator signs out; only they see how it ended.
    """
    before = context.work
    if before is not None and not before.is_over:
        raise AlreadyWorking
    own = None if token_pin is None else token_pin.copy()
    order = order_of(context, account, template, own)
    if before is not None:
        before.forget()
    work = WorkBesideTheDesk(card, context.office.operator.account, ends)
    context.work = work
    work.begin(aside, context.bench, order)
    return work
