"""What the kiosk asks the process that has the middleware, and what it answers.

One message is four bytes of length (big endian) and msgpack. PINs are bytearrays, so
that both sides can wipe what they have sent and read. No message shows its contents.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

LONGEST = 1 << 20
"""Bytes of a message; more is no answer of ours."""


class _Quiet(msgspec.Struct, frozen=True, kw_only=True):
    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


# --- asked -------------------------------------------------------------------


class Find(_Quiet, frozen=True, kw_only=True, tag="find"):
    """Find the token in a reader and read what needs no PIN: `TokenTold`."""

    reader: str


class VerifyTokenPin(_Quiet, frozen=True, kw_only=True, tag="verify"):
    """Log in: `TokenDone`."""

    pin: bytearray


class ChangeTokenPin(_Quiet, frozen=True, kw_only=True, tag="change"):
    """Change the user PIN, without a login: `TokenDone`."""

    old: bytearray
    new: bytearray


class Unblock(_Quiet, frozen=True, kw_only=True, tag="unblock"):
    """Set a user PIN with the PUK, in the way given at the start: `TokenDone`."""

    puk: bytearray
    new: bytearray


class Sign(_Quiet, frozen=True, kw_only=True, tag="sign"):
    """Sign `message` with the key of the certificate: `TokenDone` with the signature.

    `pin` is presented again to a key that wants it before each signature; empty: it is
    not known any more.
    """

    algorithm: str
    message: bytes
    pin: bytearray
    spki: bytes = b""
    """DER of the public key whose other half signs; empty: the certificate's."""


class MakeKey(_Quiet, frozen=True, kw_only=True, tag="make_key"):
    """Make a key pair, in place of what we have made before: `TokenDone` with its
    public key (DER SubjectPublicKeyInfo).
    """

    algorithm: str


class PutCertificate(_Quiet, frozen=True, kw_only=True, tag="put_certificate"):
    """Write the certificate of a key (both DER): `TokenDone`."""

    spki: bytes
    certificate: bytes


class Logout(_Quiet, frozen=True, kw_only=True, tag="logout"):
    """Log out and end the session: `TokenDone`."""


Request = (
    Find
    | VerifyTokenPin
    | ChangeTokenPin
    | Unblock
    | Sign
    | MakeKey
    | PutCertificate
    | Logout
)

# --- answered ----------------------------------------------------------------


class TokenTold(_Quiet, frozen=True, kw_only=True, tag="told"):
    """A token, read without a PIN."""

    library: Annotated[str, Meta(max_length=200)]
    manufacturer: Annotated[str, Meta(max_length=64)]
    model: Annotated[str, Meta(max_length=64)]
    serial: Annotated[bytes, Meta(max_length=64)]
    certificate: bytes = b""
    """DER of the authentication certificate; empty: there is none."""
    is_ours: bool = False
    """We have written that certificate."""
    tries: int = -1
    """Tries left for the user PIN; -1: not told."""
    puk_tries: int = -1
    """Tries left for what unblocks, likewise."""
    unblocks: bool = False
    """It is known how this middleware unblocks."""


class TokenDone(_Quiet, frozen=True, kw_only=True, tag="done"):
    """It worked."""

    data: bytes = b""


class TokenFailed(_Quiet, frozen=True, kw_only=True, tag="failed"):
    """It did not; `why` names an error of `failures`."""

    why: str
    tries: int = -1
    detail: Annotated[str, Meta(max_length=200)] = ""


Answer = TokenTold | TokenDone | TokenFailed

# Here, where one thread imports it: two first uses at once would end the process.
msgspec.msgpack.Decoder(Request)
msgspec.msgpack.Decoder(Answer)
