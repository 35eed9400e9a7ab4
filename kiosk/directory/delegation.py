"""The rights that a service account is given in the directory. Pure.

What `kiosk directory delegate` prints and what `kiosk doctor` compares with: three
rights to write on the users below a unit (`containers.UserContainer`), what must be
read of them, and one to read fine-grained password policies.
"""

from __future__ import annotations

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

_SPELLED = {RightKind.CONTROL: "CR", RightKind.WRITE: "WP", RightKind.READ: "RP"}


def entry_for_users(right: Right, trustee: str) -> str:
    """Return the SDDL entry (MS-DTYP 2.5.1.1) that gives a right on users below."""
    return f"(OA;CIIO;{_SPELLED[right.kind]};{right.guid};{USER};{trustee})"


def entry_for_policies(trustee: str) -> str:
    """Return the SDDL entry that lets fine-grained policies be read."""
    return f"(A;CI;RPLCLORC;;;{trustee})"


# --- names -------------------------------------------------------------------
