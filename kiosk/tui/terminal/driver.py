"""Textual's driver for the kiosk: keys in, screens out, on the UI thread alone.

Not Textual's own for Linux: that one reads in a thread whose exceptions end the app,
believes what a terminal answers unasked, keeps what was typed, and waits in a queue for
a terminal that does not read. This one asks nothing, waits for nothing, and learns the
size from the system.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
import termios
from asyncio import TimerHandle
from collections.abc import Callable
from typing import Any, TextIO

from textual import events
from textual.app import App
from textual.driver import Driver
from textual.geometry import Size
from textual.keys import _character_to_key

from kiosk.core.exit_codes import ExitCode
from kiosk.faces.keyboard.decoder import Decoder
from kiosk.faces.keyboard.names import NO_CHARACTER, PASTE, Key
from kiosk.faces.terminal_line import TerminalGone, TerminalLine
from kiosk.tui.terminal.size import size_of

log = logging.getLogger(__name__)

_BEGIN = (
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?2048l"  # what others left on
    "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?2004h\x1b[0m\x1b[2J"
)
"""No reports of mouse, focus, size; other screen, no cursor, no wrap, paste marked."""
_END = "\x1b[0m\x1b[?2004l\x1b[?7h\x1b[?1049l\x1b[?25h"
_LAST_WORDS_SECONDS = 0.5
_READ_AT_ONCE = 256
_MOST_KEYS_WAITING = 512
"""Messages to the app from which on the terminal keeps what is typed."""
_REST_SECONDS = 0.05
_LOCAL_MODES = termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG
_INPUT_MODES = (
    *(termios.IXON, termios.IXOFF, termios.ICRNL, termios.INLCR, termios.IGNCR),
    *(termios.ISTRIP, termios.BRKINT, termios.PARMRK),
)


class KioskDriver(Driver):
    """Keys and screens of one terminal: standard input, and `sys.__stdout__`."""

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,  # noqa: ARG002 - Textual's signature; there is no such log
        mouse: bool = False,  # noqa: ARG002 - Textual's signature; there is no mouse
        size: tuple[int, int] | None = None,
    ) -> None:
        self._line = TerminalLine(
            _descriptor(sys.__stdin__), _descriptor(sys.__stdout__)
        )
        self._shown = size or size_of(self._line.writes)
        super().__init__(app, debug=False, mouse=False, size=self._shown)
        self._decoder = Decoder()
        self._patience: TimerHandle | None = None
        self._before: list[Any] | None = None
        """The terminal's modes; None: not ours to give back."""
        self._is_reading = False
        self._is_closed = False
        self._is_aside = False
        """Another app of this program has the terminal."""

    # --- Textual's own calls --------------------------------------------------------

    def write(self, data: str) -> None:
        """Draw, as soon as the terminal takes it."""
        if not (self._is_closed or self._is_aside):
            self._on_line(lambda: self._line.send(data.encode(errors="replace")))

    def start_application_mode(self) -> None:
        self._silence()
        self.write(_BEGIN)
        self._attend()
        self._tell_size()

    def disable_input(self) -> None:
        """Hear no more keys; what is on its way is nobody's."""
        if self._is_closed:
            return
        self._stop_listening()
        self._loop.remove_signal_handler(signal.SIGWINCH)
        self._loop.remove_signal_handler(signal.SIGCONT)
        with contextlib.suppress(termios.error):
            termios.tcflush(self._line.reads, termios.TCIFLUSH)

    def stop_application_mode(self) -> None:
        """Give the terminal back as it was."""
        self.disable_input()
        self._loop.remove_writer(self._line.writes)
        self._line.drop()
        self._line.finish(_END.encode(), _LAST_WORDS_SECONDS)
        if self._before is not None:
            with contextlib.suppress(termios.error):  # it is gone
                termios.tcsetattr(self._line.reads, termios.TCSANOW, self._before)

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._loop.remove_writer(self._line.writes)
            self._line.close()

    # --- in turn with others --------------------------------------------------------

    def step_aside(self) -> None:
        """Leave the terminal to another app of this program, as it is: silent."""
        self._stop_listening()
        self._loop.remove_writer(self._line.writes)
        self._line.finish(b"", _LAST_WORDS_SECONDS)
        self._is_aside = True

    def come_back(self) -> None:
        """Have the terminal again, of whatever size it is now."""
        self._is_aside = False
        self._decoder = Decoder()
        self._attend()
        self._measure()
        self._resume()

    # --- the terminal ---------------------------------------------------------------

    def _attend(self) -> None:
        """Hear what is typed, and what becomes of the terminal."""
        self._listen()
        self._loop.add_signal_handler(signal.SIGWINCH, self._measure)
        self._loop.add_signal_handler(signal.SIGCONT, self._resume)

    def _silence(self) -> None:
        """Have the terminal pass every byte on as it is, and do nothing itself."""
        with contextlib.suppress(termios.error):  # it is gone, as reading will tell
            modes = termios.tcgetattr(self._line.reads)
            if self._before is None:
                self._before = [*modes[:6], [*modes[6]]]
            for mode in _INPUT_MODES:
                modes[0] &= ~mode
            modes[3] &= ~_LOCAL_MODES
            modes[6][termios.VMIN], modes[6][termios.VTIME] = 1, 0
            termios.tcsetattr(self._line.reads, termios.TCSANOW, modes)

    def _on_line(self, does: Callable[[], None]) -> None:
        """Do something with the line, and wait for room where there is none."""
        try:
            does()
        except TerminalGone:
            self._leave()
            return
        if self._line.is_behind:
            self._loop.add_writer(self._line.writes, self._push)
            return
        self._loop.remove_writer(self._line.writes)
        if self._line.has_to_catch_up():
            self._draw_all()

    def _push(self) -> None:
        self._on_line(self._line.push)

    def _draw_all(self) -> None:
        """Draw the whole screen, of which the terminal has missed something."""
        self.write(_BEGIN)
        self._app.refresh()

    def _leave(self) -> None:
        """End the program: there is nobody to show it to."""
        self._loop.remove_writer(self._line.writes)
        self._stop_listening()
        self._app.exit(int(ExitCode.TERMINAL_GONE))

    def _resume(self) -> None:
        """Go on after the process was stopped; others may have had the terminal."""
        self._silence()
        self._draw_all()

    def _measure(self) -> None:
        size = size_of(self._line.writes)
        if size != self._shown:
            self._shown = self._size = size
            self._tell_size()

    def _tell_size(self) -> None:
        size = Size(*self._shown)
        self._app.post_message(events.Resize(size, size))

    # --- keys -----------------------------------------------------------------------

    def _listen(self) -> None:
        self._is_reading = True
        self._loop.add_reader(self._line.reads, self._read)

    def _stop_listening(self) -> None:
        self._is_reading = False
        self._loop.remove_reader(self._line.reads)
        self._stop_waiting()

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _read(self) -> None:
        """Take what was typed, unless there is more than the app can hear now."""
        if self._app.message_queue_size > _MOST_KEYS_WAITING:
            self._loop.remove_reader(self._line.reads)
            self._loop.call_later(_REST_SECONDS, self._listen_again)
            return
        try:
            with self._line.receive(_READ_AT_ONCE) as typed:
                keys = self._decoder.feed(typed)
        except TerminalGone:
            self._leave()
            return
        except Exception as error:  # noqa: BLE001 - a key ends nothing, whatever it is
            log.error("ui.keys_dropped type=%s", type(error).__name__)
            self._decoder = Decoder()
            keys = [NO_CHARACTER]
        finally:
            self._line.forget()
        self._tell(keys)
        self._stop_waiting()
        if self._decoder.patience is not None:
            self._patience = self._loop.call_later(
                self._decoder.patience, self._lose_patience
            )

    def _listen_again(self) -> None:
        if self._is_reading:
            self._listen()

    def _lose_patience(self) -> None:
        self._patience = None
        self._tell(self._decoder.pause())

    def _tell(self, keys: list[Key]) -> None:
        for key in keys:
            event = _event(key)
            event.set_sender(self._app)
            self._app.post_message(event)


def _descriptor(stream: TextIO | None) -> int:
    if stream is None:
        raise TerminalGone
    return stream.fileno()


def _event(key: Key) -> events.Event:
    """Return what Textual calls it."""
    if key is PASTE:
        return events.Paste("")
    name = key.name if key.character is None else _character_to_key(key.character)
    return events.Key(name, key.character)
