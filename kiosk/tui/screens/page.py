"""Every page of an operator's session: lines, fields, choices, whatever it is about."""

from __future__ import annotations

from collections.abc import Iterable

from textual import events
from textual.widget import Widget
from textual.widgets import Static

from kiosk.core.errors import Message as Sentence
from kiosk.core.secret import Secret
from kiosk.core.untrusted_text import visible
from kiosk.desk.views import Choice, FieldKind, Filled, Page, PageField, PageLine, Style
from kiosk.faces.glyphs import marks
from kiosk.faces.typed import Repertoire
from kiosk.faces.wording import said, say
from kiosk.pin.rules import Alphabet
from kiosk.tui.messages import Told
from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.widgets.bars import KeyHint
from kiosk.tui.widgets.choice_list import ChoiceList, in_words
from kiosk.tui.widgets.entry_field import OptionField, TextField
from kiosk.tui.widgets.field import TypedField
from kiosk.tui.widgets.panels import Bullet, line
from kiosk.tui.widgets.pin_field import PinField
from kiosk.tui.widgets.secret_field import SecretField
from kiosk.visit.station import FaceSettings
from kiosk.visit.views import FieldName

_SECRETS: dict[FieldKind, tuple[Alphabet | None, int]] = {
    FieldKind.SECRET: (Alphabet.PRINTABLE, 128),
    FieldKind.PASSWORD: (None, 256),
}
"""What may be typed into each kind, and how many characters at most."""
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

    class Chosen(Told):
        """A choice was made."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class Back(Told):
        """The operator goes back."""

    def __init__(self, settings: FaceSettings, page: Page) -> None:
        super().__init__(settings)
        self.page = page
        self._fields = [self._field(field) for field in page.fields]
        self._first = 0
        """The field that has the focus first."""
        self._choices = ChoiceList(
            self._offered(), self._choose, is_marked=not page.asks_own_key
        )
        self.KEYS = self._keys()

    def _offered(self) -> tuple[Choice, ...]:
        """Without fields, an action that anybody may try is a choice, the first."""
        page = self.page
        if page.action is None or self._has_own_key:
            return page.choices
        return (Choice(_ACTION, page.action), *page.choices)

    @property
    def _has_own_key(self) -> bool:
        """F2 does what the page does."""
        page = self.page
        return page.action is not None and bool(page.fields or page.asks_own_key)

    def _keys(self) -> tuple[KeyHint, ...]:
        keys: list[KeyHint] = []
        if self._fields or self._choices.can_focus:
            keys += [KeyHint("Tab", "tui.key.next"), KeyHint("Enter", "tui.key.choose")]
        if self._has_own_key and self.page.action is not None:
            keys.append(KeyHint("F2", self.page.action.key))
        if self.page.can_go_back:
            keys.append(KeyHint("Esc", "tui.key.back"))
        return tuple(keys)

    def _field(self, field: PageField) -> TextField | OptionField | SecretField:
        label = said(field.label)
        if field.kind in _SECRETS:
            alphabet, maximum = _SECRETS[field.kind]
            return PinField(
                FieldName.CURRENT_PIN,
                label,
                repertoire=Repertoire(alphabet),
                maximum=maximum,
                submitted=self._submitted,
                changed=self._changed,
            )
        if field.kind is FieldKind.CHOICE:
            options = tuple((value, in_words(words)) for value, words in field.options)
            return OptionField(label, field.value, self._submitted, options=options)
        return TextField(
            label, field.value, submitted=self._submitted, changed=self._changed
        )

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
        if self._has_own_key and page.action is not None and not page.fields:
            yield line(f"F2  {said(page.action)}", classes="own-key")
        yield self._choices
        for each in page.below:
            yield _line(each)
        yield Static("", id="hint", markup=False)

    def on_mount(self) -> None:
        first = self._fields[self._first] if self._fields else self._choices
        if first.can_focus:
            self.set_focus(first, scroll_visible=False)

    def follow(self, other: PageScreen) -> None:
        """Keep the texts of a page that has changed around them, or was refused.

        An operator's alone, and of a refused sign-in none: somebody else may be next.
        """
        if not other.has_answered:
            self._go_on_from(other)
        elif self.page.is_refused and self.page.operator:
            self._go_on_from(other)
            first = self._fields[self._first] if self._fields else None
            if isinstance(first, TextField):
                first.retype()

    def _go_on_from(self, other: PageScreen) -> None:
        """Keep the texts, where the fields are the same.

        A secret is not kept: it may have been meant for another card.
        """
        if _fields_of(self.page) != _fields_of(other.page):
            return
        for mine, its in zip(self._fields, other._fields, strict=True):
            if isinstance(mine, TextField) and isinstance(its, TextField):
                mine.typed, its.typed = its.typed, mine.typed
            elif isinstance(mine, OptionField) and isinstance(its, OptionField):
                mine.value = its.value
            if its is other.focused:
                self._first = self._fields.index(mine)

    def say_working(self, what: Sentence) -> None:
        """Say what is being done while nothing can be typed."""
        self._hint(what)

    def stay(self) -> None:
        """Nothing is done any more, and nothing has changed here."""
        self._hint(None)
        if self.has_answered:
            self.open()

    def _hint(self, hint: Sentence | None) -> None:
        self.query_one("#hint", Static).update(said(hint) if hint else "")

    # --- keys -------------------------------------------------------------------

    def _changed(self, field: TypedField) -> None:
        if field.typed.refusal is not None:
            self.app.bell()
        self._hint(field.typed.refusal)

    def _submitted(self, field: Widget) -> None:
        """Go to the next field; from the last one on, unless that has its own key."""
        wrong = _refusal(field)
        if wrong is not None:
            self._start_over(field, wrong)
        elif field is not self._fields[-1]:
            self.focus_next()
        elif self.page.asks_own_key:
            self._ask_own_key()
        else:
            self._submit()

    def _ask_own_key(self) -> None:
        if self.page.action is not None:
            action = said(self.page.action)
            self._hint(Sentence("tui.desk.own_key", {"action": action}))

    def _submit(self) -> None:
        """Hand everything over, if all of it can be used."""
        for field, widget in zip(self.page.fields, self._fields, strict=True):
            wrong = _refusal(widget)
            if wrong is None and field.is_needed and _is_empty(widget):
                wrong = Sentence("tui.form.incomplete")
            if wrong is not None:
                self._start_over(widget, wrong)
                return
        self.tell(self.Submitted(self))

    def _start_over(self, field: Widget, wrong: Sentence) -> None:
        self.turn.cut()
        if isinstance(field, TypedField) and _refusal(field) is not None:
            field.retype()
        self.set_focus(field)
        self._hint(wrong)

    def _choose(self, key: str) -> None:
        if key == _ACTION:
            self._submit()
        else:
            self.tell(self.Chosen(key))

    def pressed(self, key: events.Key) -> bool:
        match key.key:
            case "escape" if self.page.can_go_back:
                self.tell(self.Back())
            case "f2" if self._has_own_key:
                self._submit()
            case "enter" if self.page.asks_own_key:
                self._ask_own_key()
            case "down" if self._fields:
                self.focus_next()
            case "up" if self._fields:
                self.focus_previous()
            case _:
                return False
        return True

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


def _fields_of(page: Page) -> list[tuple[str, FieldKind]]:
    return [(field.name, field.kind) for field in page.fields]


def _refusal(widget: Widget) -> Sentence | None:
    return widget.typed.refusal if isinstance(widget, TypedField) else None


def _is_empty(widget: Widget) -> bool:
    return isinstance(widget, TypedField) and not len(widget.typed)


def _taken(widget: SecretField) -> Secret:
    value = widget.copy()
    widget.wipe()
    return value


def _line(each: PageLine) -> Widget:
    text = in_words(each.text)
    if each.label is not None:
        text = f"{said(each.label)}: {text}"
    if each.style is Style.WARNING:
        return Bullet(marks().attention, text, classes="warning")
    if each.style is Style.DONE:
        return Bullet(marks().done, text, classes="done")
    return line(text, classes=each.style.value)
