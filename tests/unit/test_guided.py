"""What `kiosk init --guided` takes of what is typed, before anything is looked up."""

from __future__ import annotations

import pytest

from kiosk.cli import guided_people


@pytest.mark.parametrize(
    ("typed", "account"),
    [
        (["ann"], "ann@ad.test"),
        (["ann@other.test"], "ann@other.test"),
        (["AD\\ann", "a nn", "ann@", "ann"], "ann@ad.test"),
    ],
)
def test_an_operators_account_is_one_that_the_configuration_takes(
    monkeypatch: pytest.MonkeyPatch, typed: list[str], account: str
) -> None:
    """Else all that was typed before would be gone at the end."""
    answers = iter(typed)
    monkeypatch.setattr(guided_people, "ask", lambda *_: next(answers))
    assert guided_people.operator_account("root", "ad.test") == account
    assert list(answers) == []
