"""Where a card is worked on: whose session asks the office, and this station's own."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.authority.office.ports import Office
from kiosk.core.clock import Clock
from kiosk.core.entropy import Entropy


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """One operator's place to work on cards. Authority worker's thread."""

    office: Office
    clock: Clock
    entropy: Entropy
