"""The matrix of screens and keys reaches every screen there is, and can find fault."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from lab.matrix import desk_pages, kiosk_worlds
from lab.matrix.__main__ import _done, meaning, ranked
from lab.matrix.keys import ENTER, Key, keys
from lab.matrix.oracle import Rhythm, Seen, judge
from lab.matrix.place import DIGITS, Place
from lab.matrix.places import places
from lab.matrix.values import may_be
from textual.screen import ModalScreen

import kiosk.desk.pages
import kiosk.plain
import kiosk.tui.screens
from kiosk.core.workers import InlineWorker
from kiosk.faces.error_pages import ErrorPageKind
from kiosk.simulation.cards.reader import SimulatedReaders
from kiosk.simulation.demo_desk import DemoDesk
from kiosk.tui.screen_factory import ScreenFactory
from kiosk.tui.screens.base import KioskScreen
from kiosk.tui.screens.message import MessageScreen
from kiosk.tui.screens.page_view import PageView
from kiosk.visit.views import FieldName, Outcome
from statemachine.operation import Kind

pytestmark = pytest.mark.slow


def modules(package: ModuleType) -> list[ModuleType]:
    names = [each.name for each in pkgutil.iter_modules(package.__path__)]
    return [importlib.import_module(f"{package.__name__}.{name}") for name in names]


def classes(package: ModuleType) -> set[type]:
    """Every class that a package's modules define."""
    return {
        each
        for module in modules(package)
        for _, each in inspect.getmembers(module, inspect.isclass)
        if each.__module__ == module.__name__
    }


# --- every screen -----------------------------------------------------------------


def test_every_screen_is_a_place() -> None:
    screens = {
        each.__name__
        for each in classes(kiosk.tui.screens)
        if issubclass(each, KioskScreen | ModalScreen)
        and each not in (KioskScreen, PageView)  # what others are made from
    }
    shown = {it.shows.split()[0] for it in places() if it.face != "plain"}
    assert screens == shown


def test_every_message_is_a_place() -> None:
    kinds = {str(kind) for kind in ErrorPageKind}
    for name, method in inspect.getmembers(ScreenFactory, inspect.isfunction):
        told = inspect.signature(method, eval_str=True)
        if not name.startswith("_") and told.return_annotation is MessageScreen:
            kinds |= {name} - {"trouble"}
    shown = {it.shows for it in places() if it.shows.startswith("MessageScreen")}
    assert {f"MessageScreen {kind}" for kind in kinds} == shown


def test_every_way_to_end_is_a_place() -> None:
    names = {place.name for place in places()}
    for outcome in Outcome:
        assert f"kiosk: result, {outcome.replace('_', ' ')}" in names


def test_every_field_is_asked_for() -> None:
    asked: set[FieldName] = set()
    kinds: set[Kind] = set()
    for situation in kiosk_worlds.SITUATIONS:
        worker = InlineWorker()
        readers = SimulatedReaders()
        world = kiosk_worlds.new_world(readers, worker, worker)
        card = readers.insert(kiosk_worlds.give(world, situation))
        if situation == "stranger":
            continue
        visit = world.visit(card)
        for offer in visit.recognise().actions:
            if offer.allowed:
                kinds.add(offer.kind)
                asked |= set(visit.begin(offer.kind).fields)
    assert asked == set(FieldName)
    assert kinds == set(Kind)


def test_every_question_of_the_plain_kiosk_is_a_place() -> None:
    asked = {str(name) for name in FieldName}
    for module in modules(kiosk.plain):
        for function in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(function, ast.FunctionDef) and _asks_for_choice(function):
                asked.add(function.name)
    shown = {it.shows for it in places() if it.face == "plain"}
    assert {f"plain {each}" for each in asked} == shown - {"plain"}


def _asks_for_choice(function: ast.FunctionDef) -> bool:
    calls = [each for each in ast.walk(function) if isinstance(each, ast.Call)]
    names = [each.func for each in calls if isinstance(each.func, ast.Attribute)]
    return any(each.attr == "choose" for each in names)


def test_every_page_of_the_desk_is_a_place() -> None:
    made: set[type] = set()
    for who, make in desk_pages.PAGES.values():
        demo = DemoDesk()
        made.add(type(desk_pages.opened(demo, who, make)))
        demo.stop()
    pages = {each for each in classes(kiosk.desk.pages) if hasattr(each, "show")}
    assert pages == made


# --- every key --------------------------------------------------------------------


def test_no_two_keys_are_the_same_bytes() -> None:
    sent = [key.data for key in keys()]
    assert len(sent) == len(set(sent)) > 600


@pytest.mark.parametrize("at", [0, 7, 122])
def test_every_key_is_pressed_at_a_place_and_one_of_each_meaning_first(at: int) -> None:
    order = ranked(at)
    assert sorted(key.data for key in order) == sorted(key.data for key in keys())
    meanings = {meaning(key) for key in keys()}
    assert {meaning(key) for key in order[: len(meanings)]} == meanings


def test_what_had_a_fault_is_tried_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        '{"place": "idle", "pass": 0, "faults": []}\n'
        '{"place": "home", "pass": 0, "faults": ["it ended"]}\n'
    )
    assert _done(log) == {("idle", 0)}


@pytest.mark.parametrize("character", [chr(code) for code in range(0x20, 0x7F)])
def test_every_character_is_a_key(character: str) -> None:
    assert any(key.data == character.encode() == key.text.encode() for key in keys())


# --- the oracle can find fault ----------------------------------------------------

PLACE = Place(
    name="a form",
    face="kiosk",
    shows="FormScreen",
    arrive=lambda _: None,
    secret=DIGITS,
    can_be_shown=True,
    tries=1,
)
PRESSED = Key("enter as such", ENTER)
OTHER = Key("'a' as such", b"a", "a")
FACTS: dict[str, Any] = {
    "cards": {"alice": ["271828", 3, 3]},
    "writes": 0,
    "wrong passwords": 0,
    "credentials": {"c": ["active", "in step", False]},
    "codes": 0,
    "templates": {"staff": 1},
    "evidence": {"lifecycle.issue": 1},
}


def seen(**changes: Any) -> Seen:
    """What is there after a key, with something that has changed."""
    looked = {
        name: changes.pop(name)
        for name in ("text", "written", "complaints")
        if name in changes
    }
    values: dict[str, Any] = {"text": "", "written": b"", "complaints": []}
    return Seen(facts=FACTS | changes, shown="FormScreen", **(values | looked))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"text": "PIN 73915"}, "can be read"),
        ({"written": b"..73915.."}, "was drawn"),
        ({"complaints": ["CRITICAL ui.unhandled"]}, "log says"),
        ({"cards": {"alice": ["314159", 3, 3]}}, "PIN of alice changed"),
        ({"cards": {"alice": ["271828", 2, 3]}}, "tries of alice"),
        ({"cards": {"alice": ["271828", 3, 2]}}, "tries of alice"),
        ({"cards": {}}, "came or went"),
        ({"writes": 1}, "writes changed"),
        ({"wrong passwords": 1}, "wrong passwords"),
        ({"credentials": {"c": ["revoked", "in step", False]}}, "credentials changed"),
        ({"codes": 1}, "codes changed"),
        ({"templates": {"staff": 2}}, "templates changed"),
        ({"evidence": {"lifecycle.issue": 1, "lifecycle.revoke": 1}}, "evidence"),
    ],
)
def test_the_oracle_finds(change: dict[str, Any], says: str) -> None:
    (fault,) = judge(PLACE, OTHER, Rhythm.FIRST, seen(), seen(**change))
    assert says in fault


def test_the_oracle_is_content_with_nothing() -> None:
    assert judge(PLACE, OTHER, Rhythm.HELD, seen(), seen()) == []


def test_an_entry_costs_one_try_and_not_two() -> None:
    one = seen(cards={"alice": ["271828", 2, 3]})
    two = seen(cards={"alice": ["271828", 1, 3]})
    assert judge(PLACE, PRESSED, Rhythm.HELD, seen(), one) == []
    assert judge(PLACE, PRESSED, Rhythm.HELD, seen(), two) != []


@pytest.mark.parametrize(
    ("key", "times", "used", "is_right"),
    [
        (OTHER, 1, "31a4", True),
        (OTHER, 1, None, True),
        (OTHER, 1, "314", False),
        (OTHER, 40, "31a4", False),
        (Key("ü", "ü".encode(), "ü"), 1, "314", False),
        (Key("alt+a", b"\x1ba"), 1, "31a4", False),
        (Key("up as such", b"\x1b[A"), 1, "314", True),
        (Key("backspace as DEL", b"\x7f"), 1, "34", True),
        (Key("backspace as DEL", b"\x7f"), 1, "31", False),
    ],
)
def test_what_is_used_is_what_was_typed(
    key: Key, times: int, used: str | None, is_right: bool
) -> None:
    assert (used in may_be("31", key, times, "4")) is is_right
