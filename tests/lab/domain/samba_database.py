"""Reads NT hashes out of a domain controller's own database, while it runs.

Started with the system's python3 (`-I`), the only one that has Samba's modules:
`samba_database.py smb.conf sam.ldb`. For each objectGUID on standard input it writes
the hash in hexadecimal on standard output; an empty line where there is none.
"""

from __future__ import annotations

import sys

import ldb  # type: ignore[import-not-found]  # Samba's own, see above
from samba.auth import system_session  # type: ignore[import-not-found]  # the same
from samba.param import LoadParm  # type: ignore[import-not-found]  # the same
from samba.samdb import SamDB  # type: ignore[import-not-found]  # the same


def main() -> None:
    """Answer until standard input ends."""
    settings = LoadParm()
    settings.load(sys.argv[1])
    database = SamDB(url=sys.argv[2], session_info=system_session(), lp=settings)
    for line in sys.stdin:
        found = database.search(
            f"<GUID={line.strip()}>", ldb.SCOPE_BASE, attrs=["unicodePwd"]
        )
        held = found[0].get("unicodePwd", idx=0)
        sys.stdout.write(("" if held is None else bytes(held).hex()) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
