"""The plain kiosk in the room: the same station, told line by line."""

from __future__ import annotations

import contextlib
import dataclasses
import select
import sys
import time
from collections.abc import Iterator
from typing import Any

from kiosk.simulation.face_settings import SETTINGS
from lab.matrix.kiosk_room import KioskRoom, KioskStation
from lab.matrix.room import PLAIN_PROBES, patient
from lab.matrix.stillness import unread

_LONGEST = 20.0


class PlainRoom(KioskRoom):
    """Still when it waits for a key, and there is none."""

    def __init__(self) -> None:
        super().__init__()
        settings = dataclasses.replace(patient(SETTINGS), languages=("en", "de"))
        self.station = KioskStation(self, settings)
        self._waits = 0
        self._other = -1
        self._decoder: Any = None
        self._is_waiting = False
        self._question = ""

    def run(self) -> int:
        from kiosk.plain import terminal
        from kiosk.plain.controller import run

        room, wait, byte_of = self, terminal.Terminal.wait, terminal.Terminal._byte

        def watched(its: Any, other: int, seconds: float) -> Any:
            room._other, room._decoder = other, its._decoder
            room._waits += 1
            room._is_waiting = True
            try:
                return wait(its, other, seconds)
            finally:
                room._is_waiting = False

        def probed(its: Any) -> int | None:
            byte = byte_of(its)
            if byte not in PLAIN_PROBES:
                return byte
            room.probed = PLAIN_PROBES.index(byte)
            return None

        self._name_questions()
        setattr(terminal.Terminal, "wait", watched)  # noqa: B010 - a laboratory's hook
        setattr(terminal.Terminal, "_byte", probed)  # noqa: B010 - a laboratory's hook
        return run(self.station)

    def _name_questions(self) -> None:
        """Know which question is asked: who asks for a choice, or for which field."""
        from kiosk.plain.talk import Talk
        from kiosk.plain.visit import PlainVisit

        room, choose, ask = self, Talk.choose, PlainVisit._ask

        def choosing(talk: Any, *given: Any) -> Any:
            with room._asking(sys._getframe(1).f_code.co_name):
                return choose(talk, *given)

        def asking(visit: Any, form: Any, name: Any, *given: Any) -> Any:
            with room._asking(name):
                return ask(visit, form, name, *given)

        setattr(Talk, "choose", choosing)  # noqa: B010 - a laboratory's hook
        setattr(PlainVisit, "_ask", asking)  # noqa: B010 - a laboratory's hook

    @contextlib.contextmanager
    def _asking(self, question: str) -> Iterator[None]:
        self._question = question
        try:
            yield
        finally:
            self._question = ""

    def shown(self) -> str:
        return f"plain {self._question}".strip()

    def do_still(
        self,
        probe: int,
        patience: float,
        longest: float | None = None,
        *,
        is_read: bool = True,
        is_drawn: bool = True,
    ) -> dict[str, Any]:
        ends = time.monotonic() + patience
        while self.probed != probe:
            if time.monotonic() > ends:
                return {"probed": False}
            time.sleep(0.0005)
        return self._still()

    def _still(self) -> dict[str, Any]:  # type: ignore[override]  # there is no loop
        ends = time.monotonic() + _LONGEST
        quiet = 0
        while quiet < 2:
            if time.monotonic() > ends:
                raise AssertionError("it never comes to rest")
            for queue in [] if self.gate.is_closed else self.workers():
                self._end_of(queue)
            before = self._waits
            time.sleep(0.002)
            quiet = quiet + 1 if before == self._waits and self._is_idle() else 0
        return {"probed": True, "shown": self.shown()}

    def _is_idle(self) -> bool:
        if not self._is_waiting or unread() or self._decoder.patience is not None:
            return False
        news = select.poll()
        news.register(self._other, select.POLLIN)
        return not news.poll(0)

    def _end_of(self, queue: Any) -> None:
        from threading import Event

        done = Event()
        queue(done.set)
        done.wait(_LONGEST)
