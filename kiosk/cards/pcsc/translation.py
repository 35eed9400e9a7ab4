"""PC/SC's errors as ours, translated once, at the border."""

from __future__ import annotations

from kiosk.cards.errors import (
    CardBusy,
    CardError,
    CardMute,
    CardRemoved,
    ReaderGone,
    ServiceDenied,
    ServiceGone,
)
from kiosk.cards.pcsc.winscard import DENIED, PcscError

_REMOVED = frozenset({0x8010000C, 0x80100016, 0x80100068, 0x80100069})
"""No card; not transacted (pulled in the middle); reset by somebody; removed."""
_MUTE = frozenset({0x8010000F, 0x80100066, 0x80100067})
"""No common protocol; unresponsive; unpowered."""
_READER = frozenset({0x80100009, 0x80100017, 0x8010002E})
"""Unknown reader; reader unavailable; no readers."""
_SERVICE = frozenset(
    {0x80100003, 0x80100012, 0x80100013, 0x8010001D, 0x8010001E, 0x8010002F}
)
"""Invalid handle (the service was restarted); cancelled by the system; communication
error; no service; service stopped; communication lost.
"""
_BUSY = frozenset({0x8010000B})
"""Sharing violation."""


def translated(error: PcscError, reader: str) -> CardError:
    """Return what a failed call on a card in `reader` means."""
    hresult = error.hresult
    if hresult in _REMOVED:
        return CardRemoved(reader=reader)
    if hresult in _MUTE:
        return CardMute(reader=reader)
    if hresult in _READER:
        return ReaderGone(reader=reader)
    if hresult == DENIED:
        return ServiceDenied()
    if hresult in _SERVICE:
        return ServiceGone()
    if hresult in _BUSY:
        return CardBusy(reader=reader)
    return CardError(reader=reader, hresult=f"{hresult:08X}")
