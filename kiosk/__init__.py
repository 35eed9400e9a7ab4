"""Pin Kiosk: smart-card PINs at a terminal, with the directory password in step."""

from __future__ import annotations

__version__ = "0.1.0"
