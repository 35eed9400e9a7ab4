"""Small pieces that only show: the frame of a screen, rules, tries, steps."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from kiosk.cards.ports import Tries
from kiosk.pinrules import PinRules, Verdict
from kiosk.tui.words import say
from kiosk.visit.views import Progress, Step, StepState


def line(text: str, *, classes: str = "") -> Static:
    """Return a piece of text that is never read as markup."""
    return Static(text, classes=classes, markup=False)


class TopBar(Horizontal):
    """The site's title and the station's name."""

    DEFAULT_CSS = """
    TopBar { height: 1; dock: top; background: $primary; color: $text; }
    TopBar .title { width: 1fr; padding: 0 2; text-style: bold; }
    TopBar .station { width: auto; padding: 0 2; }
    """

    def __init__(self, title: str, station: str) -> None:
        super().__init__()
        self._title, self._station = title, station

    def compose(self) -> ComposeResult:
        yield line(self._title, classes="title")
        yield line(self._station, classes="station")


class KeyBar(Static):
    """The keys that work on this screen."""

    DEFAULT_CSS = """
    KeyBar { height: 1; dock: bottom; background: $panel; padding: 0 2; }
    """

    def __init__(self, *keys: tuple[str, str]) -> None:
        pieces = [f"{key}  {say(text)}" for key, text in keys]
        super().__init__("     ".join(pieces), markup=False)


class TriesLine(Static):
    """How many tries are left, in words."""

    def __init__(self, tries: Tries) -> None:
        if tries.left is None:
            text = say("tui.tries.unknown")
        elif tries.left == 0:
            text = say("tui.tries.none")
        else:
            text = say("tui.tries.left", left=tries.left)
        super().__init__(text, markup=False, classes="tries")


class RuleList(Static):
    """Every rule with a word and a mark, live."""

    def show(self, rules: PinRules, verdicts: tuple[Verdict, ...]) -> None:
        """Show how the typed value stands to each rule."""
        lines = [Content.styled(say("tui.rules"), "bold")]
        for verdict in verdicts:
            mark, style = ("✓", "bold") if verdict.holds else ("·", "dim")
            text = say(
                f"rule.{verdict.rule}", minimum=rules.minimum, maximum=rules.maximum
            )
            lines.append(Content.styled(f" {mark} {text}", style))
        self.update(Content("\n").join(lines))


_MARKS = {StepState.RUNNING: "…", StepState.DONE: "✓", StepState.FAILED: "✗"}


class StepList(Vertical):
    """The steps of an operation as they happen."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[Step, Static] = {}

    def show(self, progress: Progress) -> None:
        """Show a step that began or ended."""
        mark = _MARKS[progress.state]
        state = say(f"tui.step_state.{progress.state}")
        text = f"  {mark}  {say(f'tui.step.{progress.step}')}  —  {state}"
        known = self._lines.get(progress.step)
        if known is None:
            known = self._lines[progress.step] = line(text)
            self.mount(known)
        else:
            known.update(Content(text))
