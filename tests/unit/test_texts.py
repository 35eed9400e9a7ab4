"""The catalogue and the code agree: every key has a sentence, every sentence data."""

from __future__ import annotations

import re
import string

import pytest
from lab.sentences import (
    catalogue,
    coded_classes,
    placeholders,
    said_somewhere,
    sayings,
)

from kiosk.core.errors import Message
from kiosk.directory.values import BindResult, WriteRefusal
from kiosk.faces.error_pages import ErrorPageKind
from kiosk.pin.rules import Rule
from kiosk.pin.weak import Weakness
from kiosk.texts import UnknownText, has, sentence, text
from kiosk.visit.views import FROM_ELSEWHERE, FieldName, Outcome, VisitStep
from statemachine.lifecycle import State
from statemachine.operation import Kind

SHOWN = frozenset(
    {"card", "confirm", "field", "home", "notice", "reason", "refusal", "result"}
    | {"rule", "step", "stop", "tui", "visit", "kiosk"}
)
"""Areas whose sentences a card holder can see."""

MADE = (
    *(f"rule.{rule}" for rule in Rule),
    *(f"field.{name}" for name in FieldName),
    *(f"step.{step}" for step in VisitStep),
    *(f"tui.step.{step}" for step in VisitStep),
    *(f"tui.step_failed.{step}" for step in VisitStep),
    *(f"tui.step_open.{step}" for step in VisitStep),
    *(f"tui.outcome.{outcome}" for outcome in Outcome),
    *(f"tui.call.{name}" for name in FROM_ELSEWHERE),
    *(f"tui.action_needs.{name}" for name in FROM_ELSEWHERE),
    *(f"rule.weak.{weakness}" for weakness in Weakness),
    *(f"tui.{kind}.headline" for kind in ErrorPageKind),
    *(f"tui.action.{kind}" for kind in Kind),
    *(f"tui.action_help.{kind}" for kind in Kind),
    *(f"tui.form.{kind}" for kind in Kind),
    *(f"home.headline.{state}" for state in State),
    *(f"result.headline.{kind}" for kind in Kind),
    *(f"directory.refusal.{why}" for why in WriteRefusal),
    *(f"directory.bind.{result}" for result in BindResult if result != "ok"),
    *(f"refusal.{state}" for state in State),
    *(f"stop.{state}" for state in ("suspended", "revoked", "retired")),
)
"""Keys that the code puts together from an enumeration."""


@pytest.mark.parametrize("key", MADE)
def test_a_key_made_from_an_enumeration_has_a_sentence(key: str) -> None:
    assert text(key)


@pytest.mark.slow
def test_every_key_in_the_code_has_a_sentence() -> None:
    found = list(sayings())
    assert len(found) > 100
    missing = []
    for saying in found:
        try:
            text(saying.key)
        except UnknownText:
            missing.append(f"{saying.where}: {saying.key}")
    assert not missing, "\n".join(missing)


def test_every_value_that_a_sentence_names_is_given_with_it() -> None:
    lacking = [
        f"{saying.where}: {saying.key} lacks {', '.join(sorted(names))}"
        for saying in sayings()
        if saying.given is not None
        and (names := placeholders(saying.key) - saying.given)
    ]
    assert not lacking, "\n".join(lacking)


@pytest.mark.slow
def test_every_error_class_is_found() -> None:
    codes = {found.code for found in coded_classes().values()}
    assert {"card.wrong_pin", "registry.corrupt", "kiosk.unexpected"} <= codes
    assert len(codes) > 50


def test_every_sentence_is_said_somewhere() -> None:
    orphans = sorted(key for key, _ in catalogue() if not said_somewhere(key))
    assert not orphans, f"nobody says: {', '.join(orphans)}"


def test_what_a_person_reads_is_a_sentence_without_jargon() -> None:
    """What a card holder can see, not what `doctor` tells an administrator."""
    for key, sentence_ in catalogue():
        if key.partition(".")[0] not in SHOWN:
            continue
        for word in ("APDU", "LDAP", "None", "exception", "objectGUID", "bytearray"):
            assert word not in sentence_, f"{key} says {word}"
        assert sentence_ == sentence_.strip(), key


ON_SCREENS = frozenset({*SHOWN, "desk", "enrollment", "risk", "condition"})
TYPED_ONLY = frozenset({"enrollment.last_try", "enrollment.transport_in_escrow"})
"""What only the command line says."""
FOR_A_COMMAND_LINE = re.compile(
    r"kiosk (credential|fleet|doctor|directory|registry|audit|ca|card|template)\b"
    r"|--[a-z]|'[a-z_]+\.[a-z_]+'|\[\[|\b[a-z]+_[a-z_]+\b|\b(piv|pkcs11|printable)\b"
)
"""Commands, options, and the words of configuration files."""


def test_no_screen_asks_for_a_command_or_a_configuration_file() -> None:
    asking = []
    for key, raw in catalogue():
        area, _, name = key.partition(".")
        is_help = area == "template" and name.partition(".")[0] != "about"
        if key in TYPED_ONLY or not (area in ON_SCREENS or is_help):
            continue
        shown = text(f"screen.{key}") if has(f"screen.{key}") else raw
        if FOR_A_COMMAND_LINE.search(re.sub(r"\{[^}]*\}", "", shown)):
            asking.append(f"{key}: {shown}")
    assert not asking, "\n".join(asking)


def test_each_sentence_of_a_screen_is_instead_of_one() -> None:
    own = [key for key, _ in catalogue() if key.startswith("screen.")]
    assert own
    for key in own:
        assert placeholders(key) <= placeholders(key.removeprefix("screen."))


def test_outside_text_in_a_sentence_is_made_visible() -> None:
    shown = sentence(Message("notice.password_follows", {"account": "a\x1b[2J\u202eb"}))
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_of_a_files_place_the_end_is_shown_because_it_names_it() -> None:
    place = f"/srv/{'kiosk/' * 20}00000001.segment"
    shown = sentence(Message("registry.evidence_missing", {"path": place}))
    assert "kiosk/00000001.segment is not there" in shown
    assert "evidence …" in shown
    hidden = sentence(Message("registry.evidence_missing", {"path": "/a\x1b[2J"}))
    assert "\x1b" not in hidden


def test_every_sentence_can_be_formatted() -> None:
    for key, raw in catalogue():
        fields = [field for _, field, _, _ in string.Formatter().parse(raw)]
        for field in fields:
            is_label = field is not None and field.startswith("label[")
            assert field is None or field.isidentifier() or is_label, key


def test_a_key_that_nobody_wrote_is_a_bug() -> None:
    with pytest.raises(UnknownText):
        text("card.no_such_thing")
