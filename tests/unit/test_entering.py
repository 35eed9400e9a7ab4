"""What is typed on screens and lines is held against what the card takes, first."""

from __future__ import annotations

import pytest

from kiosk.cards.values import Tries
from kiosk.core.entropy import SeededEntropy
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.faces.entering import CODES, ON_CARD, wrong_with
from kiosk.pin.codes import new_code
from kiosk.visit.views import FieldName, Form
from statemachine.operation import Kind

FORM = Form(
    kind=Kind.CHANGE,
    fields=(FieldName.OLD_PIN, FieldName.NEW_PIN),
    rules=None,
    old_limits=(6, 8),
    tries=Tries(3, 3),
    password_follows=True,
    notices=(),
    confirm=None,
)


@pytest.mark.parametrize("name", sorted(ON_CARD))
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (b"", "tui.form.incomplete"),
        (b"1", "tui.form.too_short"),
        (b"31415", "tui.form.too_short"),
        (b"314159", None),
        (b"31415926", None),
    ],
)
def test_a_pin_too_short_for_the_card_costs_no_try(
    name: FieldName, typed: bytes, said: str | None
) -> None:
    """No card has such a PIN: sent, it could only be refused, and counted."""
    with Secret(typed) as secret:
        wrong = wrong_with(FORM, name, secret)
    assert (None if wrong is None else wrong.key) == said


@pytest.mark.parametrize("name", sorted(CODES))
def test_a_code_with_a_wrong_digit_is_told_at_once(name: FieldName) -> None:
    code = new_code(SeededEntropy(7)).reveal()
    assert wrong_with(FORM, name, Secret(bytes(code))) is None
    for at in range(len(code)):
        other = bytearray(code)
        other[at] = 0x30 + (other[at] - 0x30 + 1) % 10
        wrong = wrong_with(FORM, name, Secret(bytes(other)))
        assert wrong == Message("tui.form.code_misheard")


def test_a_code_that_lacks_digits_is_not_called_wrong() -> None:
    wrong = wrong_with(FORM, FieldName.RELEASE_CODE, Secret(b"4821"))
    assert wrong == Message("tui.form.code_incomplete")
