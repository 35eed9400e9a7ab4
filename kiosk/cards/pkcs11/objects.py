"""Keys and certificates that are made on a token: in a session with its user's PIN.

What we make has our label, so that what an earlier attempt left is found and removed,
and nothing else is. The public key says which key is meant: never a CKA_ID alone.
"""

from __future__ import annotations

from typing import Any

import pkcs11
from pkcs11 import Attribute, KeyType, ObjectClass

from kiosk.cards.values import KeyAlgorithm

LABEL = "PIN kiosk"
_RSA_BITS = {
    KeyAlgorithm.RSA_2048: 2048,
    KeyAlgorithm.RSA_3072: 3072,
    KeyAlgorithm.RSA_4096: 4096,
}
_CURVES = {
    KeyAlgorithm.P256: bytes.fromhex("06082A8648CE3D030107"),
    KeyAlgorithm.P384: bytes.fromhex("06052B81040022"),
}
"""Named curves as CKA_EC_PARAMS has them (DER object identifiers)."""
_OCTET_STRING = 0x04
_HIGHEST_ID = 0x7F
_KEYS = (ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY)


def can_make(algorithm: KeyAlgorithm) -> bool:
    """Say whether keys of that kind can be asked for at all."""
    return algorithm in _RSA_BITS or algorithm in _CURVES


def clear(session: pkcs11.Session) -> None:
    """Remove what has our label: an attempt that did not end, or a retired card's."""
    for each in list(session.get_objects({Attribute.LABEL: LABEL})):
        each.destroy()


def label_of(each: Any) -> str:
    """Return an object's CKA_LABEL; empty: it has none, or none that can be read."""
    try:
        return str(each[Attribute.LABEL])
    except (pkcs11.exceptions.PKCS11Error, UnicodeDecodeError, LookupError):
        return ""


def make_key(session: pkcs11.Session, algorithm: KeyAlgorithm) -> bytes:
    """Make a key pair that never leaves; return its DER SubjectPublicKeyInfo."""
    told: dict[str, Any] = {
        "id": _free_id(session),
        "label": LABEL,
        "store": True,
        "capabilities": pkcs11.MechanismFlag.SIGN | pkcs11.MechanismFlag.VERIFY,
    }
    if algorithm in _RSA_BITS:
        public, _ = session.generate_keypair(KeyType.RSA, _RSA_BITS[algorithm], **told)
    else:
        curve = {Attribute.EC_PARAMS: _CURVES[algorithm]}
        parameters = session.create_domain_parameters(KeyType.EC, curve, local=True)
        public, _ = parameters.generate_keypair(**told)
    return spki_of(public)


def put_certificate(session: pkcs11.Session, spki: bytes, der: bytes) -> None:
    """Write the certificate of a key, beside it. LookupError: there is no such key."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    certificate = x509.load_der_x509_certificate(der)
    serial = certificate.serial_number
    identifier = identifier_of(session, spki)
    session.create_object(
        {
            Attribute.CLASS: ObjectClass.CERTIFICATE,
            Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
            Attribute.TOKEN: True,
            Attribute.PRIVATE: False,
            Attribute.LABEL: LABEL,
            Attribute.ID: identifier,
            Attribute.SUBJECT: certificate.subject.public_bytes(),
            Attribute.ISSUER: certificate.issuer.public_bytes(),
            Attribute.SERIAL_NUMBER: _integer(serial),
            Attribute.VALUE: certificate.public_bytes(Encoding.DER),
        }
    )


def identifier_of(session: pkcs11.Session, spki: bytes) -> bytes:
    """Return the CKA_ID of a public key. LookupError."""
    wanted = {Attribute.CLASS: ObjectClass.PUBLIC_KEY}
    for each in session.get_objects(wanted):
        if spki_of(each) == spki:
            return bytes(each[Attribute.ID])
    raise LookupError("no such key")


def spki_of(key: Any) -> bytes:
    """Return a public key as DER; empty: it is of a kind that we do not use."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    made: rsa.RSAPublicKey | ec.EllipticCurvePublicKey
    kind = key[Attribute.KEY_TYPE]
    if kind is KeyType.RSA:
        exponent, modulus = (
            int.from_bytes(key[each], "big")
            for each in (Attribute.PUBLIC_EXPONENT, Attribute.MODULUS)
        )
        made = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    elif kind is KeyType.EC and (curve := _curve(key)) is not None:
        made = ec.EllipticCurvePublicKey.from_encoded_point(curve, _point(key))
    else:
        return b""
    return made.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _curve(key: Any) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec

    curves = {KeyAlgorithm.P256: ec.SECP256R1(), KeyAlgorithm.P384: ec.SECP384R1()}
    told = bytes(key[Attribute.EC_PARAMS])
    return next((curves[name] for name, der in _CURVES.items() if der == told), None)


def _point(key: Any) -> bytes:
    """Return the point; modules give it as it is, or in an OCTET STRING."""
    told = bytes(key[Attribute.EC_POINT])
    if told[0] == _OCTET_STRING and told[1] == len(told) - 2:
        return told[2:]
    return told


def _free_id(session: pkcs11.Session) -> bytes:
    """Return the lowest CKA_ID that no key has."""
    used = {
        bytes(each[Attribute.ID])
        for kind in _KEYS
        for each in session.get_objects({Attribute.CLASS: kind})
    }
    names = (bytes((number,)) for number in range(1, _HIGHEST_ID))
    return next(name for name in names if name not in used)


def _integer(number: int) -> bytes:
    """Return a positive number as a DER INTEGER."""
    value = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return bytes((0x02, len(value))) + value
