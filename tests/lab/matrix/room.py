"""The real program on a terminal, with simulated cards and a hand that is not on it.

    python tests/lab/matrix/room.py kiosk|desk|plain DESCRIPTOR LOGFILE

The hand (`control`) puts a card in, sets the scene, waits until nothing moves, and
reads what is true. Every key goes through the terminal, as anybody's does.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import gc
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

PROBES = {
    f"{held}+{key}": b"\x1b[%d;%d~" % (code, modifiers)
    for key, code in (("f11", 23), ("f12", 24))
    for held, modifiers in (
        ("alt+shift", 4),
        ("ctrl+shift", 6),
        ("alt+ctrl", 7),
        ("alt+ctrl+shift", 8),
    )
}
"""Keys that no page knows: one seen here tells that all before it were handled.

They take turns: one that is only late is never taken for the one sent after it.
"""
PLAIN_PROBES = tuple(range(0xF5, 0xFD))
"""The same where bytes are keys: those that begin no character."""


class Gate:
    """Holds a worker, so that a moment can be looked at."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self.is_closed = False

    def close(self) -> None:
        self._open.clear()
        self.is_closed = True

    def open(self) -> None:
        self.is_closed = False
        self._open.set()

    def before(self, job: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            self._open.wait(60)
            job()

        return run


class Room:
    """What every face's room does when it is told."""

    def __init__(self) -> None:
        self.app: Any = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.probed = -1
        """Which probe was the last one."""
        self.gate = Gate()
        self._turns: list[Any] = []

    def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        """Do what the test says; on the laboratory's thread."""
        do = order.pop("do")
        return getattr(self, f"do_{do}")(**order) or {}

    def do_hold(self) -> None:
        self.gate.close()

    def do_rest(self) -> None:
        """Let whoever presses keys look for a while before they press the next."""
        for turn in self._turns:
            turn._at = float("-inf")

    def know_turns(self) -> None:
        """Know what tells a key of now from one that is still held."""
        from kiosk.faces.turn import Turn

        made, known = Turn.__init__, self._turns

        def making(turn: Any, *given: Any, **named: Any) -> None:
            known.append(turn)
            made(turn, *given, **named)

        setattr(Turn, "__init__", making)  # noqa: B010 - a laboratory's hook

    def do_go_on(self) -> None:
        self.gate.open()

    def do_collector(self) -> dict[str, int]:
        """Tell how many objects the collector leaves alone, and whether it works."""
        return {"frozen": gc.get_freeze_count(), "is_on": gc.isenabled()}

    def do_focus(self, at: int) -> None:
        """Go to that field."""
        self.app.call_from_thread(self._focus, at)

    def _focus(self, at: int) -> None:
        screen = self.app.screen
        screen.set_focus(screen.focus_chain[at])

    def do_draw_whole(self) -> None:
        """Draw everything that is shown, whatever has been drawn of it."""
        self.app.call_from_thread(self._draw_whole)

    def _draw_whole(self) -> None:
        for shown in self.app.screen.walk_children(with_self=True):
            shown.refresh()

    def do_afresh(self) -> dict[str, bool]:
        """Show a new screen of what is shown; False: that screen has more to it."""
        return {"shown": bool(self.app.call_from_thread(self._afresh))}

    def _afresh(self) -> bool:
        from kiosk.tui.screens.form import FormScreen
        from kiosk.tui.screens.page import PageScreen

        screen = self.app.screen
        if isinstance(screen, PageScreen):
            self.app._stage.show(PageScreen(screen.settings, screen.page))
        elif isinstance(screen, FormScreen):
            is_confirmed = screen._is_confirmed
            fresh = FormScreen(screen.settings, screen.form, is_confirmed=is_confirmed)
            self.app._stage.show(fresh)
        else:
            return False
        return True

    def workers(self) -> list[Any]:
        raise NotImplementedError

    def rest(self) -> None:
        """Wait until nothing moves, before the scene goes on."""
        from lab.matrix.stillness import still

        if self.loop is not None:
            coming = still(self.app, self.workers(), is_read=False)
            asyncio.run_coroutine_threadsafe(coming, self.loop).result(60)

    def do_still(
        self,
        probe: int,
        patience: float,
        longest: float | None = None,
        *,
        is_read: bool = True,
        is_drawn: bool = True,
    ) -> dict[str, Any]:
        """Wait for the probe, then until nothing moves; say what is shown.

        `longest`: how long to wait for that, whatever still moves then (seconds).
        `is_read`: the terminal takes what is drawn; that is waited for, too.
        `is_drawn`: what has changed is to be on the screen, not only handled.
        """
        if self.loop is None:
            return {"probed": False}
        coming = self._still(
            probe, patience, longest, is_read=is_read, is_drawn=is_drawn
        )
        return asyncio.run_coroutine_threadsafe(coming, self.loop).result(60)

    async def _still(
        self, probe: int, patience: float, longest: float | None, **means: bool
    ) -> dict[str, Any]:
        from lab.matrix.stillness import still

        ends = asyncio.get_running_loop().time() + patience
        while self.probed != probe:
            if asyncio.get_running_loop().time() > ends:
                return {"probed": False}
            await asyncio.sleep(0.0005)
        workers = [] if self.gate.is_closed else self.workers()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(still(self.app, workers, **means), longest)
        return {"probed": True, "shown": self.shown()}

    def shown(self) -> str:
        """Name what is on the screen."""
        screen = self.app.screen
        name = type(screen).__name__
        page = getattr(screen, "page", None)
        kind = getattr(screen, "kind", None)
        return f"{name} {page.name if page else kind or ''}".strip()

    def watch(self) -> None:
        """See the probe before the app does, and know the app."""
        from textual import events

        from kiosk.tui.locked import LockedApp

        room, seen, names = self, LockedApp.on_event, list(PROBES)

        async def on_event(app: Any, event: events.Event) -> None:
            if room.app is None:
                room.app, room.loop = app, asyncio.get_running_loop()
            if isinstance(event, events.Key) and event.key in names:
                if not event.is_forwarded:
                    room.probed = names.index(event.key)
                return
            await seen(app, event)

        setattr(LockedApp, "on_event", on_event)  # noqa: B010 - a laboratory's hook


def patient(settings: Any) -> Any:
    """Nobody is asked whether they are there, however long the test thinks."""
    return dataclasses.replace(settings, idle_warning_after=3e6, idle_wipe_after=4e6)


def main(face: str, descriptor: str, log: str, manner: str = "") -> int:
    """Run until somebody ends it."""
    from kiosk.tui.environment import harden

    harden()
    from kiosk.core.logs import set_up
    from lab.matrix import control

    set_up(Path(log))
    room: Any
    if face == "kiosk":
        from lab.matrix.kiosk_room import KioskRoom

        room = KioskRoom(manner)
    elif face == "desk":
        from lab.matrix.desk_room import DeskRoom

        room = DeskRoom()
    else:
        from lab.matrix.plain_room import PlainRoom

        room = PlainRoom()
    room.know_turns()
    control.serve(int(descriptor), room.obey)
    return int(room.run())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
