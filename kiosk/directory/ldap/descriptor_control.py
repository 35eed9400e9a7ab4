"""The control by which owner and DACL of an object come, and no SACL.

LDAP_SERVER_SD_FLAGS_OID (MS-ADTS 3.1.1.3.4.1.11): without it a DC leaves out the whole
descriptor for those who may not read the SACL. Critical: refused rather than left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from ldap3.protocol.microsoft import security_descriptor_control

from kiosk.directory.ldap.ber import BOOLEAN, INTEGER, OCTETS, SEQUENCE, tlv

_OID = b"1.2.840.113556.1.4.801"
_OWNER_AND_DACL = 0x1 | 0x4
_CONTROLS = 0xA0

ENCODED = bytes(
    tlv(
        _CONTROLS,
        tlv(
            SEQUENCE,
            tlv(OCTETS, _OID),
            tlv(BOOLEAN, b"\xff"),
            tlv(OCTETS, tlv(SEQUENCE, tlv(INTEGER, bytes((_OWNER_AND_DACL,))))),
        ),
    )
)
"""As a message has it (RFC 4511, 4.1.11)."""


def for_ldap3() -> Sequence[object]:
    """Return it as ldap3 takes it."""
    control: Sequence[object] = security_descriptor_control(
        criticality=True, sdflags=_OWNER_AND_DACL
    )
    return control
