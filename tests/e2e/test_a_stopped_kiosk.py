"""The program is stopped while a key is held: what waited then comes all at once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest
from lab.matrix.places import kiosk_with
from lab.matrix.visitor import Visitor

from kiosk.faces.turn import HELD

REPEATS = 30

pytestmark = [pytest.mark.slow]


@pytest.fixture
def person() -> Iterator[Visitor]:
    it = Visitor("kiosk")
    it.terminal.until(lambda _: bool(it.terminal.raw), "something drawn")
    it.settle()
    yield it
    it.end()


def test_a_key_that_is_held_through_a_stop_confirms_nothing(person: Visitor) -> None:
    """`1` opens what asks for a yes, and `1` is yes: it was pressed once."""
    kiosk_with("administrator")(person)
    assert person.shown.startswith("HomeScreen")
    person.press(b"1")
    assert person.settle() == "ConfirmScreen"
    person.press(b"1")
    person.settle()
    program = person.terminal.process.pid
    os.kill(program, signal.SIGSTOP)
    for _ in range(REPEATS):
        person.press(b"1")
    time.sleep(1.5 * HELD)  # for it, that is one moment
    os.kill(program, signal.SIGCONT)
    assert person.settle() == "ConfirmScreen"
    person.type(b"1")
    assert person.shown.startswith("FormScreen")
