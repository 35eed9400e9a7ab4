"""The operators' terminal, driven by keys and read as text."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from kiosk.simulation.demo_desk import DemoDesk
from kiosk.simulation.face_settings import SETTINGS
from kiosk.tui.desk_app import DeskApp
from kiosk.tui.screens.page import PageScreen
from lab.terminal.hands import Hands
from lab.terminal.screens import Fingers

HANNA, OLGA, AARON, ADA = range(4)
BOB = 5
"""The cast's second, whose card is still issued."""


class Desk:
    """The app, its pilot, and the hand that moves cards."""

    def __init__(
        self, app: DeskApp, pilot: Pilot[int], demo: DemoDesk, hands: Hands
    ) -> None:
        self.app, self.pilot, self.demo, self.hands = app, pilot, demo, hands

    def page(self) -> str:
        """Name the page that is there, once it takes keys."""
        shown = self.app.screen
        if not isinstance(shown, PageScreen) or not shown.is_mounted:
            return ""
        return shown.page.name

    def text(self) -> str:
        width = self.app.size.width
        lines = self.app.screen._compositor.render_strips()
        return "\n".join(line.text[:width].rstrip() for line in lines)

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        for _ in range(3000):
            await self.pilot.pause(0.01)
            if holds():
                await self.pilot.pause()
                self.hands.rest()
                return
        raise AssertionError(f"waited for {what}; there is\n{self.text()}")

    async def until_page(self, name: str) -> None:
        await self.until(lambda: self.page() == name, name)

    async def until_said(self, text: str) -> None:
        await self.until(lambda: text in self.text(), text)

    def asks_pin(self) -> bool:
        """The page asks for the operator's PIN."""
        shown = self.app.screen
        fields = shown.page.fields if isinstance(shown, PageScreen) else ()
        return [field.name for field in fields] == ["pin"]

    async def sign_in(self, operator: int) -> None:
        self.demo.insert(operator)
        await self.until(lambda: "●" not in self.text() and self.asks_pin(), "the PIN")
        await self.pilot.press(*"271828", "enter")
        await self.until_page("menu")


@asynccontextmanager
async def desk(
    size: tuple[int, int] = (80, 24), language: str = "en"
) -> AsyncIterator[Desk]:
    """Run the operators' demo in one language."""
    demo = DemoDesk()
    demo.world.settings = dataclasses.replace(SETTINGS, languages=(language,))
    hands = Hands()
    app = DeskApp(demo, now=hands.now)
    try:
        async with app.run_test(size=size):
            driven = Desk(app, Fingers(app), demo, hands)
            await driven.until_page("sign_in")
            try:
                yield driven
            finally:
                app.exit()  # as a program ends: what comes from now on is of no use
    finally:
        demo.stop()
