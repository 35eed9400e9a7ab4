"""Secrets on their way between station and authority: sealed for one call, never bare.

HPKE as in `kiosk.authority.proof.seal`. What a person typed is sealed to the
authority's key, what the authority hands out to a key that the station made for this
call. `info` binds it to direction, call, operation, the call's own name and the place
in the message: a sealed secret opens nowhere else.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from kiosk.authority.errors import ProofFailed, SealedSecretUnreadable
from kiosk.authority.proof import seal
from kiosk.core.secret import Secret

_CONTEXT = "pin-kiosk secret v1"
ASKED, ANSWERED = "asked", "answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnItsWay:
    """`codec.Sealing` for one message."""

    direction: str
    call: str
    operation: str
    key: str
    """The station's own name for the call."""
    to: bytes = b""
    """Whom to seal to: an X25519 public key, raw. Empty: no secret goes this way."""
    mine: seal.SealedOpener | None = None
    """What opens what came; None: no secret comes this way."""

    def seal(self, secret: Secret, place: int) -> str:
        """SealedSecretUnreadable: nobody could open it, so it is not written."""
        try:
            sealed = seal.sealed_for(secret, public_key=self.to, info=self._info(place))
        except ValueError:
            raise SealedSecretUnreadable from None
        return base64.b64encode(sealed).decode()

    def open(self, sealed: str, place: int) -> Secret:
        """SealedSecretUnreadable: it was not sealed for this."""
        if self.mine is None:
            raise SealedSecretUnreadable
        try:
            text = base64.b64decode(sealed, validate=True)
            return self.mine.open_for(text, info=self._info(place))
        except (ValueError, ProofFailed):
            raise SealedSecretUnreadable from None

    def _info(self, place: int) -> bytes:
        names = (self.direction, self.call, self.operation, self.key, str(place))
        return "\0".join((_CONTEXT, *names)).encode()
