"""One card in one PC/SC reader (`ports.Connection`)."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from kiosk.cards.errors import CardRemoved
from kiosk.cards.pcsc import winscard
from kiosk.cards.pcsc.pinpad import find_pad
from kiosk.cards.pcsc.translation import translated
from kiosk.cards.pcsc.winscard import PcscError
from kiosk.cards.ports import Pinpad

log = logging.getLogger(__name__)

_BUSY_TRIES = 4
_BUSY_SECONDS = 0.3
"""After an insertion another program may hold the card for a moment."""
_RESET_TRIES = 3


class PcscConnection:
    """Connected when built, sharing the card. Card worker's thread.

    The card is shared so that other programs cannot shut us out for long; a
    transaction keeps them out while it matters. Where another program has one,
    `begin` waits for its end.
    """

    def __init__(
        self, reader: str, *, events: int | None = None, use_pinpad: bool = True
    ) -> None:
        """Connect. CardRemoved, CardMute, CardBusy, ReaderGone, ServiceGone.

        `events` is the reader's event counter when the card came in: a card that has
        been exchanged since is not the one that was meant (CardRemoved). `use_pinpad`
        False: the reader counts as one without a pad.
        """
        self._reader = reader
        self._use_pinpad = use_pinpad
        self._is_open = True
        self._in_transaction = False
        self._is_held = False
        with self._translation():
            self._context = winscard.establish()
            try:
                self._handle, self._protocol = self._connect()
            except PcscError:
                winscard.release(self._context)
                raise
        if events is not None and self._events() != events:
            self.close()
            raise CardRemoved(reader=reader)

    def _events(self) -> int:
        with self._translation():
            return winscard.status(self._handle)[0]

    def _connect(self) -> tuple[int, int]:
        for _ in range(_BUSY_TRIES - 1):
            try:
                return winscard.connect(self._context, self._reader)
            except PcscError as error:
                if error.hresult != winscard.SHARING_VIOLATION:
                    raise
                time.sleep(_BUSY_SECONDS)
        return winscard.connect(self._context, self._reader)

    @property
    def reader(self) -> str:
        return self._reader

    @property
    def atr(self) -> bytes:
        with self._translation():
            return winscard.status(self._handle)[1]

    @functools.cached_property
    def pinpad(self) -> Pinpad | None:
        if not self._use_pinpad:
            return None
        return find_pad(self._handle, lambda error: translated(error, self._reader))

    def begin(self) -> None:
        with self._translation():
            self._begin()
        self._in_transaction = True

    def _begin(self) -> None:
        """Begin, taking note of resets; before a transaction they mean nothing."""
        for _ in range(_RESET_TRIES - 1):
            try:
                return winscard.begin(self._handle)
            except PcscError as error:
                if error.hresult != winscard.RESET_CARD:
                    raise
                self._protocol = winscard.reconnect(self._handle)
        return winscard.begin(self._handle)

    def hold(self) -> None:
        with self._translation():
            self._protocol = winscard.reconnect(self._handle, winscard.EXCLUSIVE)
        self._is_held = True

    def transmit(self, apdu: bytearray) -> bytearray:
        with self._translation():
            answer = winscard.transmit(self._handle, self._protocol, apdu)
        if not answer:
            # How some drivers report a card that left while it was asked.
            raise CardRemoved(reader=self._reader)
        return answer

    def end(self) -> None:
        if self._is_held:
            self._let_go()
        if not self._in_transaction:
            return
        self._in_transaction = False
        try:
            winscard.end(self._handle, winscard.RESET)
        except PcscError as error:
            log.info("pcsc.end_failed hresult=%s", error)

    def _let_go(self) -> None:
        """Share the card again, reset: by a new connection, which leaves no lock."""
        self._is_held = False
        try:
            winscard.disconnect(self._handle, winscard.RESET)
            self._handle, self._protocol = self._connect()
        except PcscError as error:
            log.info("pcsc.not_shared_again hresult=%s", error)

    def close(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        try:
            winscard.disconnect(self._handle, winscard.RESET)
        except PcscError as error:
            log.info("pcsc.disconnect_failed hresult=%s", error)
        try:
            winscard.release(self._context)
        except PcscError as error:
            log.info("pcsc.release_failed hresult=%s", error)

    @contextmanager
    def _translation(self) -> Iterator[None]:
        try:
            yield
        except PcscError as error:
            raise translated(error, self._reader) from error
