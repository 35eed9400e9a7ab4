"""What our driver and our app's end take for granted of the pinned Textual.

Each sentence names a thing that `kiosk/tui/terminal` or `kiosk/tui/locked.py` relies
on. Another version of Textual may be taken once all of them have been looked at again.
"""

from __future__ import annotations

import inspect
import re

import pytest
from textual import app, message_pump, screen, widget
from textual.app import App
from textual.driver import Driver
from textual.geometry import Size
from textual.keys import _character_to_key

from kiosk.core.exit_codes import ExitCode
from kiosk.tui.locked import LockedApp, code_of
from kiosk.tui.terminal.driver import KioskDriver

OURS = {"write", "start_application_mode", "disable_input", "stop_application_mode"}
CALLED = {
    *(*OURS, "close", "flush", "_size"),
    *("is_headless", "is_inline", "is_web", "can_suspend"),
    *("no_automatic_restart", "resume_application_mode", "suspend_application_mode"),
    *("send_message", "open_url", "deliver_binary"),
}
"""Suspending, and what follows, needs `can_suspend`, an action that is not allowed, or
a test's pilot."""


class Nothing(LockedApp):
    """The shell around no screens."""


def test_a_driver_has_to_have_what_ours_has_and_no_more() -> None:
    assert Driver.__abstractmethods__ == OURS
    assert vars(KioskDriver).keys() >= OURS | {"close"}


def test_a_driver_is_built_with_what_ours_takes() -> None:
    theirs = inspect.signature(Driver.__init__).parameters
    assert inspect.signature(KioskDriver.__init__).parameters.keys() == theirs.keys()


def test_textual_asks_nothing_else_of_a_driver() -> None:
    source = "".join(map(inspect.getsource, (app, screen, widget, message_pump)))
    assert set(re.findall(r"\b_?driver\.(\w+)", source)) == CALLED


def test_ours_cannot_be_suspended_and_is_a_screen() -> None:
    for name, value in {
        "can_suspend": False,
        "is_web": False,
        "is_inline": False,
    }.items():
        assert getattr(Driver, name).fget(None) is value
        assert name not in vars(KioskDriver)


@pytest.mark.parametrize(
    ("character", "name"), [("7", "7"), (" ", "space"), ("?", "question_mark")]
)
def test_a_character_has_a_name(character: str, name: str) -> None:
    assert _character_to_key(character) == name


async def test_the_queue_of_messages_can_be_measured() -> None:
    async with Nothing().run_test() as pilot:
        assert pilot.app.message_queue_size == 0


async def test_the_size_is_the_drivers_before_the_first_event() -> None:
    async with Nothing().run_test(size=(91, 31)) as pilot:
        assert pilot.app._driver is not None
        assert pilot.app._driver._size == (91, 31)
        assert pilot.app.size == Size(91, 31)


async def test_the_first_reason_to_end_stays() -> None:
    shown = Nothing()
    async with shown.run_test():
        shown.exit(int(ExitCode.TERMINAL_GONE))
        shown.exit(int(ExitCode.OK))
    assert code_of(shown, shown.return_value) == ExitCode.TERMINAL_GONE


async def test_a_panic_is_a_defect_though_textual_does_not_say_so() -> None:
    assert "_return_code" not in inspect.getsource(App.panic)
    shown = Nothing()
    async with shown.run_test():
        shown.panic("a defect")
        shown.exit(int(ExitCode.OK))
    assert code_of(shown, shown.return_value) == ExitCode.UNEXPECTED


async def test_an_end_that_nobody_asked_for_is_a_defect() -> None:
    shown = Nothing()
    async with shown.run_test():
        shown._close_messages_no_wait()
    assert code_of(shown, shown.return_value) == ExitCode.UNEXPECTED
