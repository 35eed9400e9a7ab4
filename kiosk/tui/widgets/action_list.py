"""What may be done with a card now, to choose from."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import reactive

from kiosk.faces.glyphs import marks
from kiosk.faces.visit_wording import of_help
from kiosk.faces.wording import say
from kiosk.tui.widgets.panels import line
from kiosk.visit.station import Helpdesk
from kiosk.visit.views import ActionOffer
from statemachine.operation import Kind


class ActionItem(Vertical):
    """One action that can be chosen: its number, its name, what will be typed."""

    def __init__(self, number: int, offer: ActionOffer, desk: Helpdesk) -> None:
        self._number = number
        self._title = line("", classes="title")
        super().__init__(self._title, line(of_help(offer, desk), classes="help"))
        self.offer = offer
        self.mark(is_marked=False)

    def mark(self, *, is_marked: bool) -> None:
        """Show whether Enter would choose this one."""
        pointer = marks().pointer if is_marked else " "
        name = say(f"tui.action.{self.offer.kind}")
        self._title.update(
            Content(f"{pointer} {self._number}  {name}"), layout=not self.is_mounted
        )
        self.set_class(is_marked, "marked")


class ActionList(Vertical, can_focus=True):
    """Numbers choose at once; arrows and Enter, too."""

    DEFAULT_CSS = """
    ActionList { height: auto; }
    ActionItem { height: auto; border-left: blank; margin: 0 0 1 0; }
    ActionItem .title { width: 100%; text-style: bold; }
    ActionItem .help { width: 100%; padding: 0 0 0 5; color: $text-muted; }
    ActionItem.marked { background: $panel; border-left: thick $accent; }
    ActionItem.marked .help { color: $foreground; }
    """

    at: reactive[int] = reactive(0, init=False)
    """Which of the allowed actions is marked."""

    def __init__(
        self,
        offers: tuple[ActionOffer, ...],
        desk: Helpdesk,
        chosen: Callable[[Kind], None],
    ) -> None:
        """`chosen` is called at once, before the next key is looked at."""
        super().__init__()
        self._chosen = chosen
        allowed = [offer for offer in offers if offer.allowed]
        self._items = [ActionItem(n, offer, desk) for n, offer in enumerate(allowed, 1)]
        marked = [n for n, offer in enumerate(allowed) if offer.recommended]
        self.set_reactive(ActionList.at, marked[0] if marked else 0)

    def compose(self) -> ComposeResult:
        yield from self._items

    def on_mount(self) -> None:
        self.watch_at()

    def watch_at(self) -> None:
        """Move the mark."""
        for number, item in enumerate(self._items):
            item.mark(is_marked=number == self.at)

    def press(self, key: events.Key) -> bool:
        """Take a key; False: it chooses and moves nothing here."""
        if not self._items:
            return False
        match key.key:
            case "down" | "tab":
                self.at = (self.at + 1) % len(self._items)
            case "up" | "shift+tab":
                self.at = (self.at - 1) % len(self._items)
            case "enter":
                self._choose(self.at)
            case number if number in _NUMBERS[: len(self._items)]:
                self._choose(_NUMBERS.index(number))
            case _:
                return False
        return True

    def _choose(self, at: int) -> None:
        self.at = at
        self._chosen(self._items[at].offer.kind)


_NUMBERS = ("1", "2", "3", "4", "5", "6", "7", "8", "9")
