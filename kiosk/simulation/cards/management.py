"""The Management application of a simulated YubiKey: what Yubico's tools ask first."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.cards import status, tlv
from kiosk.simulation.cards.framing import Request, Status
from kiosk.simulation.cards.options import PivOptions

AID = bytes.fromhex("A000000527471117")
_PIV = b"\x00\x10"
"""Bit of PIV among a device's capabilities."""
_USB_SUPPORTED, _SERIAL, _USB_ENABLED, _FORM, _VERSION, _LOCK = 1, 2, 3, 4, 5, 0x0A
_NFC_SUPPORTED, _NFC_ENABLED, _RESET_BLOCKED = 0x0D, 0x0E, 0x18
_KEYCHAIN_USB_A = b"\x01"
_READ, _RESET = 0x1D, 0x1F


def greeting(options: PivOptions) -> bytes:
    """Return what SELECT answers: a sentence that ends in the firmware."""
    version = ".".join(str(number) for number in options.version)
    return f"Virtual mgr - FW version {version}".encode("ascii")


def command(options: PivOptions, request: Request, reset: Callable[[], None]) -> bytes:
    """Answer READ CONFIG, and DEVICE RESET of a Bio key, which `reset` carries out.

    Status 6D00 for anything else, also before firmware 4.1.
    """
    if request.ins == _RESET and not options.has_puk:
        reset()
        return b""
    if request.ins != _READ or options.version < b"\x04\x01":
        raise Status(status.UNKNOWN_INS)
    if request.p1:
        raise Status(status.WRONG_P1P2)
    told = {
        _USB_SUPPORTED: _PIV,
        _SERIAL: options.serial,
        _USB_ENABLED: _PIV,
        _FORM: _KEYCHAIN_USB_A,
        _VERSION: options.version,
        _LOCK: b"\0",
        _NFC_SUPPORTED: _PIV,
        _NFC_ENABLED: _PIV,
    }
    if not options.has_puk:
        told[_RESET_BLOCKED] = _PIV
    body = b"".join(tlv.pack(tag, value) for tag, value in told.items())
    return bytes((len(body),)) + body
