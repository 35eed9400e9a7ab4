"""A Textual app that nobody can leave and that hands out nothing (docs/tui.md).

The switches follow the measured hazards of Textual 8.2.8; one of them is a private
hook, so Textual is pinned exactly and the tests try each.
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

from rich.console import Console
from textual.app import App
from textual.binding import BindingType
from textual.command import Provider

log = logging.getLogger(__name__)

ALLOWED_ACTIONS = frozenset({"focus_next", "focus_previous"})
TERMINAL_GONE = 75
"""The exit code when the terminal went away (EX_TEMPFAIL: worth another start)."""


class _Nowhere(io.StringIO):
    """Where tracebacks go: their frames have locals, and locals have PINs."""

    def write(self, text: str) -> int:
        return len(text)


class LockedApp(App[int], inherit_bindings=False):
    """No quit key, palette, clipboard, selection or markup; orderly on every signal."""

    ENABLE_COMMAND_PALETTE = False
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = set()
    ALLOW_SELECT = False
    ESCAPE_TO_MINIMIZE = False
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self) -> None:
        super().__init__()
        self.animation_level = "none"
        self.error_console = Console(file=_Nowhere())

    def check_action(
        self,
        action: str,
        parameters: tuple[object, ...],  # noqa: ARG002 - Textual's signature
    ) -> bool | None:
        return action in ALLOWED_ACTIONS

    def copy_to_clipboard(self, text: str) -> None:  # noqa: ARG002 - Textual's signature
        self._clipboard = ""

    def _handle_exception(self, error: Exception) -> None:
        """Log type and frames only: the words of an exception may carry data."""
        frames = "".join(traceback.format_tb(error.__traceback__))
        log.critical("ui.unhandled %s\n%s", type(error).__name__, frames)
        super()._handle_exception(error)

    def obey_the_terminal(self) -> None:
        """End in order on TERM, HUP and INT, ignore TSTP, leave a dead terminal."""
        if self.is_headless:
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            loop.add_signal_handler(number, self.exit, 0)
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)
        self.set_interval(1.0, self._leave_if_terminal_gone)

    def _leave_if_terminal_gone(self) -> None:
        try:
            termios.tcgetattr(sys.__stdin__.fileno() if sys.__stdin__ else 0)
        except (termios.error, OSError, ValueError):
            self.exit(TERMINAL_GONE)
