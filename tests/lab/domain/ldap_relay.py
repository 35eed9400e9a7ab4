"""A domain controller that lets a client sign in and then does as a test wants.

    with misbehaving(samba, Trouble("search", ANSWER, result=51)) as port: ...

Behind TLS it passes every request on to a real controller, except the one that the
trouble is about: that is answered otherwise, late, in part, or never (RFC 4511).
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum

from lab.domain.samba import SambaDomain
from lab.servers import bad_servers

_REQUESTS = {0x60: "bind", 0x63: "search", 0x66: "modify"}
_ANSWERS = {"bind": 0x61, "search": 0x65, "modify": 0x67}
_REFERRAL = 10
_UNBIND = 0x42
_LDAPS = 636
READS_ONLY = b"1.2.840.113556.1.4.1920"


class Doing(StrEnum):
    """What happens to a request instead of being passed on."""

    ANSWER = "answer"
    """It is answered with a result."""
    SILENCE = "silence"
    CUT = "cut"
    """The line is closed."""
    GARBAGE = "garbage"
    HALF = "half"
    """The answer begins and never ends."""
    FLOOD = "flood"
    """Entries come, one after the other, for ever."""
    READ_ONLY = "read only"
    """The controller calls itself one that only reads."""
    DONE_AND_SILENT = "done and silent"
    """It is done, and nobody hears of it."""


@dataclass(frozen=True)
class Trouble:
    """What ails a controller: from the nth request of a kind on."""

    request: str
    doing: Doing
    result: int = 0
    said: str = ""
    first: int = 1
    naming: bytes = b""
    """Only requests that have this in them count."""

    def __str__(self) -> str:
        number = f" {self.result}" if self.result else ""
        return f"{self.request} {self.first}: {self.doing}{number}"


@dataclass
class Record:
    """What clients did there."""

    port: int = 0
    lines: int = 0
    sent: int = 0
    """Bytes of a flood."""
    requests: Counter[str] = field(default_factory=Counter)


@contextmanager
def misbehaving(samba: SambaDomain, trouble: Trouble | None) -> Iterator[Record]:
    """Run such a controller at `localhost`."""
    record = Record()

    def handle(line: socket.socket, ended: threading.Event) -> None:
        record.lines += 1
        with _to(samba) as far:
            _pass_on(line, far, ended, trouble, record)

    protected = bad_servers.behind_tls(samba.folder / "tls", handle)
    with bad_servers.server(protected) as port:
        record.port = port
        yield record


@contextmanager
def _to(samba: SambaDomain) -> Iterator[ssl.SSLSocket]:
    context = ssl.create_default_context(cafile=samba.ca_file)
    context.check_hostname = False
    with (
        socket.create_connection((samba.address, _LDAPS)) as plain,
        context.wrap_socket(plain) as far,
    ):
        yield far


def _pass_on(
    line: socket.socket,
    far: ssl.SSLSocket,
    ended: threading.Event,
    trouble: Trouble | None,
    record: Record,
) -> None:
    counted: Counter[str] = Counter()
    buffer = b""
    while True:
        request, buffer = _message(line, buffer)
        number, kind = _number_and_tag(request)
        name = _REQUESTS.get(kind, "")
        counted[name] += trouble is None or trouble.naming in request
        record.requests[name] += 1
        if kind == _UNBIND:
            return
        if trouble is None or not _is_due(trouble, name, request, counted[name]):
            far.sendall(request)
            _send_back(line, far, number, b"")
            continue
        match trouble.doing:
            case Doing.ANSWER:
                line.sendall(answer(number, name, trouble.result, trouble.said))
            case Doing.SILENCE:
                ended.wait()
            case Doing.CUT:
                return
            case Doing.GARBAGE:
                line.sendall(b"\xff" * 64)
                ended.wait()
            case Doing.HALF:
                line.sendall(bad_servers.BEGUN_MESSAGE)
                ended.wait()
            case Doing.FLOOD:
                entry = _entry(number, "CN=x,DC=ad,DC=test", {"cn": [b"x" * 500]})
                while not ended.is_set():
                    line.sendall(entry)
                    record.sent += len(entry)
            case Doing.DONE_AND_SILENT:
                far.sendall(request)
                _message(far, b"")
                ended.wait()
            case Doing.READ_ONLY:
                far.sendall(request)
                _send_back(line, far, number, READS_ONLY)


def _is_due(trouble: Trouble, name: str, request: bytes, nth: int) -> bool:
    is_meant = name == trouble.request and trouble.naming in request
    return is_meant and nth >= trouble.first


def answer(number: int, name: str, result: int, said: str = "") -> bytes:
    """Encode a result (RFC 4511, 4.1.9), with a referral where it is one."""
    body = _tlv(0x0A, bytes((result,))) + _tlv(0x04, b"") + _tlv(0x04, said.encode())
    if result == _REFERRAL:
        body += _tlv(0xA3, _tlv(0x04, b"ldap://dc1.ad.test/DC=ad,DC=test"))
    return _tlv(0x30, _integer(number) + _tlv(_ANSWERS[name], body))


def _send_back(
    line: socket.socket, far: ssl.SSLSocket, number: int, capability: bytes
) -> None:
    """Pass on all messages that answer one request."""
    buffer = b""
    while True:
        message, buffer = _message(far, buffer)
        _, kind = _number_and_tag(message)
        if capability and kind == 0x64:
            message = _entry(number, "", {"supportedCapabilities": [capability]})
        line.sendall(message)
        if kind not in (0x64, 0x73):  # an entry, a reference: more follows
            return


def _entry(number: int, dn: str, attributes: dict[str, list[bytes]]) -> bytes:
    encoded = b"".join(
        _tlv(
            0x30,
            _tlv(0x04, name.encode())
            + _tlv(0x31, b"".join(_tlv(0x04, value) for value in values)),
        )
        for name, values in attributes.items()
    )
    body = _tlv(0x04, dn.encode()) + _tlv(0x30, encoded)
    return _tlv(0x30, _integer(number) + _tlv(0x64, body))


# --- messages ----------------------------------------------------------------


def _message(line: socket.socket, buffer: bytes) -> tuple[bytes, bytes]:
    """Return the next whole message, and what came after it. OSError."""
    while (size := _size(buffer)) is None or len(buffer) < size:
        data = line.recv(65536)
        if not data:
            raise ConnectionResetError
        buffer += data
    return buffer[:size], buffer[size:]


def _size(buffer: bytes) -> int | None:
    """Return how many bytes the message has that begins here; None: not told yet."""
    with suppress(IndexError):
        if buffer[1] < 0x80:
            return 2 + buffer[1]
        count = buffer[1] & 0x7F
        if len(buffer) >= 2 + count:
            return 2 + count + int.from_bytes(buffer[2 : 2 + count], "big")
    return None


def _number_and_tag(message: bytes) -> tuple[int, int]:
    at = 2 if message[1] < 0x80 else 2 + (message[1] & 0x7F)
    size = message[at + 1]
    end = at + 2 + size
    return int.from_bytes(message[at + 2 : end], "big"), message[end]


def _integer(number: int) -> bytes:
    return _tlv(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _tlv(tag: int, content: bytes) -> bytes:
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    digits = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(digits))) + digits + content
