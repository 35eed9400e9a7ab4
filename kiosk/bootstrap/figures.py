"""Who hears what is counted: Prometheus where the site wants it, else nobody."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kiosk.core.errors import KioskError
from kiosk.core.figures import UNTOLD, Figures

if TYPE_CHECKING:
    from kiosk.config.sections.station import MetricsSettings

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
        from kiosk.figures.prometheus import PrometheusFigures

        figures = PrometheusFigures()
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
