"""What the screens take for granted of Textual, held against the pinned version.

Textual calls a message's handler on every class of a widget's ancestry that defines
one: who calls the parent's handler, too, handles the message twice. So nobody does;
and keys take another way altogether (`LockedApp`, `KioskScreen.press`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from lab.terminal.fake_station import SETTINGS
from textual import events
from textual.app import App
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget

import kiosk.tui
from kiosk.core.errors import Message as Sentence
from kiosk.desk.views import FieldKind, Page, PageField
from kiosk.tui.locked import LockedApp
from kiosk.tui.screens.page import PageScreen
from kiosk.tui.widgets.field import TypedField

FOLDER = Path(kiosk.tui.__file__).parent
PLAIN_METHODS = {
    "__init__",
    "on_event",
    "_handle_exception",
    "exit",
    "panic",
    "characters",
    "compose",
    "get_css_variables",
    "press",
    "set_variables",
    "unfinished",
}
"""What a parent is called for: Textual calls none of these on every class."""


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(FOLDER.rglob("*.py")):
        yield path.name, ast.parse(path.read_text("utf-8"))


def calls_of_a_parent(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name)
            ):
                yield name


def test_the_version_is_the_one_that_was_looked_at() -> None:
    assert version("textual") == "8.2.8"


def test_nobody_calls_a_parent_that_textual_calls_anyway() -> None:
    called = {
        (file, name) for file, tree in trees() for name in calls_of_a_parent(tree)
    }
    assert len(called) > 10
    assert {name for _, name in called} <= PLAIN_METHODS


def test_no_widget_takes_keys_from_textual() -> None:
    ways = ("on_key", "_on_key", "on_paste", "_on_paste", "key_", "_key_", "action_")
    for file, tree in trees():
        defined = [
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        assert not [name for name in defined if name.startswith(ways)], file


def test_no_key_is_bound() -> None:
    for file, tree in trees():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.AnnAssign)
                and ast.unparse(node.target) == "BINDINGS"
            ):
                assert node.value is not None
                assert ast.unparse(node.value) == "[]", file


class Said(Message):
    """A message of a test's own."""


class Parent(Widget, can_focus=True):
    """Notes who handles what."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def on_key(self, event: events.Key) -> None:
        self.heard.append(f"parent {event.key}")

    def on_mount(self) -> None:
        self.heard.append("parent mount")


class Child(Parent):
    def on_key(self, event: events.Key) -> None:
        self.heard.append(f"child {event.key}")

    def on_mount(self) -> None:
        self.heard.append("child mount")


async def test_a_handler_is_called_on_the_child_and_then_on_each_parent() -> None:
    widget = Child()

    class Open(App[None]):
        def compose(self) -> Iterator[Widget]:
            yield widget

    async with Open().run_test() as pilot:
        widget.focus()
        await pilot.pause()
        await pilot.press("a")
    assert widget.heard == ["child mount", "parent mount", "child a", "parent a"]


FIELDS = (
    PageField(name="one", label=Sentence("desk.field.account")),
    PageField(
        name="two", label=Sentence("desk.field.password"), kind=FieldKind.PASSWORD
    ),
    PageField(name="three", label=Sentence("desk.field.reason")),
)


class Closed(LockedApp):
    """A locked app with one page, on which a widget listens for Textual's keys."""

    def __init__(self, listener: Widget | None = None) -> None:
        super().__init__()
        page = Page(
            name="p", title="p", fields=FIELDS, action=Sentence("desk.act.close")
        )
        self.page = PageScreen(SETTINGS, page)
        self.page.turn = self.turn
        self.listener = listener

    def get_default_screen(self) -> PageScreen:
        return self.page


async def test_focus_moves_at_once() -> None:
    async with Closed().run_test() as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, PageScreen)
        first, second, _ = screen._fields
        assert screen.focused is first
        screen.focus_next()
        assert screen.focused is second
        screen.set_focus(first)
        assert screen.focused is first


async def test_no_key_reaches_a_handler_of_textual() -> None:
    listener = Child()
    async with Closed().run_test() as pilot:
        await pilot.app.screen.mount(listener)
        pilot.app.screen.set_focus(listener)
        await pilot.press("a", "enter", "tab")
    assert not [each for each in listener.heard if "mount" not in each]


@pytest.mark.parametrize(
    "report",
    [
        events.AppBlur(),
        events.MouseDown(None, 5, 12, 0, 0, 1, False, False, False),
        events.MouseUp(None, 5, 12, 0, 0, 1, False, False, False),
    ],
    ids=lambda event: type(event).__name__,
)
async def test_no_report_of_the_terminal_moves_the_focus(report: events.Event) -> None:
    async with Closed().run_test(size=Size(80, 40)) as pilot:
        screen = pilot.app.screen
        before = screen.focused
        assert before is not None
        pilot.app.post_message(report)
        await pilot.pause()
        assert screen.focused is before


async def test_what_is_pasted_refuses_the_entry() -> None:
    async with Closed().run_test() as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, PageScreen)
        await pilot.press("a")
        pilot.app.post_message(events.Paste("bcd"))
        await pilot.pause()
        field = screen._fields[0]
        assert isinstance(field, TypedField)
        assert field.typed.refusal == Sentence("tui.form.pasted")
        await pilot.press("enter")
        assert screen.focused is screen._fields[0]
