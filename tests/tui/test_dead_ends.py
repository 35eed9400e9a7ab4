"""Where a kiosk can do nothing it says whom to call, when, and what they will do."""

from __future__ import annotations

import pytest
from lab.terminal.screens import kiosk


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("1", "They ask who you are, and make the card work again."),
        ("2", "Man fragt Sie, wer Sie sind, und macht die Karte wieder benutzbar."),
        ("3", "On vous demande qui vous êtes, et on réactive la carte."),
        ("4", "Le preguntan quién es y reactivan la tarjeta."),
    ],
)
async def test_a_suspended_card_says_whom_to_call_and_what_they_do(
    key: str, said: str
) -> None:
    async with kiosk() as shown:
        await shown.pilot.press(key)
        await shown.insert("suspended")
        await shown.until("Home")
        words = " ".join(shown.text().split())
        assert said in words
        assert "extension 4711 (Mon–Fri 7–18)" in words


async def test_the_program_is_told_once_that_everything_is_loaded() -> None:
    from kiosk.simulation.demo import Demo
    from kiosk.tui.app import KioskApp, KioskParts

    told: list[bool] = []
    demo = Demo()
    settings, parts = demo.world.settings, KioskParts(demo.world)
    app = KioskApp(settings, lambda: parts, awake=lambda: told.append(True))
    try:
        async with app.run_test(size=(80, 24)) as pilot:
            for _ in range(40):
                await pilot.pause(0.05)
                if told:
                    break
            await pilot.pause(0.2)
    finally:
        demo.world.stop()
    assert told == [True]
