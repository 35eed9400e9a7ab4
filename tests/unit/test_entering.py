"""What is typed on screens and lines is held against what the card takes, first."""

from __future__ import annotations

import pytest

from kiosk.cards.ports import Tries
from kiosk.core.secret import Secret
from kiosk.faces.entering import ON_CARD, wrong_with
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
