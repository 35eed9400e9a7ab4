"""Every page of an operator's session: lines, fields, choices, whatever it is about."""

from __future__ import annotations

from collections.abc import Iterable

from textual import events
from textual.widget import Widget
from textual.widgets import Static

from kiosk.desk.views import Choice, Field, FieldKind, Filled, Line, Page, Style
from kiosk.errors import Message as Sentence
from kiosk.faces.marks import marks
from kiosk.faces.words import said, say
from kiosk.pinrules import Alphabet
from kiosk.secret import Secret
from kiosk.station import FaceSettings
from kiosk.text import visible
from kiosk.tui.messages import Told
from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.widgets.bars import Key
from kiosk.tui.widgets.choice_list import ChoiceList, in_words
from kiosk.tui.widgets.entry_field import EntryField, OptionField, TextField
from kiosk.tui.widgets.panels import Bullet, line
from kiosk.tui.widgets.pin_field import PinField
from kiosk.tui.widgets.secret_field import SecretField
from kiosk.visit.views import FieldName

_LONGEST_SECRET = 128
_ACTION = " action"


class PageScreen(KioskScreen):
    """Shows one `Page`; nothing of it outlives the next."""

    CSS_PATH = "page.tcss"
    AUTO_FOCUS = ""  # it would scroll what is to be read first out of sight

    class Submitted(Told):
        """The page's action; `take` hands over what was typed."""

        def __init__(self, screen: PageScreen) -> None:
            super().__init__()
            self.screen = screen

    class Back(Told):
        """The operator goes back."""

    def __init__(self, settings: FaceSettings, page: Page) -> None:
        super().__init__(settings)
        self.page = page
        self._fields = [self._field(field) for field in page.fields]
        self._choices = ChoiceList(self._offered())
        self.KEYS = self._keys()

    def _offered(self) -> tuple[Choice, ...]:
        """Without fields, the action is a choice like the others, the first."""
        if self.page.action is None or self._fields:
            return self.page.choices
        return (Choice(_ACTION, self.page.action), *self.page.choices)

    def _keys(self) -> tuple[Key, ...]:
        keys = [Key("Tab", "tui.key.next"), Key("Enter", "tui.key.choose")]
        if self._fields and self.page.action is not None:
            keys.append(Key("F2", self.page.action.key))
        if self.page.can_go_back:
            keys.append(Key("Esc", "tui.key.back"))
        return tuple(keys)

    def _field(self, field: Field) -> EntryField | SecretField:
        label = said(field.label)
        if field.kind is FieldKind.SECRET:
            return PinField(
                FieldName.CURRENT_PIN,
                label,
                alphabet=Alphabet.PRINTABLE,
                maximum=_LONGEST_SECRET,
                submitted=self._submitted,
            )
        if field.kind is FieldKind.CHOICE:
            options = tuple((value, in_words(words)) for value, words in field.options)
            return OptionField(
                field.name, label, field.value, self._submitted, options=options
            )
        return TextField(field.name, label, field.value, self._submitted)

    # --- what it looks like -----------------------------------------------------

    def body(self) -> Iterable[Widget]:
        page = self.page
        if page.operator:
            who = say("tui.desk.operator", account=visible(page.operator))
            yield line(who, classes="operator")
        yield line(in_words(page.title), classes="headline")
        if page.notice is not None:
            yield Bullet(marks().attention, said(page.notice), classes="notice")
        for each in page.lines:
            yield _line(each)
        for field, widget in zip(page.fields, self._fields, strict=True):
            if field.heading is not None:
                yield line(said(field.heading), classes="heading")
            yield widget
        yield self._choices
        for each in page.below:
            yield _line(each)
        yield Static("", id="hint", markup=False)

    def on_mount(self) -> None:
        first = self._fields[0] if self._fields else self._choices
        if first.can_focus:
            self.set_focus(first, scroll_visible=False)

    def say_working(self, what: Sentence | None) -> None:
        """Say what is being done while nothing can be typed; None: nothing is."""
        self.query_one("#hint", Static).update(said(what) if what else "")

    # --- keys -------------------------------------------------------------------

    def _submitted(self, field: Widget) -> None:
        if field is self._fields[-1]:
            self.post_message(self.Submitted(self))
        else:
            self.focus_next()

    def on_key(self, event: events.Key) -> None:
        match event.key:
            case "escape" if self.page.can_go_back:
                self.post_message(self.Back())
            case "f2" if self._fields and self.page.action is not None:
                self.post_message(self.Submitted(self))
            case "down":
                self.focus_next()
            case "up":
                self.focus_previous()
            case _:
                return
        event.stop()

    def action_of(self, key: str) -> bool:
        """Say whether a choice is the page's own action."""
        return key == _ACTION

    # --- handing over -----------------------------------------------------------

    def take(self) -> Filled:
        """Hand over what was typed and wipe the fields. The session wipes the rest."""
        filled = Filled()
        for field, widget in zip(self.page.fields, self._fields, strict=True):
            if isinstance(widget, SecretField):
                filled.secrets[field.name] = _taken(widget)
            else:
                filled.texts[field.name] = widget.value
        return filled


def _taken(widget: SecretField) -> Secret:
    value = widget.copy()
    widget.wipe()
    return value


def _line(each: Line) -> Widget:
    text = in_words(each.text)
    if each.label is not None:
        text = f"{said(each.label)}: {text}"
    if each.style is Style.WARNING:
        return Bullet(marks().attention, text, classes="warning")
    if each.style is Style.DONE:
        return Bullet(marks().done, text, classes="done")
    return line(text, classes=each.style.value)
