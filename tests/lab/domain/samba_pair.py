"""Two real domain controllers of one domain, which replicate only when told to.

    with SambaPair.start(folder) as pair:
        ann = pair.first.add_user()          # the second does not know her yet
        pair.bring_up_to_date(pair.second)   # now it does

The first is the PDC emulator. Joining the second takes about seven seconds, so the pair
is kept in the cache as the domain itself is.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.domain import samba_domain as setup
from lab.domain.samba import SambaDomain, free_address

_JOIN_CONFIGURATION = """
[global]
    workgroup = ADTEST
    realm = {realm}
    netbios name = DC2
    interfaces = {address}/8
    bind interfaces only = yes
    name resolve order = host
"""
_ADMINISTRATOR = f"-Uadministrator%{setup.ADMINISTRATOR_PASSWORD}"


class _Paired(SambaDomain):
    """A DC that others may ask for what is new."""

    services = "ldap, rpc"


class _First(_Paired):
    def _found(self, folder: Path) -> None:
        shutil.copytree(_founded() / "dc1", folder)


class _Second(_Paired):
    name = "dc2.ad.test"

    def _found(self, folder: Path) -> None:
        shutil.copytree(_founded() / "dc2", folder)


@dataclass(frozen=True, slots=True)
class SambaPair:
    """Both, running."""

    first: SambaDomain
    second: SambaDomain

    @classmethod
    @contextmanager
    def start(cls, folder: Path) -> Iterator[SambaPair]:
        """Run both until the block ends. SambaUnusable."""
        with (
            _First.start(folder / "dc1") as first,
            _Second.start(folder / "dc2") as second,
        ):
            yield cls(first, second)

    def bring_up_to_date(self, behind: SambaDomain) -> None:
        """Let one DC fetch what the other has that it has not."""
        ahead = self.first if behind is self.second else self.second
        setup.run_tool([_pull(behind, ahead)])


def _pull(behind: SambaDomain, ahead: SambaDomain) -> setup.Command:
    return [
        *("drs", "replicate", "--local", behind.address, ahead.address),
        *(setup.BASE_DN, "-s", str(behind.folder / "smb.conf")),
        *(_ADMINISTRATOR, "--use-kerberos=off"),
    ]


# --- founding ----------------------------------------------------------------


def _founded() -> Path:
    """Return the folder with both databases."""
    plan = setup.fingerprint(Path(__file__))
    return setup.founded_once("pair", plan, _found)


def _found(folder: Path) -> None:
    with _Paired.start(folder / "dc1") as first:
        setup.run_tool([_join(folder, first)])
    for path in folder.rglob("*"):
        if path.is_socket():  # of the process that has ended: cannot be copied
            path.unlink()


def _join(folder: Path, first: SambaDomain) -> setup.Command:
    configuration = folder / "join.conf"
    configuration.write_text(
        _JOIN_CONFIGURATION.format(realm=setup.REALM, address=free_address())
    )
    return [
        *("domain", "join", setup.REALM.lower(), "DC"),
        *(f"--server={first.address}", f"--configfile={configuration}"),
        *(f"--targetdir={folder / 'dc2'}", f"--realm={setup.REALM}"),
        *("--site=Default-First-Site-Name", "--dns-backend=NONE"),
        *(_ADMINISTRATOR, "--use-kerberos=off"),
    ]
