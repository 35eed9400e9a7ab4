"""A vendor's middleware made of software, for cards that nothing else speaks to.

It stands where the process with the real module does (`pkcs11.process`): the same
questions, the same answers, and the card behind it gets APDUs as OpenSC's driver for
IDPrime sends them. Like the real ones it tells of tries "final" and "locked" only.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable

from kiosk.cards import status, tlv
from kiosk.cards.apdu import Command, Response, send
from kiosk.cards.errors import CardError, ModuleFailed
from kiosk.cards.pkcs11.card import Pkcs11Card
from kiosk.cards.pkcs11.messages import (
    Answer,
    ChangeTokenPin,
    Find,
    Logout,
    Request,
    Sign,
    TokenDone,
    TokenFailed,
    TokenTold,
    VerifyTokenPin,
)
from kiosk.cards.ports import Card, Connection
from kiosk.cards.values import KeyAlgorithm
from kiosk.simulation.cards import idprime

MODULE = "simulated middleware"
_PIN = 0x11
_SHA256_RSA = 0x42
_DIGEST = 0x90
_FINAL = 1
_RECORD = 21
"""Bytes of one record of the index, after its count."""


class _Refused(Exception):
    """The card has answered: `answer` says it as the module would."""

    def __init__(self, answer: TokenFailed) -> None:
        super().__init__(answer.why)
        self.answer = answer


class SimulatedMiddleware:
    """`pkcs11.process.Middleware` on one card. Card worker's thread."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        """`connect` is called once, when the card is first asked."""
        self._connect = connect
        self._connection: Connection | None = None
        self._is_open = False

    def ask(self, request: Request) -> Answer:
        try:
            return self._answer(request)
        except _Refused as refused:
            self._end()
            return refused.answer
        except CardError:
            self._end()
            return TokenFailed(why="removed")

    def failed(self, why: str) -> ModuleFailed:
        self.close()
        return ModuleFailed(module=MODULE, why=why)

    def close(self) -> None:
        self._end()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    # --- asked --------------------------------------------------------------------

    def _answer(self, request: Request) -> Answer:
        match request:
            case Find():
                self._end()
                self._begin()
                told = self._told()
                self._end()
                return told
            case VerifyTokenPin(pin=pin):
                self._begin()
                self._compare(0x20, pin)
            case ChangeTokenPin(old=old, new=new):
                self._end()
                self._begin()
                self._compare(0x24, old + new)
                self._end()
            case Sign(algorithm=KeyAlgorithm.RSA_2048, message=message):
                return TokenDone(data=self._sign(message))
            case Logout():
                self._end()
            case _:
                return TokenFailed(why="not_supported", detail=MODULE)
        return TokenDone()

    def _told(self) -> TokenTold:
        return TokenTold(
            library=MODULE,
            manufacturer="Gemalto",
            model="IDPrime MD",
            serial=idprime.serial_number(self._file(idprime.CARD_ID)),
            certificate=self._certificate(),
            tries=self._tries(),
        )

    def _tries(self) -> int:
        left = status.tries_of(self._send(Command(0x20, 0x00, _PIN)).sw)
        return left if left is not None and left <= _FINAL else -1

    def _compare(self, ins: int, data: bytearray) -> None:
        """Send what costs a try; the last one is never spent."""
        if (known := self._tries()) >= 0:
            raise _Refused(TokenFailed(why="last_try" if known else "pin_blocked"))
        response = self._send(Command(ins, 0x00, _PIN, data, compares=True))
        if response.is_ok:
            return
        left = status.tries_of(response.sw)
        if left is None:
            raise _Refused(TokenFailed(why="pin_refused"))
        wrong = TokenFailed(why="wrong_pin", tries=left if left <= _FINAL else -1)
        raise _Refused(wrong if left else TokenFailed(why="pin_blocked"))

    def _sign(self, message: bytes) -> bytes:
        reference = min(idprime.KEY_REFERENCES)
        chosen = tlv.pack(0x80, bytes((_SHA256_RSA,)))
        chosen += tlv.pack(0x84, bytes((reference,)))
        digest = tlv.pack(_DIGEST, hashlib.sha256(message).digest())
        self._must(Command(0x22, 0x41, 0xB6, chosen))
        self._must(Command(0x2A, 0x90, 0xA0, digest, le=0))
        return self._must(Command(0x2A, 0x9E, 0x9A, le=0)).data

    # --- the card -----------------------------------------------------------------

    def _begin(self) -> None:
        """Open a transaction and SELECT; it lasts while somebody is logged in."""
        if self._is_open:
            return
        if self._connection is None:
            self._connection = self._connect()
        self._connection.begin()
        self._is_open = True
        if not self._send(Command(0xA4, 0x04, 0x00, idprime.AID, le=0)).is_ok:
            raise _Refused(TokenFailed(why="unknown"))

    def _end(self) -> None:
        if self._is_open and self._connection is not None:
            self._connection.end()
        self._is_open = False

    def _send(self, command: Command) -> Response:
        if self._connection is None:
            raise _Refused(TokenFailed(why="not_verified"))
        return send(self._connection, command)

    def _must(self, command: Command) -> Response:
        response = self._send(command)
        if not response.is_ok:
            raise _Refused(TokenFailed(why="not_verified"))
        return response

    def _file(self, number: int) -> bytes:
        """Read a whole file; empty: there is none."""
        name = number.to_bytes(2, "big")
        selected = self._send(Command(0xA4, 0x00, 0x00, name, le=0))
        if not selected.is_ok:
            return b""
        header = tlv.need(selected.data, 0x6F, "file")
        size = int.from_bytes(tlv.need(header, 0x81, "file"), "big")
        read = bytearray()
        while len(read) < size:
            at = len(read)
            part = self._must(Command(0xB0, at >> 8, at & 0xFF, le=0)).data
            read += part
        return bytes(read)

    def _certificate(self) -> bytes:
        """Return the DER certificate that the index names; empty: none."""
        index = self._file(idprime.INDEX)
        if len(index) < 1 + _RECORD:
            return b""
        packed = self._file(int.from_bytes(index[1:3], "big"))
        return zlib.decompress(packed[4:]) if packed else b""


def middleware_card(
    connect: Callable[[], Connection], *, reader: str, insertion: int
) -> Card:
    """Return a card as the middleware shows it (`any_card.MakeCard`)."""
    middleware = SimulatedMiddleware(connect)
    return Pkcs11Card(middleware, reader=reader, insertion=insertion)
