"""What happens to the card now: it goes in, it is read, it comes out.

Which end goes first, and which side is up. Lines and blocks only: every console has
them.
"""

from __future__ import annotations

from enum import Enum, auto

from textual.content import Content
from textual.widgets import Static

from kiosk.faces.glyphs import UNICODE, marks

_CHIP = ("┌──┬──┐", "├──┼──┤", "└──┴──┘")
_WIDTH = 26
_OUTSIDE = 16
"""Columns of a card in the reader that can be seen."""
_SLOT = ("█▀▀▀▀▀▀", "█", "█▄", "  ", "█▀", "█", "█▄▄▄▄▄▄")


class CardPose(Enum):
    """Where the card is, and where it is going."""

    GOES_IN = auto()
    IS_IN = auto()
    COMES_OUT = auto()


class CardDrawing(Static):
    """Seven lines."""

    DEFAULT_CSS = "CardDrawing { width: auto; height: auto; }"

    def __init__(self, pose: CardPose = CardPose.GOES_IN, *, classes: str = "") -> None:
        super().__init__(_drawn(pose), markup=False, classes=classes)


def _drawn(pose: CardPose) -> Content:
    if pose is CardPose.IS_IN:
        card = [part[:_OUTSIDE] for part in _card()]
        return _joined(card, "", "     ")
    into, out = ("──►", "◄──") if marks() is UNICODE else ("-->", "<--")
    return _joined(_card(), into if pose is CardPose.GOES_IN else out, "")


def _joined(card: list[Content], arrow: str, before: str) -> Content:
    between = ["", "", "", arrow, "", "", ""]
    gap_width = 7 if arrow else 0
    return Content("\n").join(
        Content.assemble(
            before,
            part,
            (f"  {gap:3}  "[:gap_width], "bold $accent"),
            (f"{reader:7}", "$secondary"),
        )
        for part, gap, reader in zip(card, between, _SLOT, strict=True)
    )


def _card() -> list[Content]:
    top, bottom = "┌" + "─" * _WIDTH + "┐", "└" + "─" * _WIDTH + "┘"
    if marks() is UNICODE:
        top, bottom = "╭" + top[1:-1] + "╮", "╰" + bottom[1:-1] + "╯"
    blank = Content("│" + " " * _WIDTH + "│")
    return [Content(top), blank, *map(_chip_line, _CHIP), blank, Content(bottom)]


def _chip_line(chip: str) -> Content:
    before = " " * (_WIDTH - len(chip) - 3)
    return Content.assemble("│", before, (chip, "$accent"), "   │")
