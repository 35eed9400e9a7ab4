"""One card in one PC/SC reader (`ports.Connection`)."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from kiosk.cards.errors import CardError, CardRemoved
from kiosk.cards.pcsc import winscard
from kiosk.cards.pcsc.pinpad import find_pad
from kiosk.cards.pcsc.translation import translated
from kiosk.cards.pcsc.winscard import PcscError
from kiosk.cards.ports import Pinpad

T = TypeVar("T")
log = logging.getLogger(__name__)

_BUSY_TRIES = 4
_BUSY_SECONDS = 0.3
"""After an insertion another program may hold the card for a moment."""
_RESET_TRIES = 3
_NOT_CONNECTED = 0
"""No handle of a card."""


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
        self._wanted = events
        self._use_pinpad = use_pinpad
        self._is_open = True
        self._handle = _NOT_CONNECTED
        self._protocol = 0
        self._in_transaction = False
        self._is_held = False
        with self._translation():
            self._context = winscard.establish()
        try:
            self._join(winscard.SHARED)
        except CardError:
            self.close()
            raise

    def _join(self, share: int) -> None:
        """Connect to the card that was meant, and to no other. As `__init__`."""
        with self._translation():
            self._handle, self._protocol = self._connect(share)
        try:
            self._must_be_wanted()
        except CardError:
            self._part(winscard.RESET)
            raise

    def _must_be_wanted(self) -> None:
        """CardRemoved for a card that came in later."""
        with self._translation():
            events, _ = self._despite_resets(winscard.status)
        if self._wanted is not None and events != self._wanted:
            raise CardRemoved(reader=self._reader)

    def _connect(self, share: int) -> tuple[int, int]:
        for _ in range(_BUSY_TRIES - 1):
            try:
                return winscard.connect(self._context, self._reader, share)
            except PcscError as error:
                if error.hresult != winscard.SHARING_VIOLATION:
                    raise
                time.sleep(_BUSY_SECONDS)
        return winscard.connect(self._context, self._reader, share)

    def _part(self, disposition: int) -> None:
        """Disconnect, if connected. Never raises: nobody needs that card any more."""
        handle, self._handle = self._handle, _NOT_CONNECTED
        if handle == _NOT_CONNECTED:
            return
        try:
            winscard.disconnect(handle, disposition)
        except PcscError as error:
            log.info("pcsc.disconnect_failed hresult=%s", error)

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
        return find_pad(
            lambda: self._handle, lambda error: translated(error, self._reader)
        )

    def begin(self) -> None:
        if self._handle == _NOT_CONNECTED:
            self._join(winscard.SHARED)
        with self._translation():
            self._despite_resets(winscard.begin)
        self._in_transaction = True

    def _despite_resets(self, call: Callable[[int], T]) -> T:
        """Call, taking note of resets; before a transaction they mean nothing."""
        for _ in range(_RESET_TRIES - 1):
            try:
                return call(self._handle)
            except PcscError as error:
                if error.hresult != winscard.RESET_CARD:
                    raise
                self._protocol = winscard.reconnect(self._handle)
        return call(self._handle)

    def hold(self) -> None:
        """By a new connection: to have one of its own, a shared one would wait until
        the last other program has let go, however long that takes.
        """
        self._part(winscard.LEAVE)
        self._join(winscard.EXCLUSIVE)
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
        self._part(winscard.RESET)
        try:
            self._join(winscard.SHARED)
        except CardError as error:
            log.info("pcsc.not_shared_again code=%s", error.code)

    def close(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        self._part(winscard.RESET)
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
