"""How many tries are left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Static

from kiosk.faces.visit_wording import of_tries

if TYPE_CHECKING:
    from kiosk.cards.values import Tries


class TriesLine(Static):
    """How many tries are left, in words; the last one stands out."""

    DEFAULT_CSS = "TriesLine.few { text-style: bold; color: $warning; }"

    def __init__(self, tries: Tries) -> None:
        super().__init__(of_tries(tries), markup=False, classes="tries")
        self.set_class(tries.left is not None and tries.left <= 1, "few")
