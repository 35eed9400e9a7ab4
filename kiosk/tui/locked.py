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
import traceback
from collections.abc import Callable
from typing import ClassVar

from rich.console import Console, RenderableType
from textual import events
from textual.app import App
from textual.binding import BindingType
from textual.command import Provider

from kiosk.exit_codes import ExitCode
from kiosk.tui.terminal.driver import KioskDriver
from kiosk.tui.theme import CONTRAST, KIOSK, edges

log = logging.getLogger(__name__)

ALLOWED_ACTIONS = frozenset({"focus_next", "focus_previous"})
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

    def __init__(self) -> None:
        super().__init__(driver_class=KioskDriver)
        self.register_theme(KIOSK)
        self.register_theme(CONTRAST)
        self.theme = KIOSK.name
        self.animation_level = "none"
        self.error_console = Console(file=_Nowhere())

    # --- what is refused --------------------------------------------------------

    def check_action(
        self,
        action: str,
        parameters: tuple[object, ...],  # noqa: ARG002 - Textual's signature
    ) -> bool | None:
        return action in ALLOWED_ACTIONS

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
        """Log type and frames only: the words of an exception may carry data."""
        frames = "".join(traceback.format_tb(error.__traceback__))
        log.critical("ui.unhandled %s\n%s", type(error).__name__, frames)
        super()._handle_exception(error)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return edges()

    # --- keys -------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        is_new = isinstance(event, events.InputEvent) and not event.is_forwarded
        if is_new and isinstance(event, events.Key) and self.before_key(event):
            return
        await super().on_event(event)

    def before_key(self, event: events.Key) -> bool:  # noqa: ARG002 - for subclasses
        """See a key before any screen does; True: nobody else is to see it."""
        return False

    # --- the terminal -----------------------------------------------------------

    def obey_the_terminal(self) -> None:
        """Leave in order when told to or when the terminal is gone; never stop."""
        if self.is_headless:
            return
        loop = asyncio.get_running_loop()
        for number in _ENDING_SIGNALS:
            loop.add_signal_handler(number, self.exit, int(ExitCode.OK))
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)
        self.set_interval(1.0, self._leave_if_terminal_gone)

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
    """Return the process's exit code; that nobody asked it to end is a defect."""
    if app.return_code or ended_with is None:
        return int(ExitCode.UNEXPECTED)
    return ended_with
