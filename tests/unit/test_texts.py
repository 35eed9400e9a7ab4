"""The catalogue and the code agree: every key has a sentence, every sentence data."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.directory.ports import BindResult, WriteRefusal
from kiosk.errors import Message
from kiosk.pinrules import Rule
from kiosk.texts import UnknownText, sentence, text
from kiosk.visit.views import FieldName, Step, StepState
from statemachine.lifecycle import State
from statemachine.operation import Kind

ROOT = Path(__file__).parents[2]
AREAS = {path.stem for path in (ROOT / "kiosk/texts/en").glob("*.toml")}
MADE = (
    *(f"rule.{rule}" for rule in Rule),
    *(f"field.{name}" for name in FieldName),
    *(f"step.{step}" for step in Step),
    *(f"tui.step.{step}" for step in Step),
    *(f"tui.step_state.{state}" for state in StepState),
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


SAYING = frozenset({"Message", "say", "Refusal"})
"""What is called with a key as its first argument."""


def keys_of(node: ast.AST) -> Iterator[str]:
    """Yield the keys that one node of a program names."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(key)), *_]):
            if name in SAYING:
                yield key
        case ast.ClassDef():
            for part in node.body:
                match part:
                    case (
                        ast.Assign(
                            targets=[ast.Name(id="code")],
                            value=ast.Constant(value=str(key)),
                        )
                        | ast.AnnAssign(
                            target=ast.Name(id="code"),
                            value=ast.Constant(value=str(key)),
                        )
                    ):
                        yield key


def literals() -> Iterator[tuple[str, str]]:
    """Yield (key, file) of every key that the code names."""
    for package in ("kiosk", "statemachine", "storage"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                for key in keys_of(node):
                    yield key, str(path.relative_to(ROOT))


@pytest.mark.parametrize("key", MADE)
def test_a_key_made_from_an_enumeration_has_a_sentence(key: str) -> None:
    assert text(key)


def test_every_key_in_the_code_has_a_sentence() -> None:
    found = list(literals())
    assert len(found) > 100
    missing = []
    for key, where in found:
        try:
            text(key)
        except UnknownText:
            missing.append(f"{where}: {key}")
    assert not missing, "\n".join(missing)


def test_outside_text_in_a_sentence_is_made_visible() -> None:
    shown = sentence(Message("notice.password_follows", {"account": "a\x1b[2J\u202eb"}))
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_every_sentence_can_be_formatted() -> None:
    from kiosk.texts import _area

    for area in sorted(AREAS):
        for name, raw in _area("en", area).items():
            fields = [field for _, field, _, _ in string.Formatter().parse(raw)]
            assert all(field is None or field.isidentifier() for field in fields), (
                f"{area}.{name}"
            )


def test_a_key_that_nobody_wrote_is_a_bug() -> None:
    with pytest.raises(UnknownText):
        text("card.no_such_thing")
