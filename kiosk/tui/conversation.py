"""One visit as the screens hold it: questions go out, reports come back.

Every call of the visit is a job on the card worker. Methods are called on the UI
thread and return at once; what comes of a job is told by a message.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kiosk.faces.error_pages import record, trouble_of
from kiosk.tui import messages as told

if TYPE_CHECKING:
    from kiosk.cards.ports import Card
    from kiosk.visit.station import Station
    from kiosk.visit.views import Answers, Form, Home, Progress
    from statemachine.operation import Kind


class Conversation:
    """The visit of one inserted card, until it is closed."""

    def __init__(
        self, station: Station, card: Card, tell: Callable[[told.About], object]
    ) -> None:
        """`tell` is called from the card worker's thread."""
        self.insertion = card.insertion
        self.home: Home | None = None
        """What may be done, as it was judged last."""
        self._station = station
        self._port = station.visit(card)
        self._tell = tell

    def recognise(self) -> None:
        """Ask who this is, and what may be done now. `Recognised`."""
        self._queue(lambda: told.Recognised(self, self._port.recognise()))

    def begin(self, kind: Kind) -> None:
        """Ask what an action wants to know. `FormReady`."""
        self._queue(lambda: told.FormReady(self, self._port.begin(kind)))

    def begin_again(self, kind: Kind) -> None:
        """After a result: look at the card anew, then as `begin`."""
        self._queue(lambda: self._begin_again(kind))

    def _begin_again(self, kind: Kind) -> told.About:
        home = self._port.recognise()
        return told.FormReady(self, self._port.begin(kind), home)

    def submit(self, form: Form, answers: Answers) -> None:
        """Do it; the visit wipes the answers. `Stepped` as it goes, then `Ended`."""
        self._queue(
            lambda: told.Ended(self, self._port.submit(form, answers, self._stepped))
        )

    def leave(self) -> None:
        """The person went back from a form: a card that it held is let go."""
        self._station.on_card_worker(self._port.leave)

    def close(self) -> None:
        """Let go of the card. What is still asked is answered to nobody."""
        self._station.on_card_worker(self._port.close)

    # --- on the card worker -------------------------------------------------------

    def _queue(self, job: Callable[[], told.About]) -> None:
        def run() -> None:
            try:
                report = job()
            except Exception as error:  # noqa: BLE001 - shown on the screen, logged here
                record(error)
                report = told.Failed(self, trouble_of(error))
            self._tell(report)

        self._station.on_card_worker(run)

    def _stepped(self, progress: Progress) -> None:
        self._tell(told.Stepped(self, progress))
