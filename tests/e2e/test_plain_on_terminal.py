"""`kiosk plain` on a real pseudo-terminal: the same visit, line by line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from lab.terminal import plain_on_terminal
from lab.terminal.plain_on_terminal import NOISE
from lab.terminal.terminal import Terminal, terminal

from kiosk.core.exit_codes import ExitCode
from kiosk.faces.turn import BREATH
from kiosk.pin.challenges import spoken

KIOSK = str(Path(sys.executable).with_name("kiosk"))
DEMO = [KIOSK, "demo", "--plain"]
LARGE = (100, 120)
"""Everything that is said stays in sight."""
Opened = Callable[..., AbstractContextManager[Terminal]]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "kiosk.log"


@pytest.fixture
def opened(log: Path) -> Opened:
    """Open the plain kiosk on a fake station, in one of its situations."""
    program = str(Path(plain_on_terminal.__file__))

    def opened(
        situation: str = "", **variables: str
    ) -> AbstractContextManager[Terminal]:
        command = [sys.executable, program, str(log), situation]
        return terminal(command, environment=os.environ | variables, size=LARGE)

    return opened


def rest() -> None:
    """Begin anew: what follows a refused line in the same breath is not taken."""
    time.sleep(1.2 * BREATH)


def fill(shown: Terminal, *secrets: str) -> None:
    """Answer one question after the other."""
    for number, secret in enumerate(secrets, 1):
        shown.shows_often("It is not shown while you type.", number)
        shown.type(f"{secret}\r")


def change(shown: Terminal) -> None:
    """Go from home to the end of an operation."""
    shown.shows("What would you like to do?")
    shown.type("1\r")
    fill(shown, "271828", "314159", "314159")


def test_a_pin_is_changed_with_simulated_cards() -> None:
    with terminal(DEMO, size=LARGE) as shown:
        shown.shows("or quit")
        shown.type("insert 1\r")
        shown.shows("Für Deutsch tippen Sie 2")
        shown.type("1\r")
        shown.shows("Alice Arnold, alice@ad.test")
        change(shown)
        shown.shows("Your PIN and your Windows password are changed.")
        shown.shows("Case number:")
        shown.shows("1: to the start")
        assert b"314159" not in shown.raw  # later the demo's hand tells it
        shown.type("pull\r")
        shown.shows("The card has been taken out.")
        shown.type("quit\r")
        assert shown.wait() == ExitCode.OK


def test_a_blocked_card_is_opened_by_a_code_that_is_read_out() -> None:
    with terminal(DEMO, size=LARGE) as shown:
        shown.shows("or quit")
        shown.type("insert 3\r")
        shown.shows("For English, type 1")
        shown.type("1\r")
        shown.shows("Your PIN is blocked.")
        shown.shows("What would you like to do?")
        shown.type("code\r")
        said = shown.shows("your code is")
        code = said.split("your code is ")[1].split(",")[0].replace(" ", "")
        shown.type("1\r")
        shown.shows("The code from the helpdesk. Enter alone goes back:")
        shown.type(f"{code}\r")
        fill(shown, "314159", "314159")
        shown.shows("to the start")
        assert (
            "Your card is unblocked. Its new PIN is your new Windows password."
            in shown.text()
        )


def test_one_choice_is_asked_for_as_one() -> None:
    with terminal(DEMO, size=LARGE) as shown:
        shown.shows("or quit")
        shown.type("insert 3\r")
        shown.shows("For English, type 1")
        shown.type("1\r")
        shown.shows("What would you like to do?")
        rest()
        shown.type("7\r")
        shown.shows("Please type 1, or ? to hear the question again.")


def test_what_is_wrong_is_said_and_asked_again(opened: Opened) -> None:
    with opened("inserted") as shown:
        shown.shows("Your number:")
        shown.type("7\r")
        shown.shows("Please type a number from 1 to 2")
        rest()
        shown.type("1\r")
        for number, secret in enumerate(
            ("27a", "27", "271828", "1234567890", "123456", "314159", "314158"), 1
        ):
            shown.shows_often("It is not shown while you type.", number)
            rest()
            shown.type(f"{secret}\r")
        text = shown.shows("The two entries of the new PIN differ.")
        assert "This PIN has at least 6 characters." in text
        assert "You typed more than 8 characters." in text
        assert (
            "Please choose another PIN. Not met: not easy to guess (it counts upwards)."
            in text
        )


def test_enter_alone_goes_back(opened: Opened) -> None:
    with opened("inserted") as shown:
        shown.shows("Your number:")
        shown.type("1\r")
        shown.shows("Your PIN until now")
        shown.type("\r")
        shown.shows_often("What would you like to do?", 2)


def test_a_question_is_said_again(opened: Opened) -> None:
    with opened("inserted") as shown:
        shown.shows("Your number:")
        shown.type("?\r")
        shown.shows_often("What would you like to do?", 2)


def test_nothing_that_is_typed_is_shown_or_ends_it(opened: Opened, log: Path) -> None:
    with opened("inserted") as shown:
        shown.shows("Your number:")
        shown.type("\x03\x1a\x1c\x041\r")
        shown.shows("Please type a number from 1 to 2")
        rest()
        shown.type("1\r")
        shown.shows("Your PIN until now")
        shown.type("846257\x03\x1a\x1c\x13\r")
        shown.shows("Keys that cannot be used here: 4.")
        rest()
        shown.type("846257\r")
        shown.shows("Your new PIN.")
        assert shown.process.poll() is None
        assert shown.end() == ExitCode.OK
    assert b"846257" not in shown.raw
    assert "846257" not in log.read_text()


def test_of_a_pin_typed_for_a_choice_no_digit_stays_in_sight(opened: Opened) -> None:
    with opened("inserted") as shown:
        shown.shows("Your number:")
        shown.type("846257")
        shown.shows("Your number: ******")
        shown.type("\r")
        shown.shows("Please type a number from 1 to 2")
        rest()
        shown.type("1")
        shown.shows("Your number: 1")
        shown.type("46257")
        shown.shows("Your number: ******")
        shown.type("\x7f" * 5 + "\r")
        shown.shows("Your PIN until now")
    assert b"8" not in shown.raw.split(b"Your number:")[1]
    assert b"46" not in shown.raw


def test_a_key_is_one_however_the_terminal_sends_it(opened: Opened) -> None:
    with opened("inserted") as shown:
        shown.shows("Your number:")
        shown.type("\x1b[49u\x1b[13u")
        shown.shows("Your PIN until now")
        shown.type("\x1bOr\x1b[27;1;55~\x1b[57400u828\x1b[50;1:3u\x1bOM")
        shown.shows("Your new PIN. It is not shown")


def test_a_card_pulled_while_typing_ends_the_visit(opened: Opened) -> None:
    with opened("pulled") as shown:
        shown.shows("Your number:")
        shown.type("1\r")
        shown.shows("Your PIN until now")
        shown.type("2718")
        shown.shows("The card has been taken out.")
        shown.shows("What you had begun was not sent yet: it has changed nothing.")
        shown.shows("Insert your card")
        shown.type("28\r")
        assert shown.end() == ExitCode.OK
    assert b"2718" not in shown.raw


def test_an_operation_is_heard_to_its_end_even_if_its_card_leaves(
    opened: Opened,
) -> None:
    with opened("leaving") as shown:
        change(shown)
        text = shown.shows("The card has been taken out.")
        assert "Your PIN and your Windows password are changed." in text


def test_asked_to_end_it_finishes_the_operation_first(
    opened: Opened, log: Path
) -> None:
    with opened("slow") as shown:
        change(shown)
        shown.shows("The card is checked.")
        shown.process.send_signal(signal.SIGTERM)
        shown.process.send_signal(signal.SIGTERM)
        assert shown.wait() == ExitCode.OK
        assert "Alice Arnold" not in shown.text()
    assert "operation.ended" in log.read_text()


def test_an_operation_ends_though_its_terminal_is_gone(
    opened: Opened, log: Path
) -> None:
    with opened("slow") as shown:
        change(shown)
        shown.shows("The card is checked.")
        shown.close_line()
        assert shown.wait() == ExitCode.TERMINAL_GONE
    written = log.read_text()
    assert "operation.ended" in written
    assert "visit.failed" not in written


def test_the_answer_by_telephone_is_typed_in_its_groups(opened: Opened) -> None:
    with opened("telephone") as shown:
        shown.shows("Your number:")
        shown.type("2\r")
        shown.shows("The answer from the helpdesk.")
        shown.type(f"{spoken(b'12345678')}\r")
        shown.shows("Your new PIN. It is not shown")


def test_keys_that_are_no_characters_cost_no_try(opened: Opened) -> None:
    with opened("inserted") as shown:
        shown.shows("Your number:")
        shown.type("1\r\n")
        shown.shows("Your PIN until now")
        shown.type("\x1b")
        time.sleep(0.8)
        shown.type("271828\r")
        shown.shows("Your new PIN. It is not shown")
        shown.type("\x1b[[A314159\r")
        shown.shows("Your new PIN once more.")


def test_a_second_card_ends_the_visit(opened: Opened) -> None:
    with opened("two") as shown:
        shown.shows("Your number:")
        shown.type("1\r")
        text = shown.shows("There are two cards")
        assert "The card has been taken out." not in text


def test_a_card_left_behind_is_called_for_and_nothing_stays_in_sight(
    opened: Opened,
) -> None:
    with opened("impatient") as shown:
        text = shown.shows("Please take your card")
        assert "Alice Arnold" not in text


def test_whoever_needs_more_time_gets_it(opened: Opened) -> None:
    with opened("polite") as shown:
        shown.shows("Press P if you need more time: 2 minutes more.")
        shown.type("p\r")
        shown.shows("Please go on where you were.")
        shown.shows_often("Your number:", 2)
        rest()
        shown.type("1\r")
        shown.shows("Your PIN until now")


def test_what_was_half_typed_is_asked_anew_after_a_warning(opened: Opened) -> None:
    with opened("polite") as shown:
        shown.shows("Are you still there?")
        shown.type("p")
        shown.shows_often("Your number:", 2)
        rest()
        shown.type("1\r")
        shown.shows("Your PIN until now")
        shown.type("\x15")
        shown.type("271828\r")
        shown.shows("Your new PIN. It is not shown")


def test_the_demo_can_be_left_with_a_card_that_offers_nothing() -> None:
    with terminal(DEMO, size=LARGE) as shown:
        shown.shows("or quit")
        shown.type("insert 9\r")
        shown.shows("For English, type 1")
        shown.type("1\r")
        shown.shows("Take your card when you are done.")
        shown.type("pull\r")
        shown.shows("The card has been taken out.")


def test_the_language_is_asked_first(opened: Opened) -> None:
    with opened("languages") as shown:
        text = shown.shows("Your number:")
        assert "For English, type 1 and press Enter." in text
        assert "Alice Arnold" not in text
        shown.type("2\r")
        shown.until(lambda text: "Alice Arnold" in text, "home")
        assert "What would you like to do?" not in shown.text()


def test_a_station_that_lacks_something_says_so(opened: Opened) -> None:
    with opened("faulty") as shown:
        text = shown.shows("Out of service")
        assert "Stuck? Call Helpdesk, extension 4711" in text


def test_what_a_library_writes_is_not_read_out(opened: Opened) -> None:
    with opened("noisy") as shown:
        shown.shows("Insert your card")
        assert shown.end() == ExitCode.OK
    assert NOISE.strip() not in shown.raw


def test_a_defect_tells_nobody_what_was_typed(opened: Opened, log: Path) -> None:
    with opened("broken") as shown:
        change(shown)
        shown.shows("Something unexpected happened.")
        shown.end()
    assert b"314159" not in shown.raw
    written = log.read_text()
    assert "visit.failed type=RuntimeError" in written
    assert "314159" not in written


def test_a_terminal_that_is_gone_ends_it(opened: Opened) -> None:
    with opened("inserted") as shown:
        shown.shows("Your number:")
        shown.close_line()
        assert shown.wait() == ExitCode.TERMINAL_GONE


def test_a_console_that_knows_ascii_only_is_given_ascii(opened: Opened) -> None:
    with opened("inserted", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0") as it:
        change(it)
        it.shows("The card is checked.")
        it.shows("Your card is being checked ...")
        assert it.raw.isascii()


@pytest.mark.parametrize("command", [[KIOSK, "plain"], DEMO])
def test_without_a_terminal_it_says_so(command: list[str]) -> None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode in (ExitCode.FAILED, ExitCode.USAGE)
    assert "needs a terminal" in done.stderr
