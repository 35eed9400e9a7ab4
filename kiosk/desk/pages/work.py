"""A card on its way: its steps as they happen, then what to hand over."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.core.errors import Message
from kiosk.desk.context import Context, Move, Plain, Screen, instead, stay
from kiosk.desk.views import Choice, Emit, Page, PageLine, Style

REFRESH = 1.0


class WorkPage(Plain):
    """Can be left: the work goes on, and the first page leads back here."""

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
                lines=(*self._lines, goes_on),
                progress=work.progress,
                refresh=REFRESH,
            )
        again = Choice("again", Message("desk.work.again"), letter="a")
        can_again = self._has_failed and self._again is not None
        title = "desk.work.failed" if self._has_failed else "desk.issued"
        return Page(
            name="issued",
            title=Message(title),
            lines=self._lines,
            choices=(again,) if can_again else (),
        )

    def choose(self, context: Context, key: str, emit: Emit) -> Move:  # noqa: ARG002 - one choice
        return stay() if self._again is None else instead(self._again())
