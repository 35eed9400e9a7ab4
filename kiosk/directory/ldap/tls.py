"""The verified line: our own TLS context under ldap3, one deadline for each answer."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ldap3 import Connection, Tls

LARGEST_ANSWER = 16 * 1024 * 1024
"""Bytes that one answer may have, with all the entries of a page."""


_read: dict[Path | None, tuple[object, ssl.SSLContext]] = {}
"""Contexts by their file, and how that was when it was read."""
_reading = threading.Lock()

_CIPHERS = "DEFAULT:@SECLEVEL=2"
"""112 bits: no RSA or DH under 2048, no SHA-1 in signatures, whoever built OpenSSL."""


def verifying(ca_file: Path | None) -> ssl.SSLContext:
    """Return a context that verifies chain, dates, purpose and name. OSError.

    It is read once for as long as the file is the same: what a system trusts takes 50
    ms of a processor to read. None: what the system trusts. Any thread.
    """
    key = (ca_file, *_as_it_is(ca_file))
    with _reading:
        known = _read.get(ca_file)
        if known is None or known[0] != key:
            known = _read[ca_file] = (key, _verifying(ca_file))
        return known[1]


def _as_it_is(ca_file: Path | None) -> Iterator[tuple[str, int, int, int]]:
    """Tell the files from what was there before. OSError: ours is not there."""
    if ca_file is not None:
        yield _told(ca_file)
        return
    system = ssl.get_default_verify_paths()
    for place in (system.cafile, system.capath):
        with suppress(OSError):
            if place is not None:
                yield _told(Path(place))


def _told(place: Path) -> tuple[str, int, int, int]:
    found = place.stat()
    return str(place), found.st_ino, found.st_mtime_ns, found.st_size


def _verifying(ca_file: Path | None) -> ssl.SSLContext:
    """Make one. OSError.

    What it checks is said here, not by Python's version (docs/adr/0012). No revocation
    list is asked for.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_REQUIRED
    context.check_hostname = True
    context.hostname_checks_common_name = False
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    # Not VERIFY_X509_STRICT, which asks for forms, not for trust: what a Samba makes
    # for itself lacks one of them. Whatever stands in the file is trusted, root or not.
    context.verify_flags = (
        ssl.VerifyFlags.VERIFY_X509_TRUSTED_FIRST
        | ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    )
    if ca_file is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        context.load_verify_locations(cafile=ca_file)
    return context


def looking() -> ssl.SSLContext:
    """Return a context that believes anybody: to look at a certificate, no more."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


class VerifiedTls(Tls):
    """ldap3's TLS hook with a context that checks chain, dates and name.

    The name is also sent (SNI). Addresses are matched by OpenSSL against the
    certificate's IP entries, the same on every Python; ldap3's own check is not.
    """

    def __init__(self, context: ssl.SSLContext, host: str, seconds: float) -> None:
        """`seconds`: for the handshake, and for each answer after it."""
        super().__init__(validate=ssl.CERT_REQUIRED)
        self.failure: OSError | None = None
        """What the handshake failed by; ldap3 keeps only its words."""
        self._context = context
        self._host = host
        self._seconds = seconds

    def wrap_socket(self, connection: Connection, do_handshake: bool = True) -> None:  # noqa: ARG002, FBT001, FBT002 - ldap3's signature; the handshake is never left out
        """Replace `connection.socket` by a verified one. ssl.SSLError, OSError."""
        plain = connection.socket
        if isinstance(plain, TlsLine):
            plain = plain.socket
        plain.settimeout(self._seconds)
        # Without this the client's Finished waits 40 ms for an acknowledgement.
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            wrapped = self._context.wrap_socket(plain, server_hostname=self._host)
        except OSError as error:
            self.failure = error
            raise
        connection.socket = TlsLine(wrapped, self._seconds)


class TlsLine:
    """What ldap3 takes for its socket. Sending begins an exchange with one deadline.

    A socket's own timeout begins anew with every byte; this one does not. Nor does an
    answer grow without end.
    """

    def __init__(self, plain: socket.socket, seconds: float) -> None:
        self.socket = plain
        self._seconds = seconds
        self._until = 0.0
        self._left = 0

    def sendall(self, data: bytes | bytearray) -> None:
        """Send a request; its answer is due within the seconds. OSError."""
        self.next_answer()
        self.socket.settimeout(self._seconds)
        self.socket.sendall(data)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Give the next answer so long, and those after the block what they had."""
        before, self._seconds = self._seconds, seconds
        try:
            yield
        finally:
            self._seconds = before

    def next_answer(self) -> None:
        """Begin to wait for an answer: for another one, where several are due."""
        self._until = time.monotonic() + self._seconds
        self._left = LARGEST_ANSWER

    def recv(self, size: int) -> bytes:
        """Receive a part of the answer. TimeoutError, OSError, ValueError."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer did not end in time")
        if self._left <= 0:
            raise ValueError("the answer does not end")
        self.socket.settimeout(left)
        data = self.socket.recv(size)
        self._left -= len(data)
        return data

    def shutdown(self, how: int) -> None:
        """End the connection."""
        self.socket.shutdown(how)

    def close(self) -> None:
        """Give the descriptor back."""
        self.socket.close()
