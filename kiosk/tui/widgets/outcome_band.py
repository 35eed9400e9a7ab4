"""How it ended, to be read from two metres: a sign three lines high, and one word."""

from __future__ import annotations

from textual.containers import Horizontal, Vertical

from kiosk.faces.wording import say
from kiosk.tui.widgets.panels import line
from kiosk.visit.views import Outcome

_DONE = ("      ▄▀", "▄   ▄▀  ", " ▀▄▀    ")
_FAILED = ("▀▄  ▄▀", "  ██  ", "▄▀  ▀▄")
_ATTENTION = ("  ██  ", "  ▀▀  ", "  ▄▄  ")


class OutcomeBand(Horizontal):
    """As wide as there is room. Its sign and its word say what its colour says."""

    DEFAULT_CSS = """
    OutcomeBand { height: auto; padding: 1 3; background: $panel; }
    OutcomeBand .sign { width: 11; text-style: bold; }
    OutcomeBand .words { width: 1fr; height: auto; }
    OutcomeBand .word { text-style: bold; }
    OutcomeBand .headline { margin: 1 0 0 0; }
    OutcomeBand.well { border-left: outer $success; }
    OutcomeBand.well .sign, OutcomeBand.well .word { color: $success; }
    OutcomeBand.refused { border-left: outer $error; }
    OutcomeBand.refused .sign, OutcomeBand.refused .word { color: $error; }
    OutcomeBand.half { border-left: outer $warning; }
    OutcomeBand.half .sign, OutcomeBand.half .word { color: $warning; }
    """

    def __init__(self, outcome: Outcome, headline: str) -> None:
        sign, look = _look(outcome)
        word = " ".join(say(f"tui.outcome.{outcome}").upper())
        super().__init__(
            line("\n".join(sign), classes="sign"),
            Vertical(
                line(word, classes="word"),
                line(headline, classes="headline"),
                classes="words",
            ),
            classes=look,
        )


def _look(outcome: Outcome) -> tuple[tuple[str, ...], str]:
    match outcome:
        case Outcome.DONE | Outcome.CARD_ONLY:
            return _DONE, "well"
        case Outcome.OUT_OF_STEP:
            return _ATTENTION, "half"
        case Outcome.REFUSED | Outcome.ROLLED_BACK:
            return _FAILED, "refused"
