"""The kiosk cannot be left, and hands out nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from lab.terminal.screens import kiosk
from lab.terminal.watch import Watch

from kiosk.tui.widgets.secret_field import SecretField
from kiosk.visit.station import FaceSettings, Helpdesk

KEYS = (
    *("ctrl+q", "ctrl+c", "ctrl+p", "ctrl+z", "ctrl+backslash", "ctrl+s", "ctrl+d"),
    *("ctrl+x", "ctrl+v", "f1", "f10", "escape", "ctrl+o", "ctrl+l", "alt+f4"),
)


@pytest.mark.parametrize("key", KEYS)
async def test_no_key_leaves_the_idle_screen(key: str) -> None:
    async with kiosk() as shown:
        await shown.pilot.press(key)
        await shown.pilot.pause()
        assert shown.screen() == "Idle"
        assert shown.app.is_running
        assert len(shown.app.screen_stack) == 1


async def test_the_demo_has_its_own_way_out() -> None:
    async with kiosk(with_tray=True) as shown:
        assert "F10  quit" in shown.text()
        await shown.pilot.press("f10")
        await shown.until_true(lambda: shown.app._exit, "the demo to end")


async def test_no_action_of_textual_is_carried_out() -> None:
    async with kiosk() as shown:
        for action in ("quit", "screenshot", "command_palette", "suspend_process"):
            assert not shown.app.check_action(action, ())


async def test_nothing_is_copied_or_pasted() -> None:
    async with kiosk() as shown:
        await shown.insert("everyday")
        await shown.until("Home")
        await shown.pilot.press("enter")
        await shown.until("Form")
        await shown.pilot.press(*"271828", "ctrl+c", "ctrl+x", "ctrl+a", "ctrl+c")
        shown.app.copy_to_clipboard("anything")
        assert shown.app.clipboard == ""
        await shown.pilot.press("enter")
        field = shown.app.screen.query(SecretField).first()
        assert shown.app.screen.focused is field
        assert "Keys that cannot be used here: 4." in shown.text()


async def test_no_message_and_no_screen_carries_a_pin() -> None:
    seen: list[str] = []
    async with kiosk(message_hook=lambda message: seen.append(repr(message))) as shown:
        await shown.insert("everyday")
        await shown.until("Home")
        await shown.pilot.press("enter")
        await shown.until("Form")
        await shown.type("271828", "846257", "846257")
        await shown.until("Result")
        assert "846257" not in shown.text()
    messages = [text for text in seen if not text.startswith("Key(")]
    assert messages
    assert not any("846257" in text or "271828" in text for text in messages)


async def test_a_hostile_name_is_text_and_nothing_else() -> None:
    async with kiosk() as shown:
        world = shown.demo.world
        hostile = "[@click=app.quit]Eve[/] \x1b]52;c;AAAA\x07\x1b[2J\u202eevil [/nope]"
        credential = world.credential("everyday")

        def rename(tx: object) -> None:
            from msgspec.structs import replace

            tx.save_credential(replace(credential, holder=hostile))  # type: ignore[attr-defined]  # a Tx

        world.registry.run(rename)
        await shown.insert("everyday")
        await shown.until("Home")
        text = shown.text()
        assert "[@click=app.quit]Eve[/]" in text
        assert "\x1b" not in text
        assert "\u202e" not in text


async def test_an_idle_person_is_warned_then_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watch = Watch.of_idleness(monkeypatch)
    settings = FaceSettings(
        station="k",
        title="t",
        helpdesk=Helpdesk(contact="desk"),
        idle_warning_after=600.0,
        idle_wipe_after=1200.0,
    )
    async with kiosk(settings=settings) as shown:
        await shown.insert("everyday")
        await shown.until("Home")
        watch.ahead += 700
        await shown.until_true(lambda: "Press any key" in shown.text(), "the warning")
        watch.ahead += 700
        await shown.until("forgotten")
        assert "Please take your card" in shown.text()
        assert "Alice" not in shown.text()


STEERING = (
    *("TEXTUAL", "TEXTUAL_LOG", "TEXTUAL_DRIVER", "TEXTUAL_ALLOW_SIGNALS"),
    *("PYTHONINSPECT", "RICH_THEME", "FORCE_COLOR", "COLUMNS", "LINES", "ESCDELAY"),
)


def test_the_environment_cannot_steer_textual() -> None:
    code = (
        "import os, sys; from kiosk.tui.environment import harden; harden();"
        "assert 'textual' not in sys.modules; print(*os.environ)"
    )
    given = dict.fromkeys(STEERING, "1") | {"TERM": "xterm", "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-I", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=given,
    )
    left = done.stdout.split()
    assert {"TERM", "PATH"} <= set(left)
    assert not set(left) & set(STEERING)


def test_the_command_line_imports_no_screen() -> None:
    code = "import kiosk.cli, sys; print([m for m in sys.modules if 'textual' in m])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
