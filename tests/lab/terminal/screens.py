"""Driving the kiosk's screens without a terminal, on the demo's world."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.pilot import Pilot, WaitForScreenTimeout

from kiosk.simulation.demo import CAST, Demo
from kiosk.tui.app import KioskApp, KioskParts
from kiosk.tui.screens.message import MessageScreen
from kiosk.visit.station import FaceSettings
from lab.terminal.hands import Hands

WAIT = 3000
"""Turns of the loop (10 ms each, and more where much is to be done) that a screen may
take to appear.
"""


class Fingers(Pilot[int]):
    """Press keys; a widget that is taken away meanwhile is not waited for for ever."""

    async def _wait_for_screen(self, timeout: float = 30.0) -> bool:  # noqa: ASYNC109 - Textual's signature
        try:
            return await super()._wait_for_screen(timeout)
        except WaitForScreenTimeout:
            return True


class Kiosk:
    """The app, its pilot, and the hand that moves the demo's cards."""

    def __init__(
        self, app: KioskApp, pilot: Pilot[int], demo: Demo, hands: Hands
    ) -> None:
        self.app, self.pilot, self.demo, self.hands = app, pilot, demo, hands

    def screen(self) -> str:
        """Name what is on the screen: `Home`, `Form`, or a message's kind."""
        shown = self.app.screen
        if isinstance(shown, MessageScreen):
            return shown.kind
        return type(shown).__name__.removesuffix("Screen")

    def text(self) -> str:
        """Everything that can be read now, as the terminal would draw it."""
        width = self.app.size.width
        lines = self.app.screen._compositor.render_strips()
        return "\n".join(line.text[:width].rstrip() for line in lines)

    async def until(self, name: str) -> None:
        """Wait for a screen."""
        await self.until_true(
            lambda: self.screen() == name and bool(self.text().strip()),
            f"{name} to appear",
        )

    async def until_true(self, holds: Callable[[], bool], what: str) -> None:
        """Wait for something to become true."""
        for _ in range(WAIT):
            await self.pilot.pause(0.01)
            if holds():
                self.hands.rest()
                return
        raise AssertionError(f"waited for {what}; there is {self.screen()}")

    async def insert(self, name: str) -> None:
        """Insert a card of the demo's cast (`stranger` is one, too)."""
        names = [role.name for role in CAST]
        self.demo.insert(names.index(name) if name in names else len(names))

    async def type(self, *entries: str) -> None:
        """Type each entry and Enter."""
        for entry in entries:
            await self.pilot.press(*entry, "enter")


@asynccontextmanager
async def kiosk(
    *,
    size: tuple[int, int] = (80, 24),
    settings: FaceSettings | None = None,
    message_hook: Callable[[object], None] | None = None,
    with_tray: bool = False,
) -> AsyncIterator[Kiosk]:
    """Run the kiosk on a demo world of its own."""
    demo = Demo()
    if settings is not None:
        demo.world.settings = settings
    hands = Hands()
    parts = KioskParts(demo.world, demo if with_tray else None)
    app = KioskApp(demo.world.settings, lambda: parts, now=hands.now)
    try:
        async with app.run_test(size=size, message_hook=message_hook):
            driven = Kiosk(app, Fingers(app), demo, hands)
            await driven.until_true(lambda: app._controller is not None, "the station")
            await driven.until("Idle")
            try:
                yield driven
            finally:
                app.exit()  # as a program ends: what comes from now on is of no use
    finally:
        demo.world.stop()
