"""What is on the screen: one fresh screen at a time, and at most a cover over it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from textual.app import App
from textual.screen import Screen
from textual.widget import Widget

from kiosk.faces.turn import Turn
from kiosk.tui.messages import Told
from kiosk.tui.screens.base import KioskScreen


class ScreenStack:
    """Replaces screens; nothing of an earlier one stays on the stack. UI thread.

    At the bottom is the idle screen, the only one that is kept: it shows nobody's
    data.
    """

    def __init__(
        self,
        app: App[Any],
        floor: Callable[[], Widget | None],
        turn: Turn,
        hear: Callable[[Told], None],
    ) -> None:
        """`floor` makes what stands under every screen (the demo's tray). `hear` is
        told at once what a person does on a screen.
        """
        self._app = app
        self._floor = floor
        self._turn = turn
        self._hear = hear
        self._screen: KioskScreen | None = None
        self._cover: Screen[None] | None = None

    @property
    def screen(self) -> KioskScreen | None:
        """What is shown, whatever covers it; None: the idle screen."""
        return self._screen

    @property
    def cover(self) -> Screen[None] | None:
        """What covers it."""
        return self._cover

    def show(self, screen: KioskScreen) -> None:
        """Show a screen in place of the one before."""
        self.uncover()
        self._leave()
        screen.floor = self._floor()
        screen.turn, screen.hear = self._turn, self._hear
        if self._screen is None:
            self._app.push_screen(screen)
        else:
            self._app.switch_screen(screen)
        self._screen = screen

    def show_once(self, subject: Hashable, make: Callable[[], KioskScreen]) -> None:
        """Show what `make` makes, unless a screen of the same subject is there."""
        if self._screen is None or self._screen.subject != subject:
            screen = make()
            screen.subject = subject
            self.show(screen)

    def clear(self) -> None:
        """Leave the idle screen alone."""
        self.uncover()
        if self._screen is not None:
            self._leave()
            self._screen = None
            self._app.pop_screen()

    def _leave(self) -> None:
        """What is typed on the screen that is shown now is not for the next."""
        typed = 0 if self._screen is None else self._screen.unfinished()
        self._turn.page_shown(typed=typed)

    def redraw_bottom(self) -> None:
        """Have the idle screen say everything again, in other words or colours."""
        bottom = self._app.screen_stack[0]
        if isinstance(bottom, KioskScreen):
            bottom.floor = self._floor()
            bottom.refresh(recompose=True)

    def put_over(self, cover: Screen[None]) -> None:
        """Cover the screen; it keeps what it has."""
        self.uncover()
        self._cover = cover
        self._app.push_screen(cover)

    def uncover(self) -> None:
        """Take the cover away, if there is one."""
        if self._cover is not None:
            self._cover = None
            self._app.pop_screen()
