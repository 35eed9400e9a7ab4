"""Where an error that nobody foresaw came from, without any value.

Values are left out, of variables and of the message too: `int("123456")` repeats what
it was given.
"""

from __future__ import annotations

import traceback
from pathlib import Path


def frames(error: BaseException) -> str:
    """Return an error's type and where it came through, without any value."""
    places = " < ".join(
        f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
        for frame in reversed(traceback.extract_tb(error.__traceback__))
    )
    return f"type={type(error).__name__} at={places}"
