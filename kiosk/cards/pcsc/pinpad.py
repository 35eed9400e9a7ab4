"""Finding a reader's PIN pad, through SCardControl (PC/SC part 10)."""

from __future__ import annotations

import logging
from collections.abc import Callable

from kiosk.cards.errors import CardError, MalformedAnswer
from kiosk.cards.pcsc import winscard
from kiosk.cards.pcsc.winscard import PcscError
from kiosk.cards.pinpad import PartTenPad, pad_of, parse_features

log = logging.getLogger(__name__)


def find_pad(
    handle: Callable[[], int], translate: Callable[[PcscError], CardError]
) -> PartTenPad | None:
    """Return the pad of a connected reader; None: it has none, or tells nonsense.

    `handle` is asked for each time: a card is connected to anew. `translate` makes the
    errors of later commands ours.
    """

    def control(code: int, data: bytearray) -> bytes:
        try:
            return winscard.control(handle(), code, data)
        except PcscError as error:
            raise translate(error) from error

    try:
        return pad_of(features_of(handle()), control)
    except PcscError as error:
        log.info("pcsc.no_features hresult=%s", error)
    except MalformedAnswer as error:
        log.warning("pcsc.features_malformed offset=%s", error.data["offset"])
    return None


def features_of(handle: int) -> dict[int, int]:
    """Return what the reader can do beside APDUs. PcscError, MalformedAnswer."""
    answer = winscard.control(handle, winscard.features_code(), bytearray())
    return parse_features(answer)
