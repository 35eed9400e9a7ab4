"""An app that nobody can leave: what Textual offers developers is switched off.

Each switch answers a measured hazard of Textual 8.2.8; docs/tui.md has the table.
"""

from __future__ import annotations

import asyncio
import io
import logging
import signal
import sys
import termios
import time
import traceback
from collections.abc import Callable
from typing import ClassVar

from rich.console import Console, RenderableType
from textual import events
from textual.app import App
from textual.binding import BindingType
from textual.command import Provider
from textual.theme import Theme

from kiosk.core.exit_codes import ExitCode
from kiosk.faces.attention import LOOK, Attention
from kiosk.faces.turn import HELD, Turn
from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.stylesheets import KeptStylesheet
from kiosk.tui.terminal.driver import KioskDriver
from kiosk.tui.theme import CONTRAST, KIOSK, edges

log = logging.getLogger(__name__)

_LINE_FEED = "ctrl+j"
_ENTER = events.Key("enter", "\r")
_ENDING_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class _Nowhere(io.StringIO):
    """Where tracebacks go: their frames have locals, and locals have PINs."""

    def write(self, text: str) -> int:
        return len(text)


class LockedApp(App[int], inherit_bindings=False):
    """The shell around the screens. Subclasses see every key first: `before_key`."""

    ENABLE_COMMAND_PALETTE = False
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = set()
    ALLOW_SELECT = False
    ESCAPE_TO_MINIMIZE = False
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """`now`: a clock that only goes forward (seconds)."""
        self._colours: dict[str, dict[str, str]] = {}
        """What the style sheets call by name, for each theme that was shown."""
        super().__init__(driver_class=KioskDriver)
        self.now = now
        self._attention = Attention()
        self._next_look: asyncio.TimerHandle | None = None
        self.turn = Turn(now, self._attention)
        self._after_return = False
        self.failure: Exception | None = None
        """Why it could not begin."""
        self.register_theme(KIOSK)
        self.register_theme(CONTRAST)
        self.set_reactive(App.theme, KIOSK.name)  # nothing has other colours yet
        self._sheets = KeptStylesheet(variables=self.get_css_variables())
        self.stylesheet = self._sheets
        self.animation_level = "none"
        self.error_console = Console(file=_Nowhere())

    # --- what is refused --------------------------------------------------------

    def check_action(
        self,
        action: str,  # noqa: ARG002 - Textual's signature
        parameters: tuple[object, ...],  # noqa: ARG002 - Textual's signature
    ) -> bool | None:
        """Keys do not come by Textual's actions: none is of use here."""
        return False

    def copy_to_clipboard(self, text: str) -> None:  # noqa: ARG002 - Textual's signature
        self._clipboard = ""

    def exit(
        self,
        result: int | None = None,
        return_code: int = 0,
        message: RenderableType | None = None,
    ) -> None:
        """End; the first reason stays, and what went wrong is one."""
        if not self._exit and not self.return_code:
            super().exit(result, return_code, message)

    def panic(self, *renderables: RenderableType) -> None:
        """End because of a defect, whoever has found it."""
        self._return_code = int(ExitCode.UNEXPECTED)
        super().panic(*renderables)

    def _handle_exception(self, error: Exception) -> None:
        """Log type and frames only: the words of an exception may carry data.

        Once the end was asked for, Textual composes no screen any more, so that one
        which was on its way lacks everything: that is written down, and the end stays
        the one that was asked for.
        """
        frames = "".join(traceback.format_tb(error.__traceback__))
        if self._exit:
            log.warning("ui.broke_at_the_end %s\n%s", type(error).__name__, frames)
            return
        log.critical("ui.unhandled %s\n%s", type(error).__name__, frames)
        super()._handle_exception(error)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return edges()

    def get_css_variables(self) -> dict[str, str]:
        """Return a theme's colours: reckoned once, and the same ever after."""
        known = self._colours.get(self.theme)
        if known is None:
            known = self._colours[self.theme] = super().get_css_variables()
        self.theme_variables = known
        return known

    def prepare(self, theme: Theme) -> None:
        """Have what is shown ready in other colours before they are asked for."""
        own = self.theme
        self.set_reactive(App.theme, theme.name)
        variables = self.get_css_variables()
        self.set_reactive(App.theme, own)
        self.get_css_variables()  # Textual keeps those that were asked for last
        self._sheets.prepare(variables)

    # --- keys -------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """Do what a key does, whole, before the next one is looked at.

        Textual would queue it for the widget that has the focus now, whatever the keys
        before it are still going to change. What a terminal reports unasked (mouse,
        focus) is dropped.
        """
        match event:
            case events.Key():
                self._come(event)
            case events.Paste():
                self._refuse_paste()
            case events.InputEvent() | events.AppFocus() | events.AppBlur():
                pass
            case _:
                await super().on_event(event)

    def _come(self, key: events.Key) -> None:
        """Scanners end a line with CR, LF or both, and mean one Enter."""
        is_rest, self._after_return = (
            self._after_return and key.key == _LINE_FEED,
            key.key == "enter",
        )
        if not is_rest:
            self._press(_ENTER if key.key == _LINE_FEED else key)

    def _press(self, key: events.Key) -> None:
        if self.before_key(key):
            return
        screen = self.screen
        if not isinstance(screen, KioskScreen):
            return
        screen.catch_up()
        is_open, is_typed = screen.is_open, key.is_printable
        is_theirs = self.turn.has(key.key, is_typed=is_typed, is_open=is_open)
        self.listen_for(2 * HELD)
        if not is_theirs:
            screen.catch_up()
        elif not self.instead_of_screen(key):
            screen.press(key)

    def listen_for(self, seconds: float) -> None:
        """Show now and then that this thread hears keys, for so long."""
        self._attention.look()
        if self._next_look is not None:
            self._next_look.cancel()
        self._next_look = None
        if seconds <= 0:
            self._attention.rest()
        else:
            loop = asyncio.get_running_loop()
            self._next_look = loop.call_later(LOOK, self.listen_for, seconds - LOOK)

    def _refuse_paste(self) -> None:
        """What is pasted was not typed: it spoils the entry that it was meant for."""
        if isinstance(self.screen, KioskScreen) and self.screen.is_open:
            self.screen.refuse_paste()
        else:
            self.turn.swallow(is_typed=True)

    def before_key(self, event: events.Key) -> bool:  # noqa: ARG002 - for subclasses
        """See every key that is pressed; True: nobody else is to see it."""
        return False

    def instead_of_screen(self, event: events.Key) -> bool:  # noqa: ARG002 - for subclasses
        """Take a key that is the screen's turn; True: the screen is not to see it."""
        return False

    # --- the terminal -----------------------------------------------------------

    def obey_the_terminal(self) -> None:
        """Leave in order when told to or when the terminal is gone; never stop."""
        if not self.is_headless:
            self.heed_signals()
            self.set_interval(1.0, self._leave_if_terminal_gone)

    def heed_signals(self) -> None:
        """Have the signals of the process handled by this app's loop."""
        loop = asyncio.get_running_loop()
        for number in _ENDING_SIGNALS:
            loop.add_signal_handler(number, self.exit, int(ExitCode.OK))
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)

    def _hang_up(self) -> None:
        """Told to end, or told that the terminal is gone."""
        self._leave_if_terminal_gone()
        self.exit(int(ExitCode.OK))

    def _leave_if_terminal_gone(self) -> None:
        try:
            termios.tcgetattr(sys.__stdin__.fileno() if sys.__stdin__ else 0)
        except (termios.error, OSError, ValueError):
            self.exit(int(ExitCode.TERMINAL_GONE))


def code_of(app: LockedApp, ended_with: int | None) -> int:
    """Return the process's exit code; that nobody asked it to end is a defect.

    What kept the app from beginning is raised.
    """
    if app.failure is not None:
        raise app.failure
    if app.return_code or ended_with is None:
        return int(ExitCode.UNEXPECTED)
    return ended_with
