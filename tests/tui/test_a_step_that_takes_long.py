"""While a password takes long to be set, the screen says so, and whether the card may
be taken meanwhile: whole at 80×24, in every language.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lab.terminal.cutting import cut
from lab.terminal.fake_station import form
from lab.terminal.screens import Kiosk, kiosk

from kiosk.faces import wording
from kiosk.faces.visit_wording import expected
from kiosk.faces.wording import say
from kiosk.simulation.face_settings import SETTINGS
from kiosk.texts import LANGUAGES
from kiosk.tui.screens.progress import ProgressScreen
from kiosk.visit.views import Progress, StepState, VisitStep


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    wording.speak("en")


async def long_step(shown: Kiosk, *, card_may_go: bool) -> str:
    """Let the last of a change's steps take long; return what can be read then."""
    screen = ProgressScreen(SETTINGS, expected(form()))
    shown.app.push_screen(screen)
    for step in expected(form())[:-1]:
        screen.show(Progress(step, StepState.DONE))
    password = VisitStep.PASSWORD
    screen.show(Progress(password, StepState.RUNNING))
    await shown.until("Progress")
    screen.show(Progress(password, StepState.LONG, card_may_go=card_may_go))
    await shown.pilot.pause()
    return " ".join(shown.text().split())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("card_may_go", [True, False], ids=["may go", "stays"])
async def test_all_of_it_is_on_the_screen(language: str, *, card_may_go: bool) -> None:
    wording.speak(language)
    async with kiosk() as shown:
        text = await long_step(shown, card_may_go=card_may_go)
        card = "may_go" if card_may_go else "stays"
        assert say(f"tui.step_long.card_{card}") in text
        assert not list(cut(shown.app))
        may, stay = say("tui.progress.may_take"), say("tui.progress.headline")
        assert (may in text) is card_may_go
        assert (stay in text) is not card_may_go
        assert (say("tui.key.leave_in") in text) is not card_may_go
