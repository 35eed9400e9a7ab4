"""A card on its way: its steps as they happen, then what to hand over."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.core.errors import Message
from kiosk.desk.context import Context, Move, Plain, Screen, done, instead, stay
from kiosk.desk.pages.flow import issuing
from kiosk.desk.views import Choice, Emit, Filled, Page, PageLine, Style

REFRESH = 1.0


class WorkPage(Plain):
    """Can be left: the work goes on, and the first page leads back here until it has
    ended and its operator has handed over what is known nowhere else.
    """

    def __init__(self, again: Callable[[], Screen] | None = None) -> None:
        """`again`: where it can be tried again; None: nowhere from here."""
        self._again = again
        self._lines: tuple[PageLine, ...] = ()
        """How it ended; this page keeps what its operator has seen here."""
        self._has_failed = False

    def show(self, context: Context) -> Page:
        work = context.own_work
        if work is not None:
            self._lines, self._has_failed = work.lines(), work.error is not None
        if work is not None and not work.is_over:
            goes_on = PageLine(Message("desk.work.goes_on"), Style.MUTED)
            return Page(
                name="work",
                title=Message("desk.work.under_way"),
                flow=issuing("card"),
                lines=(*self._lines, goes_on),
                progress=work.progress,
                refresh=REFRESH,
            )
        again = Choice("again", Message("desk.work.again"), letter="a")
        can_again = self._has_failed and self._again is not None
        title = "desk.work.failed" if self._has_failed else "desk.issued"
        is_to_hand_over = work is not None and work.is_to_hand_over
        leaving = Message("desk.handover.leaving_pin") if is_to_hand_over else None
        return Page(
            name="issued",
            title=Message(title),
            flow=issuing("card" if self._has_failed else "handover"),
            lines=self._lines,
            action=Message("desk.handover.action") if is_to_hand_over else None,
            asks_own_key=is_to_hand_over,
            choices=(again,) if can_again else (),
            leaving=leaving,
        )

    def submit(self, context: Context, filled: Filled, emit: Emit) -> Move:  # noqa: ARG002 - quick
        """What goes with the card is with its holder: it is not shown any more."""
        work = context.own_work
        if work is None or not work.is_to_hand_over:
            return stay()
        work.handed_over()
        self._lines = ()
        return done(Message("desk.handover.done"), back=1)

    def choose(self, context: Context, key: str, emit: Emit) -> Move:  # noqa: ARG002 - one choice
        return stay() if self._again is None else instead(self._again())
