"""What every screen of the kiosk has: the top bar, a body, and the keys that work."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import Screen
from textual.widget import Widget

from kiosk.faces.words import say
from kiosk.station import FaceSettings
from kiosk.tui.widgets.bars import Key, KeyBar, TopBar
from kiosk.tui.widgets.panels import Countdown, line

MINIMUM = (80, 24)
"""Columns and lines below which nothing is shown and nothing can be typed."""
ROOMY = 30
"""Lines from which there is space to breathe."""


class KioskScreen(Screen[None], inherit_bindings=False):
    """A screen shown as a fresh instance: nothing of it outlives the person."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("tab", "app.focus_next"),
        ("shift+tab", "app.focus_previous"),
    ]
    KEYS: tuple[Key, ...] = ()
    """What the bottom line says."""
    STAYS: ClassVar[float] = 0.0
    """Seconds from being shown that it stays at least, whatever the card does."""
    is_private = True
    """It shows or takes something of a person, who is asked whether they are there."""

    def __init__(self, settings: FaceSettings) -> None:
        super().__init__()
        self.settings = settings
        self.subject: Hashable = None
        """What it is about, where the same need not be shown twice."""
        self.floor: Widget | None = None
        """What stands under it."""
        self.outlasts_card = 0.0
        """Seconds that it stays after its card has left."""
        self._parked: Widget | None = None
        """Where the focus was before the window became too small."""

    def compose(self) -> ComposeResult:
        yield TopBar(self.settings.title, self.settings.station)
        with VerticalScroll(id="body", can_focus=False):
            yield Vertical(*self.body(), id="column")
        yield line(say("tui.too_small.text"), id="too-small")
        yield KeyBar(*self.KEYS)
        if self.floor is not None:
            yield self.floor

    def body(self) -> Iterable[Widget]:
        """Return what stands between the bars."""
        return ()

    def wait(self) -> None:
        """Say that what was chosen is on its way."""
        self.query_one(KeyBar).show(Key("", "tui.key.one_moment"))

    def closes_in(self, seconds: int) -> None:
        """Its card is gone: only reading is left, and it closes by itself.

        A card can be gone before its screen is drawn.
        """
        self.once_drawn(lambda: self._count_down(seconds))

    def once_drawn(self, change: Callable[[], None]) -> None:
        """Change what is shown, at once or as soon as there is something to change."""
        if self.is_mounted:
            change()
        else:
            self.call_later(change)

    def _count_down(self, seconds: int) -> None:
        known = self.query(Countdown)
        if known:
            known.first().show(seconds)
        else:
            self.query_one(KeyBar).show(Key("Enter", "tui.key.close"))
            countdown = Countdown("tui.result.closes", seconds, classes="gap")
            self.query_one("#column").mount(countdown)

    def check_action(
        self,
        action: str,  # noqa: ARG002 - Textual's signature
        parameters: tuple[object, ...],  # noqa: ARG002 - Textual's signature
    ) -> bool | None:
        """No action of Textual's own screens (copy, maximize …) is of use here."""
        return False

    def refresh_floor(self) -> None:
        """What stands under the screen may have something else to show."""
        if self.floor is not None:
            self.floor.refresh()

    def on_screen_resume(self) -> None:
        self.refresh_floor()

    @property
    def is_too_small(self) -> bool:
        """Nothing can be read now, so nothing may be typed."""
        return self.has_class("small")

    def on_resize(self, event: events.Resize) -> None:
        width, height = event.size
        is_small = width < MINIMUM[0] or height < MINIMUM[1]
        self.set_class(height >= ROOMY, "roomy")
        if is_small and not self.is_too_small:
            self._parked = self.focused
            self.set_focus(None)
        elif not is_small and self._parked is not None:
            self.set_focus(self._parked)
            self._parked = None
        self.set_class(is_small, "small")
