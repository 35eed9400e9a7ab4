"""News can be faster than the screen that it is for: it is shown once that is drawn."""

from __future__ import annotations

import pytest
from lab.terminal.fake_station import HOME
from lab.terminal.screens import kiosk

from kiosk.core.errors import Message
from kiosk.core.exit_codes import ExitCode
from kiosk.simulation.face_settings import SETTINGS
from kiosk.tui.locked import code_of
from kiosk.tui.screens.home import HomeScreen
from kiosk.tui.screens.progress import ProgressScreen
from kiosk.tui.screens.result import ResultScreen
from kiosk.visit.views import Outcome, Progress, Result, StepState, VisitStep


async def test_a_card_that_has_left_before_its_result_is_drawn() -> None:
    async with kiosk() as shown:
        screen = ResultScreen(
            SETTINGS,
            Result(outcome=Outcome.OUT_OF_STEP, headline=Message("card.removed")),
        )
        shown.app.push_screen(screen)
        assert not screen.is_mounted
        screen.closes_in(20)
        await shown.until("Result")
        await shown.pilot.pause()
        assert "20" in shown.text()
        assert "Enter" in shown.text()


async def test_a_step_that_begins_before_the_steps_are_drawn() -> None:
    async with kiosk() as shown:
        screen = ProgressScreen(SETTINGS)
        shown.app.push_screen(screen)
        assert not screen.is_mounted
        screen.show(Progress(VisitStep.CHECK, StepState.DONE))
        await shown.until("Progress")
        await shown.pilot.pause()
        assert "Everything is ready." in shown.text()


async def test_a_screen_on_its_way_when_the_end_was_asked_for_is_no_defect(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with kiosk() as shown:
        screen = HomeScreen(SETTINGS, HOME)
        shown.app.exit(int(ExitCode.OK))
        shown.app.push_screen(screen)
    assert "ui.broke_at_the_end NoMatches" in caplog.text
    assert code_of(shown.app, shown.app.return_value) == ExitCode.OK


async def test_a_card_that_has_left_a_screen_that_is_being_taken_away() -> None:
    """Another card came before it was drawn; what is innermost goes first."""
    async with kiosk() as shown:
        screen = ResultScreen(
            SETTINGS,
            Result(outcome=Outcome.OUT_OF_STEP, headline=Message("card.removed")),
        )
        shown.app.push_screen(screen)
        await shown.until("Result")
        await screen.query_one("#column").remove()
        screen.closes_in(20)
        await shown.pilot.pause()
        assert shown.screen() == "Result"
