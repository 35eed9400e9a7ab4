"""A card that is issued, also while its operator goes on with something else.

A card may need half a minute for its keys, and a certificate ten for somebody's yes.
That happens on a thread of its own; what it asks of the office is asked on the
session's, one question at a time, between the operator's own. What has to be handed
over is there until its operator says that it has been, whatever page they leave.
"""

from __future__ import annotations

import dataclasses
import logging
import traceback
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar, cast

from kiosk.authority.office.ports import OFFICE_ERRORS, Office
from kiosk.cards.ports import Card
from kiosk.core.errors import KioskError, Message, said_of
from kiosk.core.secret import Secret
from kiosk.desk.context import Context
from kiosk.desk.personalise import IssuedCard, order_of, personalise
from kiosk.desk.tables import PageLine, Style
from kiosk.desk.views import Emit
from kiosk.enrollment.bench import Bench
from kiosk.enrollment.issue import Order
from kiosk.enrollment.issuing import STEPS
from storage.records import Credential

log = logging.getLogger(__name__)
T = TypeVar("T")
_STEP = "enrollment.step."


class AlreadyWorking(KioskError):
    """Another card is being issued here."""

    code = "desk.already_working"


class NotHandedOver(KioskError):
    """What goes with the card before is known nowhere but here."""

    code = "desk.not_handed_over"


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
        self._is_seen = False
        """Its operator has seen how it ended."""
        self._card = card
        self._is_card_gone = False
        self._ends = ends
        self._steps: list[Message] = []
        self._issued: IssuedCard | None = None

    # --- what is shown ------------------------------------------------------------

    def lines(self) -> tuple[PageLine, ...]:
        """Return how far it is; once it is over, what to hand over, or what failed."""
        if not self.is_over:
            return tuple(self._under_way())
        self._is_seen = True
        kept = () if self._issued is None else self._issued.lines()
        if self.error is not None:
            return (PageLine(said_of(self.error), Style.WARNING), *kept)
        return kept

    def _under_way(self) -> Iterator[PageLine]:
        """Yield every step: what was done, what is being done, what is to come."""
        now = self._stage
        for at, name in enumerate(STEPS):
            named = Message(f"enrollment.coming.{name}")
            if at == now:
                yield PageLine(self._steps[-1], Style.RUNNING)
            else:
                yield PageLine(named, Style.DONE if at < now else Style.OPEN)

    @property
    def _stage(self) -> int:
        """Which of the steps is being done; -1: none yet."""
        begun = [each.key.removeprefix(_STEP) for each in self._steps]
        return max((STEPS.index(each) for each in begun if each in STEPS), default=-1)

    @property
    def progress(self) -> tuple[int, int]:
        """How many steps are done, of how many."""
        return (len(STEPS) if self.is_over else max(0, self._stage)), len(STEPS)

    @property
    def is_to_hand_over(self) -> bool:
        """Something of it, or of the card before, is known nowhere but here."""
        is_there = self._issued is not None and self._issued.has_secret
        return self.is_over and is_there

    @property
    def is_settled(self) -> bool:
        """Its operator has seen how it ended, and nothing is left to hand over."""
        return self._is_seen and not self.is_to_hand_over

    # --- what happens ---------------------------------------------------------------

    def card_left(self) -> None:
        """Its card was pulled; it is let go when nothing works on it any more."""
        self._is_card_gone = True
        if self.is_over:
            self._card.close()

    def handed_over(self) -> None:
        """Somebody has what goes with the card: it is wiped."""
        self._forget()
        self._is_seen = True

    def keep_of(self, before: WorkBesideTheDesk) -> None:
        """Keep what goes with the card before until this one is issued."""
        self._issued, before._issued = before._issued, None

    def begin(self, aside: Aside, bench: Bench, order: Order) -> None:
        """Issue the card beside the session. The PIN in the order is wiped after."""
        asked = Bench(
            office=cast(Office, _OfficeAside(bench.office, aside)),
            clock=bench.clock,
            entropy=bench.entropy,
        )

        def job() -> None:
            try:
                done = personalise(asked, self._card, order, self._steps.append)
            except Exception as error:  # noqa: BLE001 - a defect is shown and logged, never its words
                failed = error
                aside.ask(lambda: self._failed(failed))
            else:
                aside.ask(lambda: self._done(done))
            finally:
                if order.token_pin is not None:
                    order.token_pin.wipe()

        aside.run(job)

    def run(self, bench: Bench, order: Order, emit: Emit) -> None:
        """Issue it now, while nothing else is done. As `personalise`."""
        self._done(personalise(bench, self._card, order, emit))

    def _forget(self) -> None:
        if self._issued is not None:
            self._issued.wipe()
        self._issued = None

    def _done(self, issued: IssuedCard) -> None:
        self._forget()  # of the card before
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


def must_be_free(context: Context) -> None:
    """Let pass while no card is being issued here, by whomever. AlreadyWorking."""
    if any(not each.is_over for each in context.works.values()):
        raise AlreadyWorking


def begin(
    context: Context,
    card: Card,
    account: str,
    template: str,
    token_pin: Secret | None,
    emit: Emit,
    ends: Callable[[WorkBesideTheDesk], None] = lambda _: None,
    *,
    follows: WorkBesideTheDesk | None = None,
) -> WorkBesideTheDesk:
    """Begin to issue a card beside the session, or, where there is no such thread,
    issue it now. AlreadyWorking, NotHandedOver, NoCertificates; now: as `personalise`.

    `follows`: the card before; what goes with it is handed over by the time this one is
    issued, and is there still where this one is not. What was begun goes on when its
    operator signs out; only they see how it ended.
    """
    operator = context.office.operator.account
    must_be_free(context)
    before = context.works.get(operator)
    if before is not None and before.is_to_hand_over and before is not follows:
        raise NotHandedOver
    if context.aside is None:
        emit(Message("enrollment.personalising"))
    order = order_of(context, account, template, token_pin)
    work = WorkBesideTheDesk(card, operator, ends)
    if context.aside is None:
        work.run(context.bench, order, emit)
        if follows is not None:
            follows.handed_over()
    else:
        if follows is not None:
            work.keep_of(follows)
        own = None if token_pin is None else token_pin.copy()
        beside = dataclasses.replace(order, token_pin=own)
        work.begin(context.aside, context.bench, beside)
    context.works[operator] = work
    return work
