"""A card on its way into a reader: which end goes first, and which side is up."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from kiosk.faces.glyphs import UNICODE, marks

_CHIP = ("┌──┬──┐", "├──┼──┤", "└──┴──┘")
_WIDTH = 26


class CardDrawing(Static):
    """Lines and blocks only: every console has them."""

    DEFAULT_CSS = "CardDrawing { width: auto; height: auto; }"

    def __init__(self) -> None:
        super().__init__(_drawn(), markup=False)


def _drawn() -> Content:
    top, bottom = "┌" + "─" * _WIDTH + "┐", "└" + "─" * _WIDTH + "┘"
    if marks() is UNICODE:
        top, bottom = "╭" + top[1:-1] + "╮", "╰" + bottom[1:-1] + "╯"
    blank = Content("│" + " " * _WIDTH + "│")
    card = [Content(top), blank, *map(_chip_line, _CHIP), blank, Content(bottom)]
    arrow = "──►" if marks() is UNICODE else "-->"
    between = ["", "", "", arrow, "", "", ""]
    slot = ["█▀▀▀▀▀▀", "█", "█▄", "  ", "█▀", "█", "█▄▄▄▄▄▄"]
    return Content("\n").join(
        Content.assemble(
            part,
            (f"  {gap:3}  ", "bold $accent"),
            (f"{reader:7}", "$secondary"),
        )
        for part, gap, reader in zip(card, between, slot, strict=True)
    )


def _chip_line(chip: str) -> Content:
    before = " " * (_WIDTH - len(chip) - 3)
    return Content.assemble("│", before, (chip, "$accent"), "   │")
