"""`kiosk template`: the screen's templates, as files."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from kiosk.authority.office.templates import commented
from kiosk.cli.template import app
from kiosk.desk.templating import (
    NoSuchAlgorithm,
    NotANumber,
    changed,
    differences,
    filled_in,
)
from storage.records import PinPolicy, Template, UnblockMethod


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "staff.toml"
    path.write_text(commented(Template(name="staff")), "utf-8")
    return path


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIN_KIOSK_CONFIG", "")
    monkeypatch.setattr("kiosk.config.location.places", lambda: (tmp_path / "none",))


def test_a_sound_file_is_sound(file: Path) -> None:
    ended = CliRunner().invoke(app, ["validate", str(file)])
    assert ended.exit_code == 0, ended.output
    assert "1 templates are sound" in ended.output


def test_what_a_file_would_change_is_named_field_by_field() -> None:
    before = Template(name="staff")
    after = Template(name="staff", pin_policy=PinPolicy(minimum=7, history=3))
    assert differences(before, after) == [
        ("pin_policy.minimum", "6", "7"),
        ("pin_policy.history", "0", "3"),
    ]


def test_a_way_to_unblock_is_taken_away_and_the_others_keep_their_order() -> None:
    phone, puk = UnblockMethod.ADMIN_KEY_PHONE, UnblockMethod.HOLDER_PUK
    code = UnblockMethod.RELEASE_CODE
    before = Template(name="staff", unblock=(phone, puk, code))
    after = filled_in(before, {"unblock.holder puk": "no", "name": "staff"})
    assert after.unblock == (phone, code)
    assert changed(before, after) == {"unblock.holder puk"}
    assert differences(before, after) == [
        ("unblock", "admin key by phone, holder puk, release code", f"{phone}, {code}")
    ]
    assert filled_in(before, {"unblock.holder puk": "yes"}) == before


def test_what_is_typed_on_the_screen_is_what_a_file_would_say() -> None:
    typed = {
        "self_service": "no",
        "unblock.holder puk": "yes",
        "pin_policy.maximum": "7",
        "pin_policy.reminder_days": "5, 2",
        "first_pin": "activation code",
    }
    draft = filled_in(Template(name="staff"), typed)
    assert not draft.self_service
    assert draft.unblock == ("release code", "holder puk")
    assert draft.pin_policy.maximum == 7
    assert draft.pin_policy.reminder_days == (5, 2)
    assert draft.first_pin == "activation code"


@pytest.mark.parametrize(
    "typed",
    ["", "1e1", "7.0", "-7", "+7", "1_0", "0x7", "７", "٧", "99999", "1 4", "\u200b7"],
)
@pytest.mark.parametrize("field", ["activation_code_days", "pin_policy.minimum"])
def test_a_number_is_typed_in_digits_or_refused(field: str, typed: str) -> None:
    with pytest.raises(NotANumber) as refused:
        filled_in(Template(name="staff"), {field: typed})
    assert refused.value.data["field"] == field


def test_every_number_of_a_list_is_typed_in_digits() -> None:
    with pytest.raises(NotANumber):
        filled_in(Template(name="staff"), {"pin_policy.reminder_days": "14, 1e1"})


@pytest.mark.parametrize("typed", ["p-256", "P-257", ""])
def test_an_algorithm_that_no_card_makes_is_refused(typed: str) -> None:
    with pytest.raises(NoSuchAlgorithm):
        filled_in(Template(name="staff"), {"key_algorithm": typed})
