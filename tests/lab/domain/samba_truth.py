"""What a domain controller really keeps: the NT hash in its own database.

A bind says less: the password before the last binds for an hour.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.domain.nt_hash import nt_hash
from lab.domain.samba import SambaDomain

_READER = Path(__file__).with_name("samba_database.py")


class Database:
    """One DC's database, opened beside the DC that runs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def has(self, guid: str, password: str) -> bool:
        """Say whether this is the password that the DC keeps for that account."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{guid}\n")
        self._process.stdin.flush()
        kept = self._process.stdout.readline()
        assert kept, "the database could not be read"
        return kept.strip() == nt_hash(password).hex()


@contextmanager
def database_of(samba: SambaDomain) -> Iterator[Database]:
    """Open the database of a DC for as long as the block lasts."""
    with subprocess.Popen(
        [
            *("/usr/bin/python3", "-I", str(_READER)),
            *(str(samba.folder / "smb.conf"), str(samba.folder / "private/sam.ldb")),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:  # closes its pipes in the end, and so it ends
        yield Database(process)
