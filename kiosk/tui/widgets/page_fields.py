"""A page's fields as widgets."""

from __future__ import annotations

from collections.abc import Callable

from textual.widget import Widget

from kiosk.desk.views import FieldKind, PageField
from kiosk.faces.typed import Repertoire
from kiosk.faces.wording import said
from kiosk.pin.alphabet import Alphabet
from kiosk.tui.widgets.entry_field import OptionField, TextField
from kiosk.tui.widgets.field import TypedField
from kiosk.tui.widgets.page_lines import in_words
from kiosk.tui.widgets.pin_field import PinField
from kiosk.tui.widgets.secret_field import SecretField
from kiosk.visit.views import FieldName

_SECRETS: dict[FieldKind, tuple[Alphabet | None, int]] = {
    FieldKind.SECRET: (Alphabet.PRINTABLE, 128),
    FieldKind.PASSWORD: (None, 256),
}
"""What may be typed into each kind, and how many characters at most."""


def widget_of(
    field: PageField,
    submitted: Callable[[Widget], None],
    changed: Callable[[TypedField], None],
    chosen: Callable[[], None],
) -> TextField | OptionField | SecretField:
    """Return what a field is filled in with. All are called at once."""
    label = said(field.label)
    if field.kind in _SECRETS:
        alphabet, maximum = _SECRETS[field.kind]
        return PinField(
            FieldName.CURRENT_PIN,
            label,
            repertoire=Repertoire(alphabet),
            maximum=maximum,
            submitted=submitted,
            changed=changed,
        )
    if field.kind is FieldKind.CHOICE:
        options = tuple((value, in_words(words)) for value, words in field.options)
        return OptionField(
            label, field.value, submitted, options=options, chosen=chosen
        )
    return TextField(label, field.value, submitted=submitted, changed=changed)
