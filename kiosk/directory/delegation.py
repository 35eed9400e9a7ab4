"""The rights that a service account is given, and the names they are given on. Pure.

What `kiosk directory delegate` prints and what `kiosk doctor` compares with: three
rights to write on the users below a unit, what must be read of them, and one to read
fine-grained password policies. Names come from a person, so a `UserContainer` and an
`AccountName` hold nothing that a shell, an LDAP path or a program's option could take
for anything but a name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntFlag, StrEnum
from uuid import UUID

USER = UUID("bf967aba-0de6-11d0-a285-00aa003049e2")
"""schemaIDGUID of the class user."""


class Access(IntFlag):
    """Bits of an access mask on a directory object (MS-ADTS 5.1.3.2)."""

    CREATE_CHILD = 0x1
    DELETE_CHILD = 0x2
    LIST_CHILDREN = 0x4
    SELF = 0x8
    """Validated write."""
    READ_PROPERTY = 0x10
    WRITE_PROPERTY = 0x20
    DELETE_TREE = 0x40
    LIST_OBJECT = 0x80
    CONTROL = 0x100
    """An extended right."""
    DELETE = 0x10000
    READ_CONTROL = 0x20000
    WRITE_DACL = 0x40000
    WRITE_OWNER = 0x80000


class RightKind(StrEnum):
    """How a right is spelled in SDDL and by dsacls."""

    CONTROL = "control"
    WRITE = "write"
    READ = "read"


_ACCESS = {
    RightKind.CONTROL: Access.CONTROL,
    RightKind.WRITE: Access.WRITE_PROPERTY,
    RightKind.READ: Access.READ_PROPERTY,
}


@dataclass(frozen=True, slots=True)
class Right:
    """One right on a user: its name in English, its GUID, and how it is given."""

    name: str
    guid: UUID
    kind: RightKind
    part_of: UUID | None = None
    """The set of properties whose grant grants it, too."""

    @property
    def access(self) -> Access:
        """The bit of the access mask that goes with the GUID."""
        return _ACCESS[self.kind]

    @property
    def objects(self) -> frozenset[UUID]:
        """Every GUID by which an entry can speak of it."""
        named = (self.guid, self.part_of, USER)
        return frozenset(guid for guid in named if guid is not None)


ACCOUNT_RESTRICTIONS = UUID("4c164200-20c0-11d0-a768-00aa006e0529")
"""The set of properties User-Account-Restrictions."""
PUBLIC_INFORMATION = UUID("e48d0154-bcf8-11d1-8702-00c04fb96050")
"""The set of properties Public-Information."""
REMOTE_ACCESS_INFORMATION = UUID("037088f8-0ae1-11d2-b422-00a0c968f939")
"""The set of properties RAS-Information."""

MAIL = Right(
    "mail",
    UUID("bf967961-0de6-11d0-a285-00aa003049e2"),
    RightKind.READ,
    PUBLIC_INFORMATION,
)
CERTIFICATE_IDENTITIES = Right(
    "altSecurityIdentities",
    UUID("00fbf30c-91fe-11d1-aebc-0000f80367c1"),
    RightKind.READ,
    PUBLIC_INFORMATION,
)
NAMES_IN_CERTIFICATES = (MAIL, CERTIFICATE_IDENTITIES)
"""Read only where the site maps certificates by them. Everybody who is signed in may
read them by default."""
RESET_PASSWORD = Right(
    "Reset Password", UUID("00299570-246d-11d0-a768-00aa006e0529"), RightKind.CONTROL
)
LOCKOUT_TIME = Right(
    "lockoutTime", UUID("28630ebf-41d5-11d1-a9c1-0000f80367c1"), RightKind.WRITE
)
PWD_LAST_SET = Right(
    "pwdLastSet",
    UUID("bf967a0a-0de6-11d0-a285-00aa003049e2"),
    RightKind.WRITE,
    ACCOUNT_RESTRICTIONS,
)
ACCOUNT_CONTROL = Right(
    "userAccountControl",
    UUID("bf967a68-0de6-11d0-a285-00aa003049e2"),
    RightKind.WRITE,
    ACCOUNT_RESTRICTIONS,
)
SERVICE_NAMES = Right(
    "servicePrincipalName",
    UUID("f3a64788-5306-11d1-a9c5-0000f80367c1"),
    RightKind.WRITE,
    PUBLIC_INFORMATION,
)
KEY_CREDENTIALS = Right(
    "msDS-KeyCredentialLink",
    UUID("5b47d60f-6090-40b2-9f37-2a4de88f3063"),
    RightKind.WRITE,
)
CHANGE_PASSWORD = Right(
    "Change Password", UUID("ab721a53-1e2f-11d0-9819-00aa0040529b"), RightKind.CONTROL
)
"""Everybody has it: it asks for the old password."""
EVERYBODYS = (
    CHANGE_PASSWORD,
    Right("Send To", UUID("ab721a55-1e2f-11d0-9819-00aa0040529b"), RightKind.CONTROL),
    Right(
        "Apply Group Policy",
        UUID("edacfd8f-ffb3-11d1-b41d-00a0c968f939"),
        RightKind.CONTROL,
    ),
)
"""What every account may, and what changes nothing."""
REPLICATE_SECRETS = Right(
    "Replicating Directory Changes All",
    UUID("1131f6ad-9c07-11d1-f79f-00c04fc2dcd2"),
    RightKind.CONTROL,
)
"""On the domain's head: read every password of the domain."""
REPLICATE = Right(
    "Replicating Directory Changes",
    UUID("1131f6aa-9c07-11d1-f79f-00c04fc2dcd2"),
    RightKind.CONTROL,
)
REPLICATE_FILTERED = Right(
    "Replicating Directory Changes In Filtered Set",
    UUID("89e95b76-444d-4c62-991a-0facbeda640c"),
    RightKind.CONTROL,
)
REPLICATION = (REPLICATE, REPLICATE_SECRETS, REPLICATE_FILTERED)
"""On the domain's head: what a controller has, and who copies its secrets needs."""
MEMBER = Right("member", UUID("bf9679c0-0de6-11d0-a285-00aa003049e2"), RightKind.WRITE)
"""Of a group: who is in it."""
NEEDED = (RESET_PASSWORD, LOCKOUT_TIME, PWD_LAST_SET)
"""All that the service account may do to a user inside a unit."""

PASSWORD_MARK = Right(
    "replPropertyMetaData", UUID("281416c0-1968-11d0-a28f-00aa003049e2"), RightKind.READ
)
"""Who last set each attribute: only with it is every other hand seen."""
MUST_BE_READ = (
    Right(
        "tokenGroups",
        UUID("b7c69e6d-2cc7-11d2-854e-00a0c983f608"),
        RightKind.READ,
        REMOTE_ACCESS_INFORMATION,
    ),
    Right("adminCount", UUID("bf967918-0de6-11d0-a285-00aa003049e2"), RightKind.READ),
    Right(
        "userAccountControl", ACCOUNT_CONTROL.guid, RightKind.READ, ACCOUNT_RESTRICTIONS
    ),
    Right(
        "accountExpires",
        UUID("bf967915-0de6-11d0-a285-00aa003049e2"),
        RightKind.READ,
        ACCOUNT_RESTRICTIONS,
    ),
    Right("pwdLastSet", PWD_LAST_SET.guid, RightKind.READ, ACCOUNT_RESTRICTIONS),
)
"""What decides whether a user may be touched: hidden, none may."""
TO_READ = (PASSWORD_MARK, *MUST_BE_READ)
"""What the service account reads of a user inside a unit; by default, everybody may."""

_POLICIES = "CN=Password Settings Container,CN=System"
_SPELLED = {RightKind.CONTROL: "CR", RightKind.WRITE: "WP", RightKind.READ: "RP"}


def entry_for_users(right: Right, trustee: str) -> str:
    """Return the SDDL entry (MS-DTYP 2.5.1.1) that gives a right on users below."""
    return f"(OA;CIIO;{_SPELLED[right.kind]};{right.guid};{USER};{trustee})"


def entry_for_policies(trustee: str) -> str:
    """Return the SDDL entry that lets fine-grained policies be read."""
    return f"(A;CI;RPLCLORC;;;{trustee})"


# --- names -------------------------------------------------------------------


class NotAUnit(ValueError):
    """No distinguished name of a unit below a domain."""


class NotAnAccountName(ValueError):
    """No sAMAccountName that a user could have."""


_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_HEX_PAIR = re.compile(r"[0-9A-Fa-f]{2}")
_PLAIN = frozenset(" ._-")
"""Besides letters and digits: what stands in a name as it is."""
_LONGEST_UNIT = 1024
_LONGEST_ACCOUNT = 256
_NOT_IN_ACCOUNTS = frozenset('"/\\[]:;|=,+*?<>')
"""What a sAMAccountName cannot hold (MS-SAMR 3.1.1.6)."""

_Part = tuple[str, str]
"""Attribute and value of one step of a name."""


@dataclass(frozen=True, slots=True)
class UserContainer:
    """A container of users, by its distinguished name (RFC 4514).

    Everything in `dn` but letters, digits, space, `.`, `_` and `-` is written as the
    hexadecimal digits of its UTF-8, which every directory takes for the same name.
    """

    dn: str
    domain: str
    """The DN of the domain that it is in."""

    @classmethod
    def parse(cls, text: str) -> UserContainer:
        """Read a DN as a person writes it. NotAUnit."""
        if not text.isprintable() or len(text) > _LONGEST_UNIT:
            raise NotAUnit(text)
        parts = _parts(text)
        inside = [part for part in parts if part[0].upper() != "DC"]
        domain = parts[len(inside) :]
        if not inside or not domain or parts[: len(inside)] != inside:
            raise NotAUnit(text)
        return cls(_spelled(parts), _spelled(domain))

    @property
    def policies(self) -> str:
        """The DN of the container of its domain's fine-grained policies."""
        return f"{_POLICIES},{self.domain}"

    @property
    def dns_domain(self) -> str:
        """The DNS name of its domain."""
        return ".".join(value for _, value in _parts(self.domain))

    def holds(self, dn: str) -> bool:
        """Say whether an object with that DN is somewhere below."""
        try:
            parts, ours = _parts(dn.casefold()), _parts(self.dn.casefold())
        except NotAUnit:
            return False
        return len(parts) > len(ours) and parts[-len(ours) :] == ours


@dataclass(frozen=True, slots=True)
class AccountName:
    """A sAMAccountName."""

    name: str

    @classmethod
    def parse(cls, text: str) -> AccountName:
        """Read a name as a person writes it. NotAnAccountName."""
        if (
            not text.strip(" .")
            or not text.isprintable()
            or len(text) > _LONGEST_ACCOUNT
            or text.startswith("-")  # would be an option to the program it is given to
            or _NOT_IN_ACCOUNTS & set(text)
            or "@" in text
        ):
            raise NotAnAccountName(text)
        return cls(text)


def _parts(text: str) -> list[_Part]:
    """Split a DN into its steps, values without their escapes. NotAUnit."""
    parts = []
    for step in _steps(text):
        attribute, equals, value = step.partition("=")
        attribute = attribute.strip(" ")
        if not equals or not _ATTRIBUTE.fullmatch(attribute):
            raise NotAUnit(text)
        parts.append((attribute, _unescaped(_trimmed(value))))
    return parts


def _steps(text: str) -> list[str]:
    """Split at each comma that is not escaped."""
    steps, begin, at = [], 0, 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == ",":
            steps.append(text[begin:at])
            begin = at + 1
        at += 1
    return [*steps, text[begin:]]


def _trimmed(value: str) -> str:
    """Drop the spaces around a value, but not one that is escaped."""
    value = value.lstrip(" ")
    bare = value.rstrip(" ")
    cut = len(value) - len(bare)
    escapes = len(bare) - len(bare.rstrip("\\"))
    return bare + " " if cut and escapes % 2 else bare


def _unescaped(value: str) -> str:
    r"""Undo `\,` and `\2C` (RFC 4514, 2.4). NotAUnit."""
    found = bytearray()
    at = 0
    while at < len(value):
        if value[at] != "\\":
            found += value[at].encode()
            at += 1
        elif _HEX_PAIR.fullmatch(value[at + 1 : at + 3]):
            found += bytes.fromhex(value[at + 1 : at + 3])
            at += 3
        elif at + 1 < len(value):
            found += value[at + 1].encode()
            at += 2
        else:
            raise NotAUnit(value)
    try:
        text = found.decode()
    except ValueError as error:
        raise NotAUnit(value) from error
    if not text or not text.isprintable():
        raise NotAUnit(value)
    return text


def _spelled(parts: list[_Part]) -> str:
    return ",".join(f"{attribute}={_escaped(value)}" for attribute, value in parts)


def _escaped(value: str) -> str:
    """Write every character that could mean something to anybody in hexadecimal."""
    outer = {0, len(value) - 1}
    return "".join(
        char
        if char.isalnum() or (char in _PLAIN and not (char == " " and at in outer))
        else "".join(f"\\{byte:02X}" for byte in char.encode())
        for at, char in enumerate(value)
    )
