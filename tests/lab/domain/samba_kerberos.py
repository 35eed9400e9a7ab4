"""A domain controller that is a Kerberos server, too, and keytabs of its accounts."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import ldap3
import pytest

from lab.domain.samba import SambaDomain
from lab.domain.samba_domain import BASE_DN
from lab.domain.samba_objects import _do

_CLIENT = """\
[libdefaults]
    default_realm = {realm}
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    udp_preference_limit = 1
[realms]
    {realm} = {{
        kdc = {kdc}
    }}
"""


class KerberosDomain(SambaDomain):
    """Known to Kerberos by its address, by which the tests reach it."""

    services = "ldap, kdc"
    strong_auth = "allow_sasl_over_tls"

    def be_known(self) -> None:
        """Let Kerberos give tickets for the address."""
        itself = f"CN=DC1,OU=Domain Controllers,{BASE_DN}"
        added = {"servicePrincipalName": [(ldap3.MODIFY_ADD, [f"ldap/{self.address}"])]}
        with self.administrator() as line:
            _do(line, line.modify, itself, added)

    def keytab(self, name: str, file: Path) -> Path:
        """Write an account's keys, as they are now, into a private file."""
        done = subprocess.run(
            [
                *("/usr/bin/samba-tool", "domain", "exportkeytab", str(file)),
                f"--principal={name}@{self.realm}",
                *("-s", str(self.folder / "smb.conf")),
            ],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        file.chmod(0o600)
        return file

    def client_configuration(self, file: Path, kdc: str = "") -> Path:
        """Write what a client's `/etc/krb5.conf` would say."""
        file.write_text(_CLIENT.format(realm=self.realm, kdc=kdc or self.address))
        return file


@pytest.fixture(scope="session")
def kerberos_domain(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[KerberosDomain]:
    """A Kerberos server that the tests of one process share."""
    folder = tmp_path_factory.mktemp("kerberos")
    with KerberosDomain.start(folder / "dc") as domain:
        assert isinstance(domain, KerberosDomain)
        domain.be_known()
        yield domain
