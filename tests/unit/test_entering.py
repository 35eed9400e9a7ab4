"""What is not right with an entry yet, before it costs anything."""

from __future__ import annotations

import pytest
from lab.fake_station import form

from kiosk.core.entropy import SeededEntropy
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.faces.entering import CODES, wrong_with
from kiosk.pin.codes import new_code
from kiosk.visit.views import FieldName


@pytest.mark.parametrize("name", sorted(CODES))
def test_a_code_with_a_wrong_digit_is_told_at_once(name: FieldName) -> None:
    code = new_code(SeededEntropy(7)).reveal()
    assert wrong_with(form(), name, Secret(bytes(code))) is None
    for at in range(len(code)):
        other = bytearray(code)
        other[at] = 0x30 + (other[at] - 0x30 + 1) % 10
        wrong = wrong_with(form(), name, Secret(bytes(other)))
        assert wrong == Message("tui.form.code_misheard")


def test_a_code_that_lacks_digits_is_not_called_wrong() -> None:
    wrong = wrong_with(form(), FieldName.RELEASE_CODE, Secret(b"4821"))
    assert wrong == Message("tui.form.code_incomplete")
