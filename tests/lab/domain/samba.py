"""A real Active Directory domain controller (Samba) on a loopback address of its own.

    with SambaDomain.start(folder) as domain:
        ann = domain.add_user("ann", "123456")
        directory = LdapDirectory(domain.settings(), SystemClock())

LDAP's ports are fixed, so each controller has its own address in 127.0.0.0/8; any
number can run at once. The process ends when its standard input closes, so it never
outlives the one that started it.
"""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kiosk.config.sections.directory import DirectorySettings as DirectoryConfig
from kiosk.directory.ldap import LdapSettings
from lab.domain import samba_domain as setup
from lab.domain.samba_domain import SambaUnusable, copy_domain
from lab.domain.samba_objects import DomainObjects, LabUser
from lab.domain.samba_pki import CertificateKind, LabAuthority
from lab.not_run import not_run
from lab.servers.one_way import OneWay

__all__ = ["CertificateKind", "LabUser", "SambaDomain", "SambaUnusable"]

_READY_WITHIN = 30.0
_LDAPS = 636

CONFIGURATION = """
[global]
    workgroup = ADTEST
    realm = {realm}
    netbios name = {netbios}
    server role = active directory domain controller
    server services = {services}
    dcerpc endpoint servers = -winreg
    interfaces = {address}/8
    bind interfaces only = yes
    disable netbios = yes
    private dir = {folder}/private
    state directory = {folder}/state
    lock directory = {folder}
    cache directory = {folder}/cache
    pid directory = {folder}/pid
    ncalrpc dir = {folder}/ncalrpc
    binddns dir = {folder}/bind-dns
    ntp signd socket directory = {folder}/ntp
    tls enabled = yes
    tls keyfile = {folder}/tls/key.pem
    tls certfile = {folder}/tls/cert.pem
    tls cafile = {folder}/ca.pem
    ldap server require strong auth = {strong_auth}
    log level = 0
"""


class SambaDomain(DomainObjects):
    """One domain controller, running. Its users are made by `add_user`."""

    name = "dc1.ad.test"
    realm = setup.REALM
    base_dn = setup.BASE_DN
    service_account = setup.SERVICE
    service_password = setup.SERVICE_PASSWORD
    services = "ldap"
    strong_auth = "yes"

    def __init__(self, folder: Path, address: str) -> None:
        """Found the domain in `folder`, which must not exist; `start` runs it."""
        self.folder = folder
        self.address = address
        self._authority = LabAuthority("Lab CA")
        self._process: subprocess.Popen[bytes] | None = None
        self._found(folder)
        for each in ("cache", "pid", "tls"):
            (folder / each).mkdir(exist_ok=True)
        self.ca_file = self._authority.write_certificate(folder / "ca.pem")
        self.foreign_ca_file = LabAuthority("Another CA").write_certificate(
            folder / "foreign-ca.pem"
        )
        self.password_file = folder / "service.password"
        self.password_file.touch(mode=0o600)
        self.password_file.write_text(f"{self.service_password}\n")
        (folder / "smb.conf").write_text(
            CONFIGURATION.format(
                realm=self.realm,
                netbios=self.name.partition(".")[0].upper(),
                address=address,
                folder=folder,
                services=self.services,
                strong_auth=self.strong_auth,
            )
        )
        super().__init__(address, self.ca_file)

    @classmethod
    @contextmanager
    def start(
        cls, folder: Path, certificate: CertificateKind = CertificateKind.GOOD
    ) -> Iterator[SambaDomain]:
        """Run a domain controller until the block ends. SambaUnusable."""
        domain = cls(folder, free_address())
        domain.run(certificate)
        try:
            yield domain
        finally:
            domain.stop()

    def _found(self, folder: Path) -> None:
        """Put the domain's database there."""
        copy_domain(folder)

    # --- the process ----------------------------------------------------------

    def run(self, certificate: CertificateKind = CertificateKind.GOOD) -> None:
        """Start it (again), showing a certificate of that kind; wait until it answers.

        The certificate names `dc1.ad.test`, `localhost` and the address.
        """
        self._authority.write_server(
            self.folder / "tls",
            certificate,
            names=[self.name, "localhost"],
            address=self.address,
        )
        with (self.folder / "samba.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *("/usr/sbin/samba", "-i", "--no-process-group"),
                    *("--model=single", "-s", str(self.folder / "smb.conf")),
                ],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        self._wait_until_it_answers()

    def freeze(self) -> None:
        """Stop it in the middle of whatever it does: it answers nothing."""
        self._running.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on where it stopped."""
        self._running.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self._running.kill()
        self._forget()

    def stop(self) -> None:
        """End it. Safe to call twice."""
        if self._process is None:
            return
        self.thaw()
        self._running.terminate()
        self._forget()

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise SambaUnusable("the domain controller does not run")
        return self._process

    def _forget(self) -> None:
        process, self._process = self._running, None
        if process.stdin is not None:
            process.stdin.close()
        process.wait(timeout=20)

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + _READY_WITHIN
        while True:
            try:
                socket.create_connection((self.address, _LDAPS), timeout=1.0).close()
            except OSError as error:
                if self._running.poll() is not None or time.monotonic() > deadline:
                    log = (self.folder / "samba.log").read_text(errors="replace")
                    raise SambaUnusable(f"samba did not start:\n{log}") from error
                time.sleep(0.02)
            else:
                return

    @contextmanager
    def distant(self) -> Iterator[OneWay]:
        """Reach it over a line that can lose its answers."""
        with OneWay.to(self.address, _LDAPS) as line:
            yield line

    # --- what a client needs --------------------------------------------------

    def settings(self, **changes: object) -> LdapSettings:
        """Return what the adapter needs to reach it; fields can be changed."""
        values: dict[str, object] = {
            "dcs": (self.address,),
            "base_dn": self.base_dn,
            "service_account": self.service_account,
            "password_file": self.password_file,
            "ca_file": self.ca_file,
            **changes,
        }
        return LdapSettings(**values)  # type: ignore[arg-type]  # checked by the constructor

    def config(self) -> DirectoryConfig:
        """Return the same as a section of a station's configuration."""
        return DirectoryConfig(
            dcs=(self.address,),
            base_dn=self.base_dn,
            service_account=self.service_account,
            password_file=self.password_file,
            ca_file=self.ca_file,
        )


def free_address() -> str:
    """Return a loopback address where nothing listens on LDAP's port."""
    chance = random.SystemRandom()
    while True:
        address = ".".join(["127", *(str(chance.randrange(1, 255)) for _ in range(3))])
        with socket.socket() as probe:
            try:
                probe.bind((address, _LDAPS))
            except PermissionError:
                raise not_run(
                    "A domain controller listens on port 636, which this user may not "
                    "use, and no namespaces of their own: run the tests as root."
                ) from None
            except OSError:
                continue
        return address
