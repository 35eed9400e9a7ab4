"""Which step of several a page is: all of them on one line."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from kiosk.desk.views import Flow
from kiosk.faces.glyphs import marks
from kiosk.faces.wording import said

_BETWEEN = "   "


class FlowLine(Static):
    """What is done, where somebody is, and what is to come; each has its mark."""

    DEFAULT_CSS = "FlowLine { height: auto; margin: 0 0 1 0; }"

    def __init__(self, flow: Flow | None) -> None:
        super().__init__("", markup=False)
        self.show(flow)

    def show(self, flow: Flow | None) -> None:
        """Show where somebody is now; None: nothing is shown."""
        self.display = flow is not None
        if flow is not None:
            steps = [_drawn(flow, at) for at in range(len(flow.steps))]
            self.update(Content(_BETWEEN).join(steps))


def _drawn(flow: Flow, at: int) -> Content:
    name = said(flow.steps[at])
    if at < flow.at:
        return Content(f"{marks().done} {name}")
    if at > flow.at:
        return Content.styled(f"{marks().open} {name}", "$text-muted")
    return Content.styled(f"{marks().pointer} {name}", "bold")
