"""A domain controller of a domain with many people, founded once like the small one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from lab.domain import samba_domain as setup
from lab.domain.samba import SambaDomain

PEOPLE = 10_000
_ADDER = Path(__file__).with_name("samba_crowd.py")


class CrowdedDomain(SambaDomain):
    """`guids`: everybody's objectGUID."""

    @property
    def guids(self) -> list[str]:
        return (self.folder / "guids").read_text().split()

    def _found(self, folder: Path) -> None:
        plan = f"{setup.fingerprint(_ADDER)}-{PEOPLE}"
        shutil.copytree(setup.founded_once("crowd", plan, _founded), folder)


def _founded(folder: Path) -> None:
    """Fill the domain with people. SambaUnusable."""
    setup.copy_domain(folder / "domain")
    for each in (folder / "domain").iterdir():
        each.rename(folder / each.name)
    (folder / "domain").rmdir()
    configuration = folder / "crowd.conf"
    configuration.write_text(
        f"[global]\nserver role = active directory domain controller\n"
        f"realm = {setup.REALM}\nworkgroup = ADTEST\nnetbios name = DC1\n"
        f"private dir = {folder}/private\nstate directory = {folder}/state\n"
        f"lock directory = {folder}\n"
    )
    added = subprocess.run(
        [
            *("/usr/bin/python3", "-I", str(_ADDER)),
            *(str(configuration), str(folder / "private" / "sam.ldb")),
            *(setup.STAFF, setup.PIN_USERS, str(PEOPLE)),
        ],
        capture_output=True,
        text=True,
    )
    if added.returncode:
        raise setup.SambaUnusable(f"nobody could be added:\n{added.stderr}")
    (folder / "guids").write_text(added.stdout)
