"""The self-service kiosk in the room: one station whose world is made anew."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NoReturn

from kiosk.authority.values import StationFault
from kiosk.cards.ports import Card, ReaderEvent
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.core.workers import SerialWorker
from kiosk.directory.errors import Unreachable
from kiosk.pin.challenges import spoken
from kiosk.simulation.cards.reader import READER, SimulatedReaders
from kiosk.simulation.domain_faults import AnyFault, Frozen, WriteNo
from kiosk.simulation.face_settings import SETTINGS
from kiosk.texts import LANGUAGES
from lab.matrix import facts, kiosk_worlds
from lab.matrix.room import Room, patient

SECOND = "Second reader"
_FAULTS: dict[str, AnyFault] = {
    "answer lost": Frozen(stays=True),
    "refused": WriteNo(),
}


def _in_trouble() -> NoReturn:
    raise Unreachable(dcs="dc1.ad.test", reason="refused")


class KioskStation:
    """`station.Station` for whatever world there is now."""

    def __init__(self, room: Room, settings: Any) -> None:
        self.settings = settings
        self.readers = SimulatedReaders(READER, SECOND)
        self.faults: tuple[StationFault, ...] = ()
        self.is_in_trouble = False
        self.card, self.authority = SerialWorker("card"), SerialWorker("authority")
        self._gate = room.gate
        self.world = kiosk_worlds.new_world(self.readers, self.card, self.authority)

    def anew(self) -> None:
        """Begin in an empty world."""
        for reader in (SECOND, READER):
            self.readers.pull(reader)
        self.world = kiosk_worlds.new_world(self.readers, self.card, self.authority)

    def start(self, emit: Callable[[ReaderEvent], None]) -> None:
        self.readers.start(emit)

    def health(self) -> tuple[StationFault, ...]:
        return self.faults

    def visit(self, card: Card) -> Any:
        visit = self.world.visit(card)
        if self.is_in_trouble:
            setattr(visit, "recognise", _in_trouble)  # noqa: B010 - a fault is put in
        return visit

    def on_card_worker(self, job: Callable[[], None]) -> None:
        self.card.post(self._gate.before(job))

    def on_authority_worker(self, job: Callable[[], None]) -> None:
        self.authority.post(job)

    def beside(self, job: Callable[[], None]) -> None:
        self.authority.post(job)  # one queue less to see the end of

    def stop(self) -> None:
        self.readers.stop()


class KioskRoom(Room):
    """Orders about cards, and what became of them."""

    def __init__(self, manner: str = "") -> None:
        super().__init__()
        settings = patient(SETTINGS)
        if manner == "asking":
            settings = dataclasses.replace(settings, idle_warning_after=0.05)
        elif manner == "languages":
            settings = dataclasses.replace(settings, languages=tuple(LANGUAGES))
        elif manner == "leaving":
            settings = dataclasses.replace(
                settings, idle_warning_after=0.02, idle_wipe_after=0.05
            )
        self.station = KioskStation(self, settings)

    def run(self) -> int:
        self.watch()
        from kiosk.tui.app import run

        return run(self.station)

    def workers(self) -> list[Any]:
        return [self.station.card.post, self.station.authority.post]

    # --- what is done ---------------------------------------------------------------

    def do_anew(self) -> None:
        """Take everything out and forget the world."""
        self.gate.open()
        was_missing, self.station.faults = bool(self.station.faults), ()
        if was_missing:
            self._ask_health()
        self.station.is_in_trouble = False
        self.station.anew()
        self.rest()

    def do_insert(self, situation: str, *, reader: str = READER) -> None:
        card = kiosk_worlds.give(self.station.world, situation)
        self.station.readers.insert(card, reader)

    def do_pull(self) -> None:
        self.station.readers.pull()

    def do_insert_wrongly(self) -> None:
        self.station.readers.insert_wrongly()

    def do_spoil(self, fault: str) -> None:
        """Let the directory fail like this at the next write."""
        self.station.world.directory.fail(_FAULTS[fault])

    def do_trouble(self) -> None:
        """Let the next card be met by a station that cannot help."""
        self.station.is_in_trouble = True

    def do_fail(self) -> None:
        """Let the station lack its directory."""
        fault = StationFault(part="directory", message=Message("kiosk.unexpected"))
        self.station.faults = (fault,)
        self._ask_health()

    def _ask_health(self) -> None:
        controller = self.app._controller
        assert controller is not None
        self.app.call_from_thread(controller.ask_health)

    def do_code(self, name: str, kind: str) -> dict[str, str]:
        """Give out a code, as the helpdesk would."""
        world = self.station.world
        make = world.activation_code if kind == "activation" else world.release_code
        with make(name) as code:
            return {"code": code.reveal().decode()}

    def do_answer(self, challenge: str) -> dict[str, str]:
        """Answer a card's challenge, as the helpdesk would."""
        from kiosk.authority.escrow import admin_key

        block = bytes.fromhex(challenge)
        answer = admin_key.answer(Secret(kiosk_worlds.ADMIN_KEY), block)
        return {"answer": spoken(answer)}

    # --- what is read ---------------------------------------------------------------

    def do_facts(self) -> dict[str, Any]:
        return facts.facts_of(self.station.world)

    def do_knows(self, name: str, password: str) -> dict[str, bool]:
        return {"knows": facts.knows(self.station.world, name, password)}
