"""A screen that only tells something: one moment, out of service, an unknown card."""

from __future__ import annotations

from collections.abc import Iterable

from textual.containers import Center
from textual.widget import Widget

from kiosk.faces.glyphs import marks
from kiosk.faces.wording import say
from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.widgets.bars import KeyHint
from kiosk.tui.widgets.card_drawing import CardDrawing, CardPose
from kiosk.tui.widgets.panels import Bullet, HelpLine, line
from kiosk.visit.station import FaceSettings

_POSES = {
    "recognising": CardPose.IS_IN,
    "forgotten": CardPose.COMES_OUT,
    "unknown_card": CardPose.COMES_OUT,
    "unreadable": CardPose.COMES_OUT,
    "two_cards": CardPose.COMES_OUT,
}
"""What is to be done with the card."""


class MessageScreen(KioskScreen):
    """A headline and some lines; the helpdesk where it is a dead end."""

    CSS_PATH = "message.tcss"

    def __init__(
        self,
        settings: FaceSettings,
        kind: str,
        *lines: str,
        is_dead_end: bool = False,
        keys: tuple[KeyHint, ...] = (),
    ) -> None:
        """`kind` names the message: `tui.<kind>.headline` is its headline."""
        super().__init__(settings)
        self.kind = kind
        self.KEYS = keys
        self.takes_keys = kind != "recognising"
        self._lines = lines
        self._is_dead_end = is_dead_end

    def body(self) -> Iterable[Widget]:
        yield line(say(f"tui.{self.kind}.headline"), classes="headline")
        first, *others = self._lines or ("",)
        yield line(first, classes="gap")
        for text in others:
            yield Bullet(marks().attention, text, classes="gap fault")
        if self._is_dead_end:
            yield HelpLine(self.settings.helpdesk, at=self.kind, classes="strong")
        pose = _POSES.get(self.kind)
        if pose is not None:
            yield Center(CardDrawing(pose), classes="while-in")
