"""The environment scrubbed before Textual is imported.

Textual, Rich and the terminal's size are steered by variables that are read at
import: they can log keystrokes, load code, type keys, let Ctrl+C through or freeze
the size of the window. Nothing of that reaches a kiosk.
"""

from __future__ import annotations

import os

_FAMILIES = ("TEXTUAL", "PYTHON", "RICH_", "JUPYTER_", "TTY_")
_SINGLE = frozenset({"COLUMNS", "LINES", "ESCDELAY", "FORCE_COLOR"})


def harden() -> None:
    """Delete every variable that could steer Textual, Rich or Python."""
    for name in list(os.environ):
        if name.startswith(_FAMILIES) or name in _SINGLE:
            del os.environ[name]
