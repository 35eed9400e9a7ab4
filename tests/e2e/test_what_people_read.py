"""People at the kiosk, on a real pseudo-terminal: each reads, and does what it says.

Every step waits for words on the screen that tell this person what to do next. Whoever
takes one of them away leaves somebody standing there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from lab.matrix.visitor import Visitor, visitor

from kiosk.core.errors import Message
from kiosk.texts import LANGUAGES, sentence, text

NEW = "314159"
CALL = "Helpdesk, extension 4711 (Mon–Fri 7–18)"

pytestmark = [pytest.mark.long]


@pytest.fixture(scope="module")
def kiosk() -> Iterator[Visitor]:
    with visitor("kiosk", "languages") as it:
        yield it


class Person:
    """Somebody with a card, who reads before each key."""

    def __init__(self, kiosk: Visitor, situation: str) -> None:
        self._it = kiosk
        kiosk.settle()
        kiosk.ask("anew")
        self.reads("Insert your card")
        kiosk.ask("insert", situation=situation)

    def reads(self, *words: str) -> str:
        """Wait until all of it can be read; lines are as the screen breaks them."""
        return self._it.terminal.until(
            lambda shown: all(each in _flat(shown) for each in words), str(words)
        )

    def reads_not(self, *words: str) -> None:
        """See that none of it is there, once everything typed is done."""
        self._it.settle()
        shown = _flat(self._it.text())
        assert not [each for each in words if each in shown], shown

    def reads_no_more(self, *words: str) -> None:
        """Wait until all of it has gone."""
        self._it.terminal.until(
            lambda shown: not any(each in _flat(shown) for each in words),
            f"{words} to be gone",
        )

    def types(self, *entries: str) -> None:
        """Type each and Enter; an empty one is Enter alone."""
        for entry in entries:
            self.presses(entry, "\r")

    def presses(self, *keys: str) -> None:
        """Press keys, looking up after each."""
        for each in keys:
            if each:
                self._it.type(each.encode())

    def calls(self, name: str, kind: str = "release") -> str:
        """Have the helpdesk read out a code."""
        return str(self._it.ask("code", name=name, kind=kind)["code"])

    def takes_the_card(self) -> None:
        self._it.ask("pull")


def _flat(shown: str) -> str:
    """The words of a screen, wherever its lines and borders break them."""
    return " ".join(shown.replace("▌", " ").replace("█", " ").split())


def test_somebodys_first_day(kiosk: Visitor) -> None:
    bob = Person(kiosk, "first day")
    bob.reads("Bob Baker", "Your card is new", "the PIN from the letter")
    bob.types("")
    bob.reads("No letter? Call " + CALL, "6 to 8 digits", "Tries left for this PIN: 3")
    bob.reads("Your new PIN also becomes your Windows password (bob@ad.test).")
    bob.types("482915", NEW, NEW)
    bob.reads("D O N E", "Your card is active. Its PIN is your new Windows password.")
    bob.reads("Take your card.")
    bob.reads_not("dc1", "registry", "in step")
    bob.takes_the_card()
    bob.reads("This closes in")
    bob.reads_no_more("Bob")


def test_somebody_who_makes_every_mistake(kiosk: Visitor) -> None:
    alice = Person(kiosk, "everyday")
    alice.reads("Alice Arnold", "1 Change my PIN")
    alice.types("")
    alice.reads("Change my PIN", "Tries left for this PIN: 3")
    alice.types("271828", "123456")
    alice.reads("Please choose another PIN. Not met: not easy to guess", "upwards")
    alice.types("271828")
    alice.reads("Not met: not the same as before")
    alice.types("12")
    alice.reads("Not met: 6 to 8 digits")
    alice.types(NEW, "314158")
    alice.reads("The two entries of the new PIN differ.")
    alice.presses("\x1b")
    alice.reads("What would you like to do?")
    alice.types("", "999111", NEW, NEW)
    alice.reads("N O T D O N E", "That PIN is wrong. Tries left: 2.", "Call " + CALL)
    alice.reads("Case number:", "Nothing was changed")
    alice.types("")
    alice.reads("Tries left for this PIN: 2")
    alice.types("271828", NEW, NEW)
    alice.reads("D O N E", "Your PIN and your Windows password are changed.")


def test_somebody_whose_pin_is_blocked_is_told_to_call_and_what_to_type(
    kiosk: Visitor,
) -> None:
    carol = Person(kiosk, "blocked")
    carol.reads("Your PIN is blocked.", "First call " + CALL, "a code of nine digits")
    carol.reads("Why can't I …?")
    carol.reads_not("Change my PIN")
    carol.presses("?")
    carol.reads("Change my PIN: The PIN is blocked.")
    carol.types("")
    carol.reads("No code yet? Call " + CALL, "They ask who you are")
    carol.reads_not("Tries left")
    code = carol.calls("blocked")
    wrong = str((int(code[0]) + 1) % 10) + code[1:]
    carol.presses(*wrong)
    carol.reads("This is not the code: at least one digit is different.")
    carol.presses("\x15")
    carol.types(code, NEW, NEW)
    carol.reads("D O N E", "Your card is unblocked.")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ((), "Insert your card"),
        (("\r",), "What you had begun was not sent yet: it has changed nothing."),
        (("\r", "271828"), "What you had begun was not sent yet"),
        (("\r", "271828\r", f"{NEW}\r", f"{NEW}\r"), "D O N E"),
    ],
    ids=["home", "form", "typing", "result"],
)
def test_somebody_who_pulls_the_card(
    kiosk: Visitor, keys: tuple[str, ...], said: str
) -> None:
    alice = Person(kiosk, "everyday")
    alice.reads("What would you like to do?")
    for each in keys:
        alice.presses(each)
    alice.reads(said if said == "D O N E" else "Alice Arnold")
    alice.takes_the_card()
    alice.reads(said)
    alice.reads_no_more("Alice", "271828", NEW)


def test_somebody_who_pulls_the_card_at_a_question(kiosk: Visitor) -> None:
    ines = Person(kiosk, "elsewhere")
    ines.reads("Ines Irving")
    ines.types("")
    ines.reads("Do you want to replace it?")
    ines.takes_the_card()
    ines.reads("What you had begun was not sent yet: it has changed nothing.")
    ines.reads_no_more("Ines")
    assert kiosk.facts()["writes"] == 0


def test_somebody_who_pulls_the_card_at_a_dead_end(kiosk: Visitor) -> None:
    stranger = Person(kiosk, "stranger")
    stranger.reads("This card cannot be used here", "The enrollment office")
    stranger.reads("Should it work here? Call " + CALL, "They tell you what to do.")
    stranger.takes_the_card()
    stranger.reads("This card cannot be used here", "This closes in", "Call " + CALL)
    stranger.presses("\r")
    stranger.reads("Insert your card")


def test_somebody_who_pulls_the_card_while_it_works(kiosk: Visitor) -> None:
    alice = Person(kiosk, "everyday")
    alice.reads("Alice Arnold")
    alice.types("", "271828", NEW)
    kiosk.ask("hold")
    kiosk.press(f"{NEW}\r".encode())
    alice.reads("Please leave the card in", "Set the PIN on the card")
    alice.takes_the_card()
    kiosk.ask("go_on")
    alice.reads("N O T D O N E", "The card was taken out too early.")
    alice.reads("Please insert it again.", "Nothing was changed")
    alice.reads_not("Call the helpdesk and tell them", "271828", NEW)
    alice.reads_no_more("Alice")
    assert kiosk.facts()["writes"] == 0


def test_somebody_whose_password_was_changed_elsewhere(kiosk: Visitor) -> None:
    ines = Person(kiosk, "elsewhere")
    ines.reads("Ines Irving", "Your Windows password was changed somewhere else")
    ines.reads("Use this card's PIN for Windows, too")
    ines.types("")
    ines.reads("Do you want to replace it?", "2 Leave everything as it is")
    ines.types("")
    ines.reads("Do you want to replace it?")
    ines.presses("2")
    ines.reads("What would you like to do?")
    assert kiosk.facts()["writes"] == 0
    ines.types("")
    ines.reads("1 Replace my Windows password")
    ines.presses("1")
    ines.reads("The PIN of this card becomes your Windows password (ines@ad.test).")
    ines.types("271828")
    ines.reads("D O N E", "Your Windows password is the PIN of this card again.")


def test_somebody_whose_card_is_on_hold_is_told_once(kiosk: Visitor) -> None:
    grace = Person(kiosk, "suspended")
    shown = grace.reads("Grace Green", "This card is suspended.", "Call " + CALL)
    assert _flat(shown).count("suspended") == 1
    grace.reads("Please take your card out.")
    grace.takes_the_card()
    grace.reads("This card is suspended.", "Call " + CALL, "This closes in")
    grace.reads_no_more("Grace")
    grace.presses("\r")
    grace.reads("Insert your card")


def test_somebody_who_has_one_try_left_is_told_and_cannot_spend_it(
    kiosk: Visitor,
) -> None:
    dan = Person(kiosk, "last try")
    dan.reads("Only one try is left for your PIN, and it is not spent here.")
    dan.reads("1 I have forgotten my PIN, or it is blocked", "First call " + CALL)
    dan.reads_not("Your card is ready", "Tries left")
    dan.types("")
    dan.types(dan.calls("last try"), NEW, NEW)
    dan.reads("D O N E", "Your card is unblocked.")


@pytest.mark.parametrize(("number", "language"), enumerate(LANGUAGES, 1))
def test_somebody_who_speaks_another_language(
    kiosk: Visitor, number: int, language: str
) -> None:
    kiosk.settle()
    kiosk.ask("anew")
    kiosk.terminal.shows("Insert your card")
    kiosk.type(str(number).encode())
    kiosk.ask("insert", situation="out of step")
    label = text("tui.action.finish", language)
    contact = "Helpdesk, extension 4711"
    kiosk.terminal.until(
        lambda it: label in _flat(it) and contact in _flat(it), f"{label}; {contact}"
    )
    told = sentence(Message("result.advice.insert_again"), language)
    assert label in told, "what it is told to choose is what the home page offers"


def test_somebody_whose_card_is_opened_by_telephone(kiosk: Visitor) -> None:
    """Whom to call, the numbers and the first field fit on the smallest screen."""
    holder = Person(kiosk, "by telephone")
    holder.reads("You need a telephone: " + CALL)
    holder.presses("\x1b[B", "\r")
    shown = holder.reads(
        "Call " + CALL, "read these numbers to them", "Leave your card"
    )
    holder.reads("The answer from the helpdesk", "Your new PIN once more")
    found = re.search(r"Other programs show it as ((?: ?[0-9A-F]{4}){4})", shown)
    assert found is not None, shown
    answer = kiosk.ask("answer", challenge=found.group(1))["answer"]
    holder.types(answer, NEW, NEW)
    holder.reads("D O N E", "Your card is unblocked.")
