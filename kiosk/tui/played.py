"""An app that can be played: with a hand that moves cards, in turn with other apps.

In the demo alone somebody gives it either (`kiosk.tui.tray`, `kiosk.tui.seats`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import events, on
from textual.message import Message

from kiosk.core.exit_codes import ExitCode
from kiosk.tui.locked import LockedApp
from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.terminal.driver import KioskDriver

if TYPE_CHECKING:
    from kiosk.tui.tray import TrayHand


class CameBack(Message):
    """The terminal is this app's again."""


class PlayedApp(LockedApp):
    """What the kiosk and the desk have for the demo."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now`: a clock that only goes forward (seconds)."""
        super().__init__(now)
        self.hand: TrayHand | None = None
        """Moves simulated cards; None: cards are real."""
        self.others: Callable[[], None] | None = None
        """Lets another app of this program run; None: there is none."""
        self._is_aside = False

    async def on_event(self, event: events.Event) -> None:
        """What was typed in one breath with going away is nobody's."""
        if not (self._is_aside and isinstance(event, events.InputEvent)):
            await super().on_event(event)

    def moved_by_hand(self, key: str) -> bool:
        """Take a key of the hand; False: it is none."""
        if self.hand is None or not self.hand.knows(key):
            return False
        wish = self.hand.press(key)
        if wish == "end":
            self.exit(int(ExitCode.OK))
        elif wish == "cross":
            self.step_aside()
        if isinstance(self.screen, KioskScreen):
            self.screen.refresh_floor()
        return True

    def step_aside(self) -> None:
        """Let another app have the terminal, if there is one."""
        if self.others is not None and isinstance(self._driver, KioskDriver):
            self._is_aside = True
            self.listen_for(0)
            self._driver.step_aside()
            self.others()

    def come_back(self) -> None:
        """Have the terminal again, as soon as this app's loop runs."""
        self.post_message(CameBack())

    @on(CameBack)
    def _go_on(self) -> None:
        self._is_aside = False
        self.turn.page_shown()
        self.heed_signals()
        if isinstance(self._driver, KioskDriver):
            self._driver.come_back()
        if isinstance(self.screen, KioskScreen):
            self.screen.refresh_floor()
        self.came_back()

    def came_back(self) -> None:
        """For subclasses: what is shown may be of before."""

    def stop(self) -> None:
        """Stop what the app works with. Called once it has ended."""
