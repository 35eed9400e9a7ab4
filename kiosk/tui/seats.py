"""Several apps of one program on one terminal, in turn. Only the demo has them.

Each has an event loop of its own, and one loop runs at a time. Who is away stands
still, whole: nothing is drawn, no key is heard, and its clock stands, so that nobody is
signed out or sent home for the time in which they played somebody else. What happens
to its readers meanwhile waits in its queue. UI thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import termios
import time
from collections.abc import Callable, Iterator, Sequence

from kiosk.core.exit_codes import ExitCode
from kiosk.faces import wording
from kiosk.tui.descriptors import screen_of_its_own
from kiosk.tui.locked import code_of
from kiosk.tui.played import PlayedApp


class StandingClock:
    """A clock that only goes forward (seconds), and stands while nobody needs it."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._stood = 0.0
        """Seconds for which it stood until it went on last."""
        self._stands_at: float | None = None

    def __call__(self) -> float:
        return self._stands_at if self._stands_at is not None else self._goes()

    def _goes(self) -> float:
        return self._now() - self._stood

    def stand(self) -> None:
        """Stand still from now on."""
        self._stands_at = self()

    def go_on(self) -> None:
        """Go on from where it stands."""
        if self._stands_at is not None:
            self._stood += self._goes() - self._stands_at
            self._stands_at = None


MakeApp = Callable[[Callable[[], float]], PlayedApp]
"""Makes an app that goes by the clock it is given."""


class Seat:
    """One app, made when somebody first sits down at it."""

    def __init__(self, make: MakeApp) -> None:
        self._make = make
        self._clock = StandingClock()
        self._loop = asyncio.new_event_loop()
        self._app: PlayedApp | None = None
        self._task: asyncio.Task[int | None] | None = None
        self._language = ""

    def play(self) -> int | None:
        """Have the terminal until the end (the exit code), or until somebody goes over
        to the next seat (None).
        """
        asyncio.set_event_loop(self._loop)
        self._clock.go_on()
        if self._task is None:
            app = self._app = self._make(self._clock)
            app.others = self._loop.stop
            self._task = self._loop.create_task(app.run_async(mouse=False))
            self._task.add_done_callback(lambda _: self._loop.stop())
        elif self._app is not None:
            wording.speak(self._language)
            self._app.come_back()
        self._loop.run_forever()
        if self._app is not None and self._task.done():
            return code_of(self._app, self._task.result())
        self._clock.stand()
        self._language = wording.spoken()
        return None

    def leave(self) -> None:
        """End it, wherever it is."""
        if self._app is not None and self._task is not None:
            asyncio.set_event_loop(self._loop)
            self._app.exit(int(ExitCode.OK))
            if not self._task.done():
                self._loop.run_until_complete(self._task)
            self._app.stop()
        asyncio.set_event_loop(None)
        self._loop.close()


def play(makes: Sequence[MakeApp], first: int = 0) -> int:
    """Play the seats in turn, from the `first` on; return the process's exit code.

    Call `kiosk.tui.environment.harden`, and `kiosk.tui.collector.rest`, before this
    module is imported.
    """
    seats = [Seat(make) for make in makes]
    turn = first
    with screen_of_its_own(), _terminal_as_it_was():
        try:
            while (ended := seats[turn % len(seats)].play()) is None:
                turn += 1
            return ended
        finally:
            for seat in seats:
                seat.leave()


@contextlib.contextmanager
def _terminal_as_it_was() -> Iterator[None]:
    """Give the terminal its modes back: each seat found it as another had left it."""
    terminal = sys.__stdin__.fileno() if sys.__stdin__ else 0
    before = termios.tcgetattr(terminal)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):  # it is gone
            termios.tcsetattr(terminal, termios.TCSANOW, before)
