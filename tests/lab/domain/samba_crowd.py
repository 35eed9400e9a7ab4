"""Puts many users into a domain's database at once, with a DC that does not run.

Started with the system's python3 (`-I`), the only one that has Samba's modules:
`samba_crowd.py smb.conf sam.ldb UNIT GROUP COUNT`. Each is enabled, in the unit and, by
one group more for each few hundred, a member of the group; one in a hundred has a
password. Prints their objectGUIDs.
"""

from __future__ import annotations

import sys
import uuid

import ldb  # type: ignore[import-not-found]  # Samba's own, see above
from samba.auth import system_session  # type: ignore[import-not-found]  # the same
from samba.param import LoadParm  # type: ignore[import-not-found]  # the same
from samba.samdb import SamDB  # type: ignore[import-not-found]  # the same

_ENABLED, _NO_PASSWORD = 0x200, 0x20
_TEAM = 250
"""Members of a group: Samba takes a time that grows with their square."""


def main() -> None:
    """Add them all in one transaction."""
    configuration, file, unit, group, count = sys.argv[1:]
    settings = LoadParm()
    settings.load(configuration)
    database = SamDB(url=file, session_info=system_session(), lp=settings)
    database.transaction_start()
    members = [_added(database, unit, number) for number in range(int(count))]
    for first in range(0, len(members), _TEAM):
        own = f"CN=team{first:05},{unit}"
        database.add({"dn": own, "objectClass": "group", "sAMAccountName": own[3:12]})
        _join(database, own, members[first : first + _TEAM])
        _join(database, group, [own])
    for dn in members[::100]:
        database.setpassword(f"(distinguishedName={dn})", "246813")
    database.transaction_commit()
    for dn in members:
        found = database.search(dn, ldb.SCOPE_BASE, attrs=["objectGUID"])
        guid = uuid.UUID(bytes_le=bytes(found[0]["objectGUID"][0]))
        sys.stdout.write(f"{guid}\n")


def _join(database: SamDB, group: str, members: list[str]) -> None:
    joined = ldb.Message(ldb.Dn(database, group))
    joined["member"] = ldb.MessageElement(members, ldb.FLAG_MOD_ADD, "member")
    database.modify(joined)


def _added(database: SamDB, unit: str, number: int) -> str:
    name = f"crowd{number:05}"
    dn = f"CN={name},{unit}"
    user = {
        "dn": dn,
        "objectClass": "user",
        "sAMAccountName": name,
        "userPrincipalName": f"{name}@ad.test",
        "displayName": f"Person {number} of a Crowd",
        "userAccountControl": str(_ENABLED | _NO_PASSWORD),
    }
    database.add(user)
    return dn


if __name__ == "__main__":
    main()
