"""How a station tells its authority how it is: once a minute while nobody is there."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

PATH = "/v1/report"
REPORT_SECONDS = 60.0
"""Between two reports of one station."""

_Part = Annotated[str, msgspec.Meta(pattern=r"^[ -~]{1,64}$(?!\n)")]


class ReaderStanding(StrEnum):
    """What a station's monitor saw last."""

    READY = "ready"
    """There is a reader."""
    NONE = "none"
    """The card service answers, and has no reader."""
    NO_SERVICE = "no_service"
    """The card service does not answer."""
    UNKNOWN = "unknown"
    """Nothing was seen yet."""


class ReportCall(msgspec.Struct, frozen=True, kw_only=True):
    """What a station sends. What a newer one says besides is not heard."""

    program: Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,40}$(?!\n)")]
    """Its version."""
    at: Annotated[float, msgspec.Meta(ge=0, le=1e11)]
    """Its clock: seconds since 1970 UTC."""
    reader: ReaderStanding
    middleware: Annotated[tuple[_Part, ...], msgspec.Meta(max_length=16)] = ()
    """Names of the vendors' modules that it has."""
    failing: Annotated[tuple[_Part, ...], msgspec.Meta(max_length=32)] = ()
    """Parts whose checks do not hold."""


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """What a station hears."""

    again_after: float
    """Seconds in which nobody wants to hear more of it."""
