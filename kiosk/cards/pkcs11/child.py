"""The process that has the vendor's module: `child MODULE UNBLOCKING DESCRIPTOR`.

It answers one question after the other on the socket DESCRIPTOR until that is closed.
What the module prints goes nowhere; it dies with its parent.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.cards.pkcs11 import line
from kiosk.cards.pkcs11.messages import (
    Answer,
    ChangeTokenPin,
    Find,
    Logout,
    MakeKey,
    PutCertificate,
    Request,
    Sign,
    TokenDone,
    TokenFailed,
    Unblock,
    VerifyTokenPin,
)
from kiosk.cards.pkcs11.unblocking import Unblocking
from kiosk.cards.values import KeyAlgorithm
from kiosk.core.hardening import harden_process

if TYPE_CHECKING:
    from kiosk.cards.pkcs11.module import Module

_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Serve until the line is closed."""
    path, told, descriptor = sys.argv[1:]
    harden_process()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    _be_silent()
    with socket.socket(fileno=int(descriptor)) as connection:
        try:
            from kiosk.cards.pkcs11.module import Module
        except ImportError:
            return _refuse(connection, TokenFailed(why="no_library"))
        try:
            module = Module(Path(path), Unblocking(told))
        except Exception as error:  # noqa: BLE001 - a module may fail in any way
            return _refuse(connection, _broken(error))
        while (request := line.read(connection, Request)) is not None:
            line.write(connection, _answer(module, request))
            _wipe(request)
    return 0


def _answer(module: Module, request: Request) -> Answer:
    from kiosk.cards.pkcs11.sessions import GONE, Failure

    try:
        match request:
            case Find(reader=reader):
                return module.find(reader)
            case VerifyTokenPin(pin=pin):
                module.verify(pin)
            case ChangeTokenPin(old=old, new=new):
                module.change(old, new)
            case Unblock(puk=puk, new=new):
                module.unblock(puk, new)
            case Sign(algorithm=algorithm, message=message, pin=pin, spki=spki):
                signed = module.sign(KeyAlgorithm(algorithm), message, pin, spki)
                return TokenDone(data=signed)
            case MakeKey(algorithm=algorithm):
                return TokenDone(data=module.make_key(KeyAlgorithm(algorithm)))
            case PutCertificate(spki=spki, certificate=certificate):
                module.put_certificate(spki, certificate)
            case Logout():
                module.logout()
    except Failure as failure:
        return TokenFailed(why=failure.why, tries=failure.tries, detail=failure.detail)
    except GONE:
        return TokenFailed(why="removed")
    except Exception as error:  # noqa: BLE001 - a module may fail in any way
        return _broken(error)
    return TokenDone()


def _broken(error: Exception) -> TokenFailed:
    """Only the error's class: a module's own words may hold anything."""
    return TokenFailed(why="broken", detail=type(error).__name__)


def _refuse(connection: socket.socket, answer: TokenFailed) -> int:
    """Answer every question in the same way."""
    while line.read(connection, Request) is not None:
        line.write(connection, answer)
    return 0


def _wipe(request: Request) -> None:
    for name in request.__struct_fields__:
        value = getattr(request, name)
        if isinstance(value, bytearray):
            value[:] = bytes(len(value))


def _be_silent() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)


if __name__ == "__main__":
    sys.exit(main())
