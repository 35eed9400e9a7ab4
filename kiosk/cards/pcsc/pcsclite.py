"""Listing readers and waiting for them, by the bytes of their names (libpcsclite).

pyscard reads names as UTF-8 and takes only ASCII when it waits, and one reader that is
called otherwise keeps it from every other. On Linux these two calls are made directly;
a byte that is no UTF-8 becomes a surrogate (PEP 383), and comes back as that byte.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Mapping

LIBRARY = "libpcsclite.so.1"
NO_ROOM = 0x80100008
"""SCARD_E_INSUFFICIENT_BUFFER."""
_MOST_REPEATS = 3
_MOST_ATR_BYTES = 33
_LONG = ctypes.c_ulong
"""What pcsclite calls DWORD and SCARDCONTEXT."""


class _ReaderState(ctypes.Structure):
    """SCARD_READERSTATE."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("user_data", ctypes.c_void_p),
        ("known", _LONG),
        ("state", _LONG),
        ("atr_bytes", _LONG),
        ("atr", ctypes.c_ubyte * _MOST_ATR_BYTES),
    )


@functools.cache
def is_installed() -> bool:
    """The library can be loaded."""
    try:
        _library()
    except OSError:
        return False
    return True


@functools.cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(LIBRARY)


def list_readers(context: int) -> tuple[int, tuple[str, ...]]:
    """Return PC/SC's result and the names of all readers.

    The size is asked first: a reader that comes in between does not fit, and both are
    asked again.
    """
    result, names = _listed(context)
    for _ in range(_MOST_REPEATS):
        if result & 0xFFFFFFFF != NO_ROOM:
            break
        result, names = _listed(context)
    return result, names


def _listed(context: int) -> tuple[int, tuple[str, ...]]:
    call = _library().SCardListReaders
    size = _LONG(0)
    result = call(_LONG(context), None, None, ctypes.byref(size))
    if result:
        return result, ()
    names = ctypes.create_string_buffer(max(1, size.value))
    result = call(_LONG(context), None, names, ctypes.byref(size))
    if result:
        return result, ()
    found = names.raw[: size.value].split(b"\0")
    return 0, tuple(_text(name) for name in found if name)


def status_change(
    context: int, milliseconds: int, known: Mapping[str, int]
) -> tuple[int, dict[str, int]]:
    """Return PC/SC's result and each reader's state, after a change or that time."""
    states = (_ReaderState * len(known))()
    for state, (name, value) in zip(states, known.items(), strict=True):
        state.name = _bytes(name)
        state.known = value
    result = _library().SCardGetStatusChange(
        _LONG(context), _LONG(milliseconds), states, _LONG(len(known))
    )
    told = {name: int(state.state) for name, state in zip(known, states, strict=True)}
    return result, told


def is_connectable(name: str) -> bool:
    """Say whether pyscard can connect to a reader that is called so."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
