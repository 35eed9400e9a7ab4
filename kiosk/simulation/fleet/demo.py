"""Two kiosks and a desk of one fleet, on one terminal: each Ctrl+T goes to the next.

The kiosks have neither registry nor vault nor directory: each asks the authority over
HTTPS, signed with a key of its own. The desk's session runs where the authority is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kiosk.authority.ports import Authority
from kiosk.authority.values import StationFault
from kiosk.cards.ports import Card, ReaderEvent
from kiosk.core.workers import SerialWorker
from kiosk.faces.demo_deck import DemoCard
from kiosk.simulation.cards.reader import SimulatedReaders
from kiosk.simulation.demo import Demo
from kiosk.visit.run import Workplace
from kiosk.visit.station import FaceSettings
from kiosk.visit.visit import Visit

ReachOf = Callable[[str], Authority]
"""The authority, as the station of that name has it."""


class FleetKiosk:
    """`station.Station` and `demo_deck.DemoDeck` of one kiosk of the fleet."""

    def __init__(self, demo: Demo, name: str, reach: ReachOf) -> None:
        """`demo`: whose cards, people and authority it shares."""
        self._demo = demo
        self._readers = SimulatedReaders()
        demo.everywhere.append(self._readers)
        self._authority = reach(name)
        self._card_worker = SerialWorker("card")
        self._authority_worker = SerialWorker("authority")
        self._errands = SerialWorker("errands")
        title = f"{demo.world.settings.title} · {name}"
        self._settings = replace(demo.world.settings, station=name, title=title)

    # --- station.Station --------------------------------------------------------

    @property
    def settings(self) -> FaceSettings:
        return self._settings

    def start(self, emit: Callable[[ReaderEvent], None]) -> None:
        self._readers.start(emit)

    def health(self) -> tuple[StationFault, ...]:
        return self._authority.health()

    def visit(self, card: Card) -> Visit:
        return Visit(
            Workplace(
                card=card, authority=self._authority, worker=self._authority_worker
            )
        )

    def on_card_worker(self, job: Callable[[], None]) -> None:
        self._card_worker.post(job)

    def on_authority_worker(self, job: Callable[[], None]) -> None:
        self._authority_worker.post(job)

    def beside(self, job: Callable[[], None]) -> None:
        self._errands.post(job)

    def stop(self) -> None:
        self._readers.stop()

    # --- demo_deck.DemoDeck -------------------------------------------------------

    @property
    def cards(self) -> tuple[DemoCard, ...]:
        return self._demo.cards

    def insert(self, index: int) -> None:
        self._demo.choose(index)
        self._demo.take_out(self._demo.physical[index])
        self._readers.pull()
        self._readers.insert(self._demo.physical[index])

    def pull(self) -> None:
        self._readers.pull()

    def release_code(self) -> str:
        return self._demo.release_code()

    def note(self) -> str:
        return self._demo.note()
