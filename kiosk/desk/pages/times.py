"""Times as people read them."""

from __future__ import annotations

import datetime


def moment(at: float) -> str:
    """Return a time as people read it, in this machine's zone."""
    local = datetime.datetime.fromtimestamp(at, datetime.UTC).astimezone()
    return local.strftime("%Y-%m-%d %H:%M")
