"""What can be done on an operator's page: arrows and Enter, a letter or a number."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import reactive

from kiosk.desk.views import Choice
from kiosk.faces.glyphs import marks
from kiosk.tui.widgets.page_lines import in_words
from kiosk.tui.widgets.panels import line

_NONE = -1
_NUMBERS = ("1", "2", "3", "4", "5", "6", "7", "8", "9")


class ChoiceItem(Vertical):
    """One choice that is open."""

    def __init__(self, number: int, choice: Choice) -> None:
        self._title = line("", classes="title")
        detail = [] if choice.detail is None else [line(in_words(choice.detail))]
        for each in detail:
            each.add_class("help")
        super().__init__(self._title, *detail)
        self.choice = choice
        self._number = number
        self._is_marked = False
        self.mark(is_marked=False)

    def mark(self, *, is_marked: bool) -> None:
        """Show whether Enter would choose this one."""
        pointer = marks().pointer if is_marked else " "
        number = str(self._number) if self._number <= len(_NUMBERS) else " "
        cap = self.choice.letter.title() or number
        count = f"  {self.choice.count}" if self.choice.count else ""
        label = in_words(self.choice.label)
        self._title.update(Content(f"{pointer} {cap}  {label}{count}"))
        self.set_class(is_marked, "marked")
        self._is_marked = is_marked

    def renew(self, choice: Choice) -> None:
        """Say how many wait there now."""
        if choice != self.choice:
            self.choice = choice
            self.mark(is_marked=self._is_marked)


class ChoiceList(Vertical, can_focus=True):
    """The choices that are open; what is refused stands elsewhere."""

    DEFAULT_CSS = """
    ChoiceList { height: auto; margin: 1 0 0 0; }
    ChoiceItem { height: auto; padding: 0 1; }
    ChoiceItem .help { padding: 0 0 0 5; color: $text-muted; }
    ChoiceList:focus ChoiceItem.marked { background: $panel; text-style: bold; }
    """

    at: reactive[int] = reactive(0, init=False)
    """Which of the open choices is marked; `_NONE`: none yet."""

    def __init__(
        self,
        choices: tuple[Choice, ...],
        chosen: Callable[[str], None],
        *,
        is_marked: bool = True,
    ) -> None:
        """`chosen` is called at once, before the next key is looked at. `is_marked`:
        Enter would choose the first.
        """
        super().__init__()
        self._chosen = chosen
        open_ = [choice for choice in choices if choice.refusal is None]
        self._items = [ChoiceItem(n, each) for n, each in enumerate(open_, 1)]
        self.can_focus = bool(self._items)
        if not is_marked:
            self.set_reactive(ChoiceList.at, _NONE)

    def compose(self) -> ComposeResult:
        yield from self._items

    def renew(self, choices: tuple[Choice, ...]) -> None:
        """Show the same choices as they are now."""
        for each in choices:
            for item in self._items:
                if item.choice.key == each.key:
                    item.renew(each)

    def on_mount(self) -> None:
        self.watch_at()

    def watch_at(self) -> None:
        """Move the mark, and keep it in sight."""
        for number, item in enumerate(self._items):
            item.mark(is_marked=number == self.at)
        if self._items and self.has_focus and self.at != _NONE:
            self._items[self.at].scroll_visible(animate=False)

    def press(self, key: events.Key) -> bool:
        """Take a key; False: it chooses and moves nothing here."""
        if not self._items:
            return False
        if (at := self._of_letter(key.key)) is not None:
            self._choose(at)
            return True
        match key.key:
            case "down":
                self.at = (self.at + 1) % len(self._items)
            case "up":
                self.at = (max(self.at, 0) - 1) % len(self._items)
            case "enter" if self.at != _NONE:
                self._choose(self.at)
            case number if number in _NUMBERS[: len(self._items)]:
                at = _NUMBERS.index(number)
                if self._items[at].choice.letter:
                    return False
                self._choose(at)
            case _:
                return False
        return True

    def _of_letter(self, key: str) -> int | None:
        """Return which choice has a letter, typed with or without Shift."""
        letters = [item.choice.letter for item in self._items]
        letter = key.lower()
        return letters.index(letter) if letter and letter in letters else None

    def _choose(self, at: int) -> None:
        self.at = at
        self._chosen(self._items[at].choice.key)
