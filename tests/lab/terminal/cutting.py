"""Whether everything that a screen says is drawn."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.geometry import Region
from textual.widgets import Static


def cut(app: App[Any]) -> list[str]:
    """Return what stands in a piece of text and is not drawn there."""
    missing: list[str] = []
    for widget in app.screen.query(Static):
        if not widget.region.area:
            continue
        size = widget.outer_size
        drawn = " ".join(
            strip.text
            for strip in widget.render_lines(Region(0, 0, size.width, size.height))
        )
        together = "".join(drawn.split())
        for word in str(widget.content).split():
            if word not in together:
                missing.append(f"{word!r} of {str(widget.content)!r}")
    return missing
