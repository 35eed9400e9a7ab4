"""A program to run on a pseudo-terminal: the kiosk on a fake station.

    python tests/lab/terminal/kiosk_on_terminal.py LOGFILE [SITUATION]

`inserted`: a card is in from the start. `deaf`: no controlling terminal, so a
hang-up is not signalled. `noisy`: a C library writes to standard error. `crashing`:
as `inserted`, and F3 on a form is a defect that has a PIN in its locals. `busy`: a
card is inserted and pulled again and again until SIGUSR1; the log says when a visit
begins, and at SIGUSR2 garbage is collected. `impatient`: a card is in, and whoever is
idle for a second is forgotten.
`forgetful`: as `inserted`, and reading an exclamation mark is a defect.
"""

from __future__ import annotations

import dataclasses
import fcntl
import gc
import logging
import os
import queue
import signal
import sys
import termios
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from kiosk.cards.ports import Card, ReaderEvent
from kiosk.faces.keyboard import decoder
from kiosk.faces.keyboard.names import Key, typed
from lab.terminal.fake_station import SETTINGS, FakeStation, FakeVisit, Script

log = logging.getLogger(__name__)
NOISE = b"noise of a library\n"
_IMPATIENT = dataclasses.replace(
    SETTINGS, idle_warning_after=0.5, idle_wipe_after=1.0, pause=0
)


class Visit(FakeVisit):
    """A visit that says when it ends."""

    def __init__(self, script: Script) -> None:
        super().__init__(script)
        self.is_closed = threading.Event()

    def close(self) -> None:
        super().close()
        self.is_closed.set()
        log.info("visit.closed")


class Station(FakeStation):
    """A fake station in the situation that the command line names."""

    def __init__(self, situation: str) -> None:
        super().__init__(_IMPATIENT if situation == "impatient" else SETTINGS)
        self._situation = situation
        self._is_quiet = threading.Event()
        self._begun: queue.SimpleQueue[Visit] = queue.SimpleQueue()

    def start(self, emit: Callable[[ReaderEvent], None]) -> None:
        super().start(emit)
        if self._situation in ("inserted", "crashing", "impatient", "forgetful"):
            self.insert()
        elif self._situation == "noisy":
            os.write(2, NOISE)
        elif self._situation == "busy":
            signal.signal(signal.SIGUSR1, lambda *_: self._is_quiet.set())
            signal.signal(signal.SIGUSR2, lambda *_: collect())
            threading.Thread(target=self._be_busy, daemon=True).start()

    def _be_busy(self) -> None:
        """As fast as the kiosk can: a faster hand fills its queue, not the line."""
        while not self._is_quiet.wait(0.03):
            insertion = self.insert()
            visit = self._begun.get()
            self._is_quiet.wait(0.03)
            self.pull(insertion)
            visit.is_closed.wait()

    def visit(self, card: Card) -> FakeVisit:
        log.info("visit.begun")
        visit = Visit(self.script)
        self.visits.append(visit)
        self._begun.put(visit)
        return visit


def collect() -> None:
    """So that what is in memory is what is held."""
    gc.collect()
    log.info("garbage.collected")


def crash(screen: object) -> NoReturn:
    """A defect whose message and locals hold what was typed."""
    pin = screen._entries.fields[0].copy().reveal().decode()  # type: ignore[attr-defined]  # a FormScreen
    raise RuntimeError(pin)


def forget(character: str) -> Key:
    """A defect of what reads keys."""
    if character == "!":
        raise RuntimeError(character)
    return typed(character)


def main(file: str, situation: str = "") -> int:
    """Run until somebody ends it."""
    from kiosk.tui.environment import harden

    harden()
    from kiosk.core.logs import set_up
    from kiosk.tui.app import run
    from kiosk.tui.screens.form import FormScreen

    set_up(Path(file))
    if situation == "deaf":
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        fcntl.ioctl(0, termios.TIOCNOTTY)
    if situation == "forgetful":
        setattr(decoder, "typed", forget)  # noqa: B010 - a defect is put in
    if situation == "crashing":
        setattr(FormScreen, "_show_or_hide", crash)  # noqa: B010 - a defect is put in
    return run(Station(situation))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
