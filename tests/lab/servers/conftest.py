"""The fixtures of `lab.servers`."""

from __future__ import annotations

from lab.servers.reaches import lines_closed as lines_closed
