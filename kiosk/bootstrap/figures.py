"""Who hears what is counted: Prometheus where the site wants it, else nobody."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kiosk.authority.errors import (
    AuthorityBusy,
    ClocksApart,
    FailedInside,
    NotSigned,
    StationUnknown,
)
from kiosk.core.errors import KioskError
from kiosk.core.figures import UNKNOWN_CALL, UNTOLD, WELL, Figures

if TYPE_CHECKING:
    from kiosk.config.sections.station import MetricsSettings
    from kiosk.figures.prometheus import PrometheusFigures

_RUNG_FOR = (AuthorityBusy, ClocksApart, FailedInside, NotSigned, StationUnknown)
"""Problems that docs/operations/alerts.yml asks about."""

log = logging.getLogger(__name__)


@contextmanager
def figures_of(told: MetricsSettings, port: int = 0) -> Iterator[Figures]:
    """Let figures be read where the site says, for as long as the block lasts.

    `port`: what stands for {port}. A place that cannot be had, or a library that is
    not installed, is logged: nobody's visit waits for a figure.
    """
    place = told.listen.replace("{port}", str(port))
    if not place:
        yield UNTOLD
        return
    try:
        from kiosk.figures.listener import FiguresListener

        figures = prometheus()
        listener = FiguresListener(place, figures.text)
    except ImportError:
        log.error("figures.not_installed")
        yield UNTOLD
        return
    except KioskError as error:
        log.error("figures.not_read code=%s reason=%s", error.code, error.message)
        yield UNTOLD
        return
    try:
        yield figures
    finally:
        listener.close()


def prometheus() -> PrometheusFigures:
    """Return figures that tell of each call, and each problem that an alert asks about,
    from the beginning. ImportError: the library is not installed.
    """
    from kiosk.authority.wire.calls import CALLS
    from kiosk.figures.prometheus import PrometheusFigures

    results = (WELL, *(each.code for each in _RUNG_FOR))
    return PrometheusFigures((*CALLS, UNKNOWN_CALL), results)
