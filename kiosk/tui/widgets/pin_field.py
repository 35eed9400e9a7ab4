"""A PIN, PUK or password: hidden, readable only while a person wants to see it."""

from __future__ import annotations

from collections.abc import Iterable

from textual.reactive import reactive

from kiosk.tui.widgets.secret_field import SecretField


class PinField(SecretField):
    """Dots; the characters themselves only while `is_shown`."""

    is_shown: reactive[bool] = reactive(default=False)
    """The characters are readable now."""

    def characters(self) -> Iterable[str]:
        if not self.is_shown:
            return super().characters()
        return map(self.typed.shown, range(self.typed.keys))
