"""The steps of an operation as they happen, each in words for how it stands."""

from __future__ import annotations

from textual.containers import Vertical

from kiosk.tui.marks import marks
from kiosk.tui.widgets.panels import Bullet
from kiosk.tui.words import say
from kiosk.visit.views import Progress, Step, StepState


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
        self._lines: dict[Step, Bullet] = {}

    def show(self, progress: Progress) -> None:
        """Show a step that began or ended."""
        mark, text = in_words(progress)
        known = self._lines.get(progress.step)
        if known is None:
            known = self._lines[progress.step] = Bullet(mark, text)
            self.mount(known)
        else:
            known.say(mark, text)
        known.set_classes([progress.state])


def in_words(progress: Progress) -> tuple[str, str]:
    """Return a step's mark and sentence."""
    match progress.state:
        case StepState.RUNNING:
            return marks().running, say(f"tui.step.{progress.step}")
        case StepState.DONE:
            return marks().done, say(f"step.{progress.step}")
        case StepState.FAILED:
            return marks().failed, say(f"tui.step_failed.{progress.step}")
