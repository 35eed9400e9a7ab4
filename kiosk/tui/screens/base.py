"""What every screen of the kiosk has: the top bar, a body, and the keys that work.

A screen is handed its keys one by one and does everything about each before the next:
a value is changed, the focus is moved, a sentence is said, the app has heard. Nothing
of that waits in a queue of Textual's, where the next key could overtake it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from kiosk.faces.turn import Turn
from kiosk.faces.wording import say
from kiosk.tui.messages import Told
from kiosk.tui.widgets.bars import KeyBar, KeyHint, TopBar
from kiosk.tui.widgets.field import TypedField
from kiosk.tui.widgets.panels import Countdown, line
from kiosk.visit.station import FaceSettings

MINIMUM = (80, 24)
"""Columns and lines below which nothing is shown and nothing can be typed."""
ROOMY = 30
"""Lines from which there is space to breathe."""
WIDE = 100
"""Columns from which the column has a frame."""


class KioskScreen(Screen[None], inherit_bindings=False):
    """A screen shown as a fresh instance: nothing of it outlives the person."""

    BINDINGS: ClassVar[list[BindingType]] = []
    # The widgets that it leaves and comes to are drawn, not all of the screen.
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    KEYS: tuple[KeyHint, ...] = ()
    """What the bottom line says."""
    takes_keys = True
    """It is a person's turn on it."""
    is_private = True
    """It shows or takes something of a person, who is asked whether they are there."""
    has_frame = True
    """What it says stands in a frame, where there is room."""
    is_end = False
    """The card is to be taken: nothing is left to do with it now."""

    def __init__(self, settings: FaceSettings) -> None:
        super().__init__()
        self.settings = settings
        self.subject: Hashable = None
        """What it is about, where the same need not be shown twice."""
        self.person = ""
        """Whose visit it is; stays on top whatever is scrolled."""
        self.floor: Widget | None = None
        """What stands under it."""
        self.turn = Turn()
        """Whose turn a key is; the stage's."""
        self.hear: Callable[[Told], None] = lambda _: None
        """Who is told what the person does."""
        self._is_drawn = False
        self.has_answered = False
        """The person's turn on it is over."""
        self._parked: Widget | None = None
        """Where the focus was before the window became too small."""

    def compose(self) -> ComposeResult:
        yield TopBar(self.settings.title, self.corner(), self.person)
        with VerticalScroll(id="body", can_focus=False):
            yield Vertical(*self.body(), id="column")
        yield line(say("tui.too_small.text"), id="too-small")
        yield KeyBar(*self.KEYS)
        if self.floor is not None:
            yield self.floor

    def corner(self) -> str:
        """Return what stands at the right of the top bar."""
        return self.settings.station

    def body(self) -> Iterable[Widget]:
        """Return what stands between the bars."""
        return ()

    # --- keys -------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """A person can see it, and it is theirs."""
        is_theirs = self.takes_keys and not self.has_answered
        return is_theirs and self._is_drawn and not self.is_too_small

    def press(self, key: events.Key) -> None:
        """Take a key whole: whoever has the focus, then the screen."""
        takes = getattr(self.focused, "press", None)  # a field, or a list
        if takes is not None and takes(key):
            return
        if not self.pressed(key):
            self._move(key.key)

    def pressed(self, key: events.Key) -> bool:  # noqa: ARG002 - for subclasses
        """Take a key that the focus left; False: it is none of the screen's."""
        return False

    def _move(self, key: str) -> None:
        body = self.query_one("#body")
        match key:
            case "tab":
                self.focus_next()
            case "shift+tab":
                self.focus_previous()
            case "pagedown":
                body.scroll_page_down(animate=False)
            case "pageup":
                body.scroll_page_up(animate=False)
            case "down":
                body.scroll_down(animate=False)
            case "up":
                body.scroll_up(animate=False)

    def refuse_paste(self) -> None:
        """What is pasted was not typed: it spoils the entry that it was meant for."""
        if isinstance(self.focused, TypedField):
            self.focused.refuse_paste()

    def catch_up(self) -> None:
        """Refuse the entry that lacks keys which came when none could be taken."""
        missed = self.turn.take_early() if self.is_open else 0
        if missed and isinstance(self.focused, TypedField):
            self.focused.come_early(missed)

    @property
    def is_amid_entry(self) -> bool:
        """Something is typed where the next key goes."""
        field = self.focused
        return isinstance(field, TypedField) and bool(field.typed.keys)

    def unfinished(self) -> int:
        """How many keys of an entry are lost if another screen is shown now."""
        if self.has_answered:
            return 0
        fields = list(self.query(TypedField))
        typed = sum(field.typed.keys for field in fields)
        is_later = self.focused in fields[1:]  # what was typed before is kept, or empty
        return max(typed, is_later)

    def tell(self, message: Told) -> None:
        """Tell what the person decided: the next word is the app's."""
        self.has_answered = True
        self.hear(message)

    def open(self) -> None:
        """Be the person's, from now on or again."""
        self.has_answered = False
        self._is_drawn = True
        self.turn.page_shown()
        self.catch_up()

    def on_mount(self) -> None:
        """Textual calls it after the subclass's own."""
        self.open()

    # --- what it looks like -----------------------------------------------------

    def take_in(self, news: Told) -> None:
        """Show what is news while it is there; most screens have no place for any."""

    def wait(self) -> None:
        """Say that what was chosen is on its way."""
        self.query_one(KeyBar).show(KeyHint("", "tui.key.one_moment"))

    def closes_in(self, seconds: int) -> None:
        """Its card is gone: only reading is left, of nobody by name, and it closes.

        A card can be gone before its screen is drawn.
        """
        self.has_answered = False
        self.once_drawn(lambda: self._count_down(seconds))

    def once_drawn(self, change: Callable[[], None]) -> None:
        """Change what is shown, at once or as soon as there is something to change.

        One that was left before is taken away by then, the innermost first.
        """
        if self.is_mounted:
            change()
        else:
            self.call_later(self._if_there, change)

    def _if_there(self, change: Callable[[], None]) -> None:
        if self in self.app.screen_stack:
            change()

    def _count_down(self, seconds: int) -> None:
        bars, column = self.query(TopBar), self.query("#column")
        if not bars or not column:
            return  # it is being taken away, the innermost first, or not whole yet
        bars.first().forget()
        self.query(".while-in").remove()
        known = self.query(Countdown)
        if known:
            known.first().show(seconds)
        else:
            self.query_one(KeyBar).show(KeyHint("Enter", "tui.key.close"))
            countdown = Countdown("tui.result.closes", seconds, classes="gap")
            column.first().mount(countdown)

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
        self.set_class(self.has_frame and height >= ROOMY and width >= WIDE, "framed")
        if is_small and not self.is_too_small:
            self._parked = self.focused
            self.set_focus(None)
        elif not is_small and self._parked is not None:
            self.set_focus(self._parked)
            self._parked = None
        self.set_class(is_small, "small")
        self.catch_up()
