"""The steps of an operation as they happen, each in words for how it stands."""

from __future__ import annotations

from textual.containers import Vertical

from kiosk.faces.glyphs import marks
from kiosk.faces.phrases import of_step
from kiosk.tui.widgets.panels import Bullet
from kiosk.visit.views import Progress, StepState, VisitStep


class StepList(Vertical):
    """One line a step, in the order they began."""

    DEFAULT_CSS = """
    StepList { height: auto; }
    StepList Bullet { margin: 0 0 1 0; }
    StepList .running { text-style: bold; }
    StepList .done .mark { color: $success; }
    StepList .failed .mark { color: $error; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[VisitStep, Bullet] = {}

    def show(self, progress: Progress) -> None:
        """Show a step that began or ended."""
        mark, text = _mark(progress.state), of_step(progress)
        known = self._lines.get(progress.step)
        if known is None:
            known = self._lines[progress.step] = Bullet(mark, text)
            self.mount(known)
        else:
            known.say(mark, text)
        known.set_classes([progress.state])


def _mark(state: StepState) -> str:
    match state:
        case StepState.RUNNING:
            return marks().running
        case StepState.DONE:
            return marks().done
        case StepState.FAILED:
            return marks().failed
