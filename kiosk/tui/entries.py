"""The fields of a form, and what is not right with them yet."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.faces.entering import CODES, ON_CARD, takes, wrong_with
from kiosk.faces.typed import Repertoire
from kiosk.faces.visit_wording import of_broken
from kiosk.faces.wording import say
from kiosk.pin.rules import PinRules, Rule, RuleVerdict, check
from kiosk.tui.widgets.field import TypedField
from kiosk.tui.widgets.pin_field import PinField
from kiosk.tui.widgets.secret_field import SecretField
from kiosk.tui.widgets.spoken_fields import CodeField, ResponseField
from kiosk.visit.views import FieldName, Form


class Entries:
    """One field for each thing that is asked, the new PIN twice. UI thread."""

    def __init__(
        self,
        form: Form,
        submitted: Callable[[TypedField], None],
        changed: Callable[[TypedField], None],
    ) -> None:
        self._form = form
        self._submitted = submitted
        self._changed = changed
        self.fields = [self._field(name) for name in form.fields]
        if FieldName.NEW_PIN in form.fields:
            again = self._field(FieldName.NEW_PIN, "field.new_pin_again")
            again.add_class("again")
            self.fields.append(again)

    def _field(self, name: FieldName, label: str = "") -> SecretField:
        words = say(label or f"field.{name}")
        done, changed = self._submitted, self._changed
        if name in CODES:
            return CodeField(name, words, submitted=done, changed=changed)
        if name is FieldName.ADMIN_RESPONSE:
            return ResponseField(name, words, submitted=done, changed=changed)
        alphabet, maximum = takes(self._form, name)
        return PinField(
            name,
            words,
            repertoire=Repertoire(alphabet),
            maximum=maximum,
            submitted=done,
            changed=changed,
        )

    def _new_pins(self) -> list[SecretField]:
        return [field for field in self.fields if field.field is FieldName.NEW_PIN]

    # --- judging ----------------------------------------------------------------

    def verdicts(self, rules: PinRules) -> tuple[RuleVerdict, ...]:
        """Judge the new PIN by every rule; it is asked wherever there are rules."""
        olds = [field.copy() for field in self.fields if field.field in ON_CARD]
        field = self._new_pins()[0]
        new = field.copy()
        try:
            verdicts = check(rules, new, olds[0] if olds else None)
        finally:
            for secret in (new, *olds):
                secret.wipe()
        if field.typed.refusal is None:
            return verdicts
        refused = (Rule.LENGTH, Rule.ALPHABET)
        return tuple(
            RuleVerdict(it.rule, it.holds and it.rule not in refused, it.why)
            for it in verdicts
        )

    @property
    def is_same(self) -> bool:
        """The new PIN was typed twice alike."""
        pins = self._new_pins()
        if any(pin.typed.refusal for pin in pins):
            return False
        with pins[0].copy() as first, pins[1].copy() as second:
            return bool(first) and first.matches(second)

    def wrong_with(self, field: SecretField) -> Message | None:
        """Say what keeps a field from being finished; None: nothing."""
        if field.typed.refusal is not None:
            return field.typed.refusal
        with field.copy() as typed:
            wrong = wrong_with(self._form, field.field, typed)
        if wrong is None and field.field is FieldName.NEW_PIN:
            return self._wrong_with_new(field)
        return wrong

    def _wrong_with_new(self, field: SecretField) -> Message | None:
        rules = self._form.rules
        for verdict in self.verdicts(rules) if rules else ():
            if not verdict.holds and rules is not None:
                broken = of_broken(verdict, rules)
                return Message("tui.form.rules_first", {"rule": broken})
        if field.has_class("again") and not self.is_same:
            return Message("tui.form.not_same")
        return None

    def start_over(self, field: SecretField) -> SecretField:
        """Prepare to type anew what is wrong with `field`; return where to begin.

        An entry that is only not complete stays as it is; a code that is complete was
        misheard.
        """
        is_whole_code = (
            isinstance(field, CodeField) and len(field) == field.typed.maximum
        )
        is_refused = field.typed.refusal is not None or is_whole_code
        if is_refused:
            field.retype()
        if field.field is not FieldName.NEW_PIN or not len(field):
            return field
        first, again = self._new_pins()
        if is_refused and field is again:
            return field
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
