"""Write the service's document anew, where it is kept: `python -m scripts.openapi`."""

from __future__ import annotations

from pathlib import Path

from kiosk.authority.service.openapi import document

PLACE = Path(__file__).parents[1] / "docs" / "openapi.json"

if __name__ == "__main__":
    PLACE.write_bytes(document())
