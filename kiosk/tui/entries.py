"""The fields of a form, and what is not right with them yet."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.errors import Message
from kiosk.faces.entering import CODES, ON_CARD, takes, wrong_with
from kiosk.faces.words import say
from kiosk.pinrules import PinRules, Rule, Verdict, check
from kiosk.secret import Secret
from kiosk.tui.widgets.code_field import CodeField
from kiosk.tui.widgets.pin_field import PinField
from kiosk.tui.widgets.response_field import ResponseField
from kiosk.tui.widgets.secret_field import SecretField
from kiosk.visit.views import FieldName, Form


class Entries:
    """One field for each thing that is asked, the new PIN twice. UI thread."""

    def __init__(self, form: Form, submitted: Callable[[SecretField], None]) -> None:
        self._form = form
        self._submitted = submitted
        self.fields = [self._field(name) for name in form.fields]
        if FieldName.NEW_PIN in form.fields:
            again = self._field(FieldName.NEW_PIN, "field.new_pin_again")
            again.add_class("again")
            self.fields.append(again)

    def _field(self, name: FieldName, label: str = "") -> SecretField:
        words = say(label or f"field.{name}")
        if name in CODES:
            return CodeField(name, words, submitted=self._submitted)
        if name is FieldName.ADMIN_RESPONSE:
            return ResponseField(name, words, submitted=self._submitted)
        alphabet, maximum = takes(self._form, name)
        return PinField(
            name, words, alphabet=alphabet, maximum=maximum, submitted=self._submitted
        )

    def _new_pins(self) -> list[SecretField]:
        return [field for field in self.fields if field.field is FieldName.NEW_PIN]

    # --- judging ----------------------------------------------------------------

    def verdicts(self, rules: PinRules) -> tuple[Verdict, ...]:
        """Judge the new PIN by every rule; it is asked wherever there are rules."""
        olds = [field.copy() for field in self.fields if field.field in ON_CARD]
        field = self._new_pins()[0]
        new = field.copy()
        try:
            verdicts = check(rules, new, olds[0] if olds else None)
        finally:
            for secret in (new, *olds):
                secret.wipe()
        if field.is_overfull:
            return (Verdict(Rule.LENGTH, holds=False), *verdicts[1:])
        return verdicts

    @property
    def is_same(self) -> bool:
        """The new PIN was typed twice alike."""
        pins = self._new_pins()
        with pins[0].copy() as first, pins[1].copy() as second:
            return bool(first) and first.matches(second)

    def wrong_with(self, field: SecretField) -> Message | None:
        """Say what keeps a field from being finished; None: nothing."""
        if field.is_overfull:
            return Message("tui.form.too_long", {"maximum": field.maximum})
        with field.copy() as typed:
            wrong = wrong_with(self._form, field.field, typed)
        if wrong is None and field.field is FieldName.NEW_PIN:
            return self._wrong_with_new(field)
        return wrong

    def _wrong_with_new(self, field: SecretField) -> Message | None:
        rules = self._form.rules
        if rules and not all(verdict.holds for verdict in self.verdicts(rules)):
            return Message("tui.form.rules_first")
        if field.has_class("again") and not self.is_same:
            return Message("tui.form.not_same")
        return None

    def start_over(self, field: SecretField) -> SecretField:
        """Prepare to type anew what is wrong with `field`; return where to begin.

        An entry that is only not complete stays as it is.
        """
        if field.field is not FieldName.NEW_PIN or not len(field):
            if field.is_overfull:
                field.retype()
            return field
        first, again = self._new_pins()
        again.wipe()
        if field is first:
            first.retype()
        else:
            first.wipe()
        return first

    # --- handing over -------------------------------------------------------------

    def take(self) -> dict[FieldName, Secret]:
        """Return what was typed, the new PIN once, and wipe every field."""
        values: dict[FieldName, Secret] = {}
        for field in self.fields:
            if field.field not in values:
                values[field.field] = field.copy()
            field.wipe()
        return values
