"""Questions at a terminal, one line each, with what Enter stands for."""

from __future__ import annotations

import sys

from kiosk.cli.waiting import await_line
from kiosk.core.errors import KioskError
from kiosk.texts import text


class Stopped(KioskError):
    """Whoever was asked has ended the conversation."""

    code = "guided.stopped"


def say(key: str, /, **data: str | int) -> None:
    """Print a sentence of the catalogue."""
    print(text(key).format(**data), flush=True)


def ask(key: str, default: str = "", /, **data: str | int) -> str:
    """Ask one question; an empty answer is the default. Stopped."""
    question = text(key).format(**data)
    shown = f"{question} [{default}]: " if default else f"{question}: "
    try:
        return _line(shown).strip() or default
    except (EOFError, KeyboardInterrupt) as end:
        print()
        raise Stopped from end


def _line(question: str) -> str:
    """Return what is answered. EOFError, KeyboardInterrupt."""
    print(question, end="", flush=True)
    if sys.stdin.isatty():
        await_line(sys.stdin.fileno())
    return input()


def choose(key: str, choices: str, default: str = "", /, **data: str | int) -> str:
    """Ask for one of some letters, until it is one. Stopped."""
    while True:
        answer = ask(key, default, **data)[:1].lower()
        if answer == default or (answer and answer in choices):
            return answer
        say("guided.again", choices=", ".join(choices))


def agree(key: str, /, *, default: bool) -> bool:
    """Ask for yes or no. Stopped."""
    yes, no = text("guided.yes"), text("guided.no")
    return choose(key, yes + no, yes if default else no) == yes
