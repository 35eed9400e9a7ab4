"""Signs in with a keytab: SASL GSSAPI (RFC 4752) inside verified TLS.

The proof is bound to the certificate that TLS was made with (RFC 5929), so it is worth
nothing on another line. No layer of its own is asked for: TLS is there. The tickets
stay in this process's memory. `gssapi` is an extra and imported when it is needed.

How long Kerberos waits for its servers is not ours to say: see /etc/krb5.conf.
"""

from __future__ import annotations

import itertools
import logging
import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from kiosk.directory.ldap import codes
from kiosk.directory.values import BindResult

if TYPE_CHECKING:
    import gssapi
    from gssapi.raw.misc import GSSError

    from kiosk.directory.ldap.channel import Answer, Channel

log = logging.getLogger(__name__)

_MECHANISM = "GSSAPI"
_NO_LAYER = 1
_MOST_STEPS = 8
_number = itertools.count(1)
"""Of a store of tickets: Kerberos keeps it to the end of the process, so no other
account may ever be given one of the same name."""

_FIRST = -1765328384
"""The code from which Kerberos counts its errors (RFC 4120, 7.5.9)."""
_MEANINGS: dict[int, BindResult | str] = {
    _FIRST + 1: BindResult.ACCOUNT_EXPIRED,  # KDC_ERR_NAME_EXP
    _FIRST + 6: BindResult.WRONG_PASSWORD,  # KDC_ERR_C_PRINCIPAL_UNKNOWN
    _FIRST + 7: "no_service",  # KDC_ERR_S_PRINCIPAL_UNKNOWN
    _FIRST + 18: "revoked",  # KDC_ERR_CLIENT_REVOKED
    _FIRST + 23: BindResult.EXPIRED_PASSWORD,  # KDC_ERR_KEY_EXPIRED
    _FIRST + 24: BindResult.WRONG_PASSWORD,  # KDC_ERR_PREAUTH_FAILED
    _FIRST + 31: BindResult.WRONG_PASSWORD,  # KRB_AP_ERR_BAD_INTEGRITY
    _FIRST + 37: "clocks",  # KRB_AP_ERR_SKEW
    _FIRST + 156: "no_kdc",  # KRB5_KDC_UNREACH
    _FIRST + 181: BindResult.WRONG_PASSWORD,  # KRB5_KT_NOTFOUND: no key of this name
    _FIRST + 195: BindResult.WRONG_PASSWORD,  # KRB5_FCC_NOFILE: the same
}


class NoTicket(Exception):
    """Kerberos did not let us sign in; `why`: what a bind would say, or our word."""

    def __init__(self, why: BindResult | str) -> None:
        super().__init__(why)
        self.why = why


class Tickets:
    """What one account's keytab is good for. Any thread."""

    def __init__(self, account: str, keytab: Path | None) -> None:
        """`account` is name@domain; a bare name is one of Kerberos' default realm."""
        name, at, realm = account.partition("@")
        self._principal = f"{name}{at}{realm.upper()}"
        self.store: dict[str | bytes, str | bytes] = {
            "client_keytab": f"FILE:{keytab}",
            "ccache": f"MEMORY:pin-kiosk-{os.getpid()}-{next(_number)}",
        }
        """Where keys are found and tickets kept, in gssapi's words."""

    def sign_in(self, channel: Channel, host: str) -> Answer:
        """Bind on an open channel to the DC of that name. NoTicket, LineBroken."""
        try:
            from gssapi.raw.misc import GSSError
        except ImportError as error:
            raise NoTicket("no_kerberos") from error
        try:
            return _negotiate(channel, self._context(channel, host))
        except GSSError as error:
            log.warning("kerberos.refused major=%d minor=%d", *_numbers(error))
            raise NoTicket(_MEANINGS.get(_numbers(error)[1], "no_ticket")) from error

    def _context(self, channel: Channel, host: str) -> gssapi.SecurityContext:
        import gssapi
        from gssapi.raw import ChannelBindings

        principal = gssapi.Name(self._principal, gssapi.NameType.kerberos_principal)
        return gssapi.SecurityContext(
            name=gssapi.Name(f"ldap@{host}", gssapi.NameType.hostbased_service),
            mech=gssapi.MechType.kerberos,
            flags=gssapi.RequirementFlag.mutual_authentication,
            creds=gssapi.Credentials(
                name=principal, usage="initiate", store=self.store
            ),
            usage="initiate",
            channel_bindings=ChannelBindings(
                application_data=binding_of(channel.certificate())
            ),
        )


def binding_of(certificate: bytes) -> bytes:
    """Return `tls-server-end-point` (RFC 5929, 4.1) of a certificate (DER)."""
    algorithm = x509.load_der_x509_certificate(certificate).signature_hash_algorithm
    if algorithm is None or algorithm.name in ("md5", "sha1"):
        algorithm = hashes.SHA256()
    digest = hashes.Hash(algorithm)
    digest.update(certificate)
    return b"tls-server-end-point:" + digest.finalize()


def _negotiate(channel: Channel, context: gssapi.SecurityContext) -> Answer:
    """Exchange tokens until each side knows the other, then decline a layer."""
    token = context.step() or b""
    for _ in range(_MOST_STEPS):
        answer = channel.negotiate(_MECHANISM, token)
        if answer.result != codes.MORE_TO_NEGOTIATE:
            return answer
        if context.complete:
            token = _without_layer(context, answer.token)
        else:
            token = context.step(answer.token) or b""
    raise NoTicket("no_ticket")


def _without_layer(context: gssapi.SecurityContext, offered: bytes) -> bytes:
    """Answer what protection the DC offers: none, TLS has it (RFC 4752, 3.1)."""
    layers = context.unwrap(offered).message
    if len(layers) != struct.calcsize(">I") or not layers[0] & _NO_LAYER:
        raise NoTicket("no_ticket")
    declined: bytes = context.wrap(
        struct.pack(">I", _NO_LAYER << 24), encrypt=False
    ).message
    return declined


def _numbers(error: GSSError) -> tuple[int, int]:
    """Return major and minor status; the minor one as Kerberos counts, signed."""
    minor = error.min_code & 0xFFFFFFFF
    return error.maj_code, minor - 2**32 if minor >= 2**31 else minor
