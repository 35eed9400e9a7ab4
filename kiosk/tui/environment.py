"""The environment scrubbed before Textual is imported.

Textual reads switches at import: they can log keystrokes, load code, type keys or
let Ctrl+C through (facts of 8.2.8). Nothing of that reaches a kiosk.
"""

from __future__ import annotations

import os

_KEPT = frozenset({"TERM", "COLORTERM", "NO_COLOR", "LANG", "LC_ALL", "PATH", "HOME"})
_DROPPED = ("TEXTUAL", "PYTHON", "RICH_")


def harden() -> None:
    """Delete every variable that could steer Textual, Rich or Python."""
    for name in list(os.environ):
        if name not in _KEPT and name.startswith(_DROPPED):
            del os.environ[name]
