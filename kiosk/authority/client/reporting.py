"""Telling the authority how this station is. What fails is logged: nobody waits."""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec

from kiosk import __version__
from kiosk.authority.client.lines import Lines
from kiosk.authority.stations.report_call import (
    PATH,
    REPORT_SECONDS,
    ReaderStanding,
    ReportCall,
)
from kiosk.core.clock import Clock
from kiosk.core.entropy import Entropy
from kiosk.core.errors import KioskError

JSON = "application/json"
_KEY_BYTES = 16
_ANSWER_SECONDS = 2.0
"""A visit that begins meanwhile waits for it."""

log = logging.getLogger(__name__)


class Reporter:
    """One station's reports. Authority worker's thread."""

    def __init__(
        self,
        lines: Lines,
        entropy: Entropy,
        clock: Clock,
        look: Callable[[], tuple[tuple[str, ...], tuple[str, ...]]],
    ) -> None:
        """`look`: returns the modules that are there, and parts that fail; quick."""
        self._lines = lines
        self._entropy = entropy
        self._clock = clock
        self._look = look
        self._next = clock.monotonic()

    def tell(self, reader: str) -> None:
        """Report, if a minute went by since the last one. Never raises."""
        now = self._clock.monotonic()
        if now < self._next:
            return
        self._next = now + REPORT_SECONDS
        middleware, failing = self._look()
        call = ReportCall(
            program=__version__,
            at=self._clock.now(),
            reader=ReaderStanding(reader),
            middleware=middleware,
            failing=failing,
        )
        key = self._entropy.bytes(_KEY_BYTES).hex()
        headers = {
            "content-type": JSON,
            "accept": JSON,
            "idempotency-key": key,
            "user-agent": f"pin-kiosk/{__version__}",
        }
        body = msgspec.json.encode(call)
        try:
            answer = self._lines.ask(
                PATH, headers, body, seconds=_ANSWER_SECONDS, within=_ANSWER_SECONDS
            )
        except KioskError as error:
            log.warning("station.not_reported code=%s", error.code)
            return
        if answer.status != 200:  # of an older authority, or one with a folder
            log.info("station.not_reported status=%d", answer.status)
