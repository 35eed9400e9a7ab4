"""A program to run on a pseudo-terminal: the kiosk on a fake station.

    python tests/lab/kiosk_on_terminal.py LOGFILE [inserted|deaf|noisy|crashing]

`inserted`: a card is in from the start. `deaf`: no controlling terminal, so a
hang-up is not signalled. `noisy`: a C library writes to standard error. `crashing`:
as `inserted`, and F2 on a form is a defect that has a PIN in its locals.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from kiosk.cards.ports import ReaderEvent
from lab.fake_station import FakeStation

NOISE = b"noise of a library\n"


class Station(FakeStation):
    """A fake station in the situation that the command line names."""

    def __init__(self, situation: str) -> None:
        super().__init__()
        self._situation = situation

    def start(self, emit: Callable[[ReaderEvent], None]) -> None:
        super().start(emit)
        if self._situation in ("inserted", "crashing"):
            self.insert()
        elif self._situation == "noisy":
            os.write(2, NOISE)


def crash(screen: object) -> NoReturn:
    """A defect whose message and locals hold what was typed."""
    pin = screen._entries.fields[0].copy().reveal().decode()  # type: ignore[attr-defined]  # a FormScreen
    raise RuntimeError(pin)


def main(log: str, situation: str = "") -> int:
    """Run until somebody ends it."""
    from kiosk.tui.environment import harden

    harden()
    from kiosk.logs import set_up
    from kiosk.tui.app import run
    from kiosk.tui.screens.form import FormScreen

    set_up(Path(log))
    if situation == "deaf":
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        fcntl.ioctl(0, termios.TIOCNOTTY)
    if situation == "crashing":
        setattr(FormScreen, "_show_or_hide", crash)  # noqa: B010 - a defect is put in
    return run(Station(situation))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
