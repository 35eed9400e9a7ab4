"""Python's garbage collector, kept away from what people wait for.

While a program loads, next to nothing is garbage: looking for it is most of what the
collector does until the first frame. What is loaded by then stays: looking through it
again and again took 40 to 66 ms, in front of somebody's key.
"""

from __future__ import annotations

import gc


def rest() -> None:
    """Collect nothing until `wake`. Call it before the faces are imported."""
    gc.disable()


def wake() -> None:
    """Collect again, and leave alone what there is now. UI thread."""
    gc.freeze()
    gc.enable()
