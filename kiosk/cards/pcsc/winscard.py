"""The few PC/SC calls we make, typed; each raises PcscError unless it succeeds.

pyscard is imported when the first context is established. Without libpcsclite it
would print a line to stdout and fail later, so the library is looked for first.
"""

from __future__ import annotations

import sys
from typing import Any

from kiosk.cards.pcsc import pcsclite

LEAVE, RESET = 0, 1
"""Dispositions of SCardEndTransaction and SCardDisconnect."""

EXCLUSIVE, SHARED = 1, 2
"""Share modes."""

EMPTY, PRESENT, MUTE = 0x0010, 0x0020, 0x0200
GONE = 0x0004 | 0x0008
"""SCARD_STATE_UNKNOWN or UNAVAILABLE: the reader is no longer there."""
_CHANGED = 0x0002

NO_SERVICE = 0x8010001D
TIMEOUT = 0x8010000A
CANCELLED = 0x80100002
UNKNOWN_READER = 0x80100009
NO_READERS = 0x8010002E
SHARING_VIOLATION = 0x8010000B
RESET_CARD = 0x80100068
DENIED = 0x8010006A
"""Security violation: polkit does not let this user use the service."""
_GET_FEATURES = 3400
"""CM_IOCTL_GET_FEATURE_REQUEST (PC/SC part 10)."""
_IS_LINUX = sys.platform.startswith("linux")


def events_of(state: int) -> int:
    """Return how often cards came and went, as a reader's state counts it."""
    return state >> 16 & 0xFFFF


class PcscError(Exception):
    """A PC/SC call failed with `hresult` (unsigned)."""

    def __init__(self, hresult: int) -> None:
        super().__init__(f"{hresult:08X}")
        self.hresult = hresult

    @property
    def reason(self) -> str:
        """What the library calls it, in English, for logs and doctors."""
        try:
            return f"{_scard().SCardGetErrorMessage(self.hresult)} ({self})"
        except PcscError:
            return f"{pcsclite.LIBRARY} is missing ({self})"


def _scard() -> Any:
    """Return pyscard's thin layer. PcscError(NO_SERVICE) without the library."""
    if _IS_LINUX and not pcsclite.is_installed():
        raise PcscError(NO_SERVICE)
    import smartcard.scard

    return smartcard.scard


def _checked(hresult: int) -> None:
    unsigned = hresult & 0xFFFFFFFF
    if unsigned:
        raise PcscError(unsigned)


# --- contexts and readers -----------------------------------------------------


def establish() -> int:
    """Return a new context; `release` it."""
    scard = _scard()
    hresult, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    _checked(hresult)
    return int(context)


def release(context: int) -> None:
    """Give a context back."""
    _checked(_scard().SCardReleaseContext(context))


def cancel(context: int) -> None:
    """End a `status_change` that waits; any thread."""
    _checked(_scard().SCardCancel(context))


def list_readers(context: int) -> tuple[str, ...]:
    """Return the names of all readers."""
    if _IS_LINUX:
        hresult, names = pcsclite.list_readers(context)
    else:
        hresult, names = _scard().SCardListReaders(context, [])
    if hresult & 0xFFFFFFFF == NO_READERS:
        return ()
    _checked(hresult)
    return tuple(names)


def status_change(
    context: int, seconds: float, known: dict[str, int]
) -> dict[str, int]:
    """Wait until a reader's state is no longer the known one; return all states.

    After `seconds` without a change, returns the states as they are.
    """
    milliseconds = int(seconds * 1000)
    if _IS_LINUX:
        hresult, states = pcsclite.status_change(context, milliseconds, known)
    else:
        hresult, told = _scard().SCardGetStatusChange(
            context, milliseconds, list(known.items())
        )
        states = {name: state for name, state, _atr in told}
    if hresult & 0xFFFFFFFF == TIMEOUT:
        return known
    _checked(hresult)
    return {name: state & ~_CHANGED for name, state in states.items()}


# --- cards ----------------------------------------------------------------------


def connect(context: int, reader: str, share: int) -> tuple[int, int]:
    """Connect, sharing the card or not; return handle and protocol."""
    scard = _scard()
    hresult, handle, protocol = scard.SCardConnect(
        context,
        reader,
        share,
        scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1,
    )
    _checked(hresult)
    return int(handle), int(protocol)


def reconnect(handle: int) -> int:
    """Take note of a reset by somebody; return the protocol."""
    scard = _scard()
    hresult, protocol = scard.SCardReconnect(
        handle, SHARED, scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1, LEAVE
    )
    _checked(hresult)
    return int(protocol)


def status(handle: int) -> tuple[int, bytes]:
    """Return the reader's event counter and the card's answer to reset."""
    hresult, _reader, state, _protocol, atr = _scard().SCardStatus(handle)
    _checked(hresult)
    return events_of(state), bytes(atr)


def begin(handle: int) -> None:
    """Begin a transaction; waits while another program has one."""
    _checked(_scard().SCardBeginTransaction(handle))


def end(handle: int, disposition: int) -> None:
    """End the transaction."""
    _checked(_scard().SCardEndTransaction(handle, disposition))


def as_t0(apdu: bytearray) -> list[int]:
    """Return a short APDU as T=0 carries it (ISO/IEC 7816-3 §12.2).

    There is one length byte: of the data, or of the answer. What a command with data
    answers is announced by 61xx. Readers that leave TPDUs to us do not see to it.
    """
    sent = list(apdu)
    if len(sent) == 4:
        sent.append(0)
    elif len(sent) > 5 and len(sent) == 6 + sent[4]:
        sent.pop()
    return sent


def transmit(handle: int, protocol: int, apdu: bytearray) -> bytearray:
    """Send a command; return data and status word.

    pyscard wants lists of integers: the ones made here are overwritten.
    """
    scard = _scard()
    is_t0 = protocol == scard.SCARD_PROTOCOL_T0
    header = scard.SCARD_PCI_T0 if is_t0 else scard.SCARD_PCI_T1
    sent = as_t0(apdu) if is_t0 else list(apdu)
    received: list[int] = []
    try:
        hresult, received = scard.SCardTransmit(handle, header, sent)
        _checked(hresult)
        return bytearray(received)
    finally:
        sent[:] = [0] * len(sent)
        received[:] = [0] * len(received)


def control(handle: int, code: int, data: bytearray) -> bytes:
    """Send a control command to the reader; return its answer.

    As with `transmit`, the lists made here are overwritten.
    """
    sent = list(data)
    received: list[int] = []
    try:
        hresult, received = _scard().SCardControl(handle, code, sent)
        _checked(hresult)
        return bytes(received)
    finally:
        sent[:] = [0] * len(sent)
        received[:] = [0] * len(received)


def features_code() -> int:
    """Return the control code that asks a reader for its features."""
    return int(_scard().SCARD_CTL_CODE(_GET_FEATURES))


def disconnect(handle: int, disposition: int) -> None:
    """Let go of the card."""
    _checked(_scard().SCardDisconnect(handle, disposition))
