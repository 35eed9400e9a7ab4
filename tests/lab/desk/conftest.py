"""The fixtures of `lab.desk`."""

from __future__ import annotations

from lab.desk.typed_commands import _terminal as _terminal
