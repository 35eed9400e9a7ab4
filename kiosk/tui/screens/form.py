"""The PIN screen: tries before typing, every rule live, the new PIN twice."""

from __future__ import annotations

from collections.abc import Iterable

from textual import events, on
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from kiosk.pinrules import Alphabet, check
from kiosk.secret import Secret
from kiosk.station import FaceSettings
from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.widgets.panels import RuleList, TriesLine, line
from kiosk.tui.widgets.secret_field import SecretField
from kiosk.tui.words import said, say
from kiosk.visit.views import Answers, FieldName, Form

_CODE_MAXIMUM = 16
_CODES = frozenset({FieldName.RELEASE_CODE, FieldName.ACTIVATION_CODE})
_OLD = (FieldName.OLD_PIN, FieldName.TRANSPORT_PIN, FieldName.CURRENT_PIN)


class FormScreen(KioskScreen):
    """Collects what a form asks for."""

    CSS_PATH = "form.tcss"
    KEYS = (("Enter", "tui.key.next"), ("F2", "tui.key.show"), ("Esc", "tui.key.back"))

    class Filled(Message):
        """Everything is typed; `take` hands it over. Carries no value itself."""

        def __init__(self, screen: FormScreen) -> None:
            super().__init__()
            self.screen = screen

    class Cancelled(Message):
        """The person went back."""

    def __init__(
        self, settings: FaceSettings, form: Form, *, is_confirmed: bool
    ) -> None:
        super().__init__(settings)
        self.form = form
        self._is_confirmed = is_confirmed

    # --- what it looks like -----------------------------------------------------

    def body(self) -> Iterable[Widget]:
        form = self.form
        yield line(say(f"tui.form.{form.kind}"), classes="headline")
        for notice in form.notices:
            yield line(said(notice), classes="muted")
        yield TriesLine(form.tries)
        fields = Vertical(*self._fields(), id="fields")
        yield Horizontal(fields, RuleList(id="rules"), id="columns")
        yield Static("", id="hint", markup=False)

    def _fields(self) -> Iterable[SecretField]:
        for name in self.form.fields:
            yield self._field(name, say(f"field.{name}"))
        if FieldName.NEW_PIN in self.form.fields:
            yield self._field(FieldName.NEW_PIN, say("field.new_pin_again"), "again")

    def _field(self, name: FieldName, label: str, extra: str = "") -> SecretField:
        rules = self.form.rules
        if name is FieldName.NEW_PIN and rules is not None:
            alphabet, maximum = rules.alphabet, rules.maximum
        elif name in _CODES:
            alphabet, maximum = Alphabet.PRINTABLE, _CODE_MAXIMUM
        else:
            alphabet, maximum = Alphabet.PRINTABLE, self.form.old_limits[1]
        field = SecretField(
            name,
            label,
            alphabet=alphabet,
            maximum=maximum,
            submitted=self._submitted,
        )
        if extra:
            field.add_class(extra)
        return field

    def on_mount(self) -> None:
        self.set_focus(self._all()[0])
        self._judge()

    # --- typing -------------------------------------------------------------------

    @on(SecretField.Changed)
    def _changed(self) -> None:
        self._hint("")
        self._judge()

    def _submitted(self, field: SecretField) -> None:
        fields = self._all()
        at = fields.index(field)
        if at + 1 < len(fields):
            self.set_focus(fields[at + 1])
        else:
            self._finish()

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            event.stop()
            self.post_message(self.Cancelled())
        elif event.key == "f2":
            event.stop()
            for field in self._all():
                field.is_shown = not field.is_shown
        elif event.key in ("down", "up"):
            event.stop()
            (self.focus_next if event.key == "down" else self.focus_previous)()

    def _finish(self) -> None:
        """Go on if all is complete; else say what is missing, and go there."""
        empty = next((field for field in self._all() if not len(field)), None)
        if empty is not None:
            self._hint("tui.form.incomplete")
            self.set_focus(empty)
        elif not self._is_same():
            self._hint("tui.form.not_same")
            self._restart_new_pin()
        elif not self._judge():
            self._hint("tui.form.rules_first")
            self._restart_new_pin()
        else:
            self.post_message(self.Filled(self))

    def _restart_new_pin(self) -> None:
        for field in self._new_pins():
            field.wipe()
        self._judge()
        self.set_focus(self._new_pins()[0])

    def _hint(self, key: str) -> None:
        self.query_one("#hint", Static).update(say(key) if key else "")

    # --- rules ----------------------------------------------------------------------

    def _judge(self) -> bool:
        """Show the verdicts; say whether all hold (or none are asked)."""
        rules = self.form.rules
        if rules is None:
            return True
        old = next((f.take() for f in self._all() if f.field in _OLD), None)
        new = self._new_pins()[0].take()
        try:
            verdicts = check(rules, new, old)
        finally:
            new.wipe()
            if old is not None:
                old.wipe()
        self.query_one(RuleList).show(rules, verdicts)
        return all(verdict.holds for verdict in verdicts)

    def _is_same(self) -> bool:
        pins = self._new_pins()
        if not pins:
            return True
        with pins[0].take() as first, pins[1].take() as second:
            return first.matches(second)

    def _all(self) -> list[SecretField]:
        return list(self.query(SecretField))

    def _new_pins(self) -> list[SecretField]:
        return [field for field in self._all() if field.field is FieldName.NEW_PIN]

    # --- handing over ---------------------------------------------------------------

    def take(self) -> Answers:
        """Hand over what was typed and wipe the fields. The visit wipes the answers."""
        values: dict[FieldName, Secret] = {}
        for field in self._all():
            if field.field not in values:
                values[field.field] = field.take()
            field.wipe()
        return Answers(values, confirmed=self._is_confirmed)
