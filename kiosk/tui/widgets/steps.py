"""The steps of an operation as a list that fills, each in words for how it stands."""

from __future__ import annotations

from textual.containers import Vertical

from kiosk.faces.glyphs import marks
from kiosk.faces.visit_wording import of_open_step, of_step
from kiosk.tui.widgets.panels import Bullet
from kiosk.visit.views import Progress, StepState, VisitStep


class StepList(Vertical):
    """One line a step: first what is going to happen, then how it stands."""

    DEFAULT_CSS = """
    StepList { height: auto; }
    .roomy StepList Bullet { margin: 0 0 1 0; }
    StepList .open { color: $text-muted; }
    StepList .running, StepList .long { text-style: bold; }
    StepList .done .mark { color: $success; }
    StepList .failed .mark { color: $error; }
    """

    def __init__(self, expected: tuple[VisitStep, ...] = ()) -> None:
        self._lines = {
            step: Bullet(marks().open, of_open_step(step), classes="open")
            for step in expected
        }
        super().__init__(*self._lines.values())

    def show(self, progress: Progress) -> None:
        """Show a step that began or ended."""
        mark, text = _mark(progress.state), of_step(progress)
        known = self._lines.get(progress.step)
        if known is None:
            known = self._lines[progress.step] = Bullet(mark, text)
            self.mount(known, before=self._next())
        else:
            known.say(mark, text)
        known.set_classes([progress.state])

    def _next(self) -> Bullet | None:
        """The first step that is still to come: what nobody expected stands there."""
        return next(
            (each for each in self._lines.values() if each.has_class("open")), None
        )


def _mark(state: StepState) -> str:
    match state:
        case StepState.RUNNING | StepState.LONG:
            return marks().running
        case StepState.DONE:
            return marks().done
        case StepState.FAILED:
            return marks().failed
