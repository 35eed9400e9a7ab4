"""PIN pads as PC/SC part 10 describes them: features, and what a pad is told.

Pure but for `PartTenPad`, which sends through whatever reaches the reader. Numbers of
two and four bytes are in the machine's own order (part 10, §2.5), except in features.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

from kiosk.cards.apdu import wipe
from kiosk.cards.errors import (
    MalformedAnswer,
    NotSupported,
    PadCancelled,
    PadEntryFailed,
    PadMismatch,
    PadTimedOut,
    PadTooShort,
)
from kiosk.cards.values import PadCommand
from kiosk.core.secret import Secret

VERIFY_DIRECT, MODIFY_DIRECT = 0x06, 0x07
"""Features: the pad sends a command into which it puts what is typed."""
_FEATURE_BYTES = 6
_MOST_FEATURES = 64
_CONTROL_BYTES = 4

_VERIFY = struct.Struct("=BBBBBHBBHB3sI")
_MODIFY = struct.Struct("=BBBBBBBHBBBHBBB3sI")
_SECONDS = 30
"""Until the first key, and between keys."""
_ASCII_LEFT = 0x82
"""bmFormatString: positions in bytes, ASCII, justified left."""
_ENTER_KEY = 0x02
"""bEntryValidationCondition: typing ends with a key."""
_ENGLISH = 0x0409
_CONFIRM_NEW, _ASK_CURRENT = 0x01, 0x02
"""Bits of bConfirmPIN."""
_NO_PROLOGUE = bytes(3)
_FILL = 0xFF

_WRONG_STRUCTURE = 0x6B80
_FAILED: dict[int, type[PadEntryFailed]] = {
    0x6400: PadTimedOut,
    0x6401: PadCancelled,
    0x6402: PadMismatch,
    0x6403: PadTooShort,
}
"""What a reader answers in place of the card (part 10, table 3)."""

Control = Callable[[int, bytearray], bytes]
"""Sends one control command to the reader and returns its answer. CardErrors."""


def parse_features(answer: bytes) -> dict[int, int]:
    """Return feature → control code. MalformedAnswer: it is no list of features."""
    if len(answer) > _MOST_FEATURES * _FEATURE_BYTES:
        raise MalformedAnswer(object="reader features", offset=len(answer))
    found: dict[int, int] = {}
    for at in range(0, len(answer), _FEATURE_BYTES):
        entry = answer[at : at + _FEATURE_BYTES]
        if len(entry) != _FEATURE_BYTES or entry[1] != _CONTROL_BYTES:
            raise MalformedAnswer(object="reader features", offset=at)
        found.setdefault(entry[0], int.from_bytes(entry[2:], "big"))
    return found


def verify_structure(command: PadCommand) -> bytearray:
    """Return a PIN_VERIFY_STRUCTURE."""
    apdu = _apdu(command, values=1, known=None)
    return bytearray(
        _VERIFY.pack(
            _SECONDS,
            _SECONDS,
            _ASCII_LEFT,
            command.block,
            0,
            command.minimum << 8 | command.maximum,
            _ENTER_KEY,
            1,
            _ENGLISH,
            0,
            _NO_PROLOGUE,
            len(apdu),
        )
        + apdu
    )


def modify_structure(
    command: PadCommand, *, asks_current: bool = True, known: Secret | None = None
) -> bytearray:
    """Return a PIN_MODIFY_STRUCTURE; the caller wipes it, for it may hold `known`."""
    has_first = asks_current or known is not None
    apdu = _apdu(command, values=2 if has_first else 1, known=known)
    is_asked = asks_current and known is None
    try:
        return bytearray(
            _MODIFY.pack(
                _SECONDS,
                _SECONDS,
                _ASCII_LEFT,
                command.block,
                0,
                0,
                command.block if has_first else 0,
                command.minimum << 8 | command.maximum,
                _CONFIRM_NEW | (_ASK_CURRENT if is_asked else 0),
                _ENTER_KEY,
                3 if is_asked else 2,
                _ENGLISH,
                *((0, 1, 2) if is_asked else (1, 2, 0)),
                _NO_PROLOGUE,
                len(apdu),
            )
            + apdu
        )
    finally:
        wipe(apdu)


def _apdu(command: PadCommand, *, values: int, known: Secret | None) -> bytearray:
    """Return the command with room for its values; unpadded, the pad makes the room."""
    apdu = bytearray(command.header)
    if not command.block:
        if known is not None:
            raise NotSupported(what="PIN pad")
        return apdu + b"\0"
    apdu.append(values * command.block)
    at = len(apdu)
    apdu += bytes((_FILL,)) * (values * command.block)
    if known is not None:
        if len(known) > command.block:
            raise NotSupported(what="PIN pad")
        apdu[at : at + len(known)] = known.reveal()
    return apdu


class PartTenPad:
    """`ports.Pinpad` of a reader that has these features. Card worker's thread."""

    def __init__(self, features: Mapping[int, int], control: Control) -> None:
        self._features = features
        self._control = control

    def verify(self, command: PadCommand) -> int:
        return self._send(VERIFY_DIRECT, verify_structure(command))

    def modify(
        self,
        command: PadCommand,
        *,
        asks_current: bool = True,
        known: Secret | None = None,
    ) -> int:
        structure = modify_structure(command, asks_current=asks_current, known=known)
        return self._send(MODIFY_DIRECT, structure)

    def _send(self, feature: int, structure: bytearray) -> int:
        """Send once, whatever comes back."""
        try:
            code = self._features.get(feature)
            if code is None:
                raise NotSupported(what="PIN pad")
            answer = self._control(code, structure)
        finally:
            wipe(structure)
        if len(answer) < 2:
            raise MalformedAnswer(object="PIN pad", offset=len(answer))
        return _judged(int.from_bytes(answer[-2:], "big"))


def _judged(sw: int) -> int:
    if sw in _FAILED:
        raise _FAILED[sw]
    if sw == _WRONG_STRUCTURE:
        raise NotSupported(what="PIN pad")
    return sw


def pad_of(features: Mapping[int, int], control: Control) -> PartTenPad | None:
    """Return a reader's pad; None: it cannot do both, verify and modify."""
    has_pad = VERIFY_DIRECT in features and MODIFY_DIRECT in features
    return PartTenPad(features, control) if has_pad else None
