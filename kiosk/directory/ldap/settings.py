"""What the adapter must be told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Protection(StrEnum):
    """How the line is protected. There is no third way."""

    LDAPS = "ldaps"
    STARTTLS = "starttls"


_PORTS = {Protection.LDAPS: 636, Protection.STARTTLS: 389}


@dataclass(frozen=True, slots=True, kw_only=True)
class LdapSettings:
    """Where the domain is and who we are there. Times in seconds."""

    dcs: tuple[str, ...] = ()
    """`host` or `host:port`, in the order to try; names as in the certificates.
    Empty: DNS is asked for those of `domain`."""
    domain: str = ""
    """The domain's DNS name."""
    site: str = ""
    """The site whose DCs come first."""
    nameservers: tuple[str, ...] = ()
    """`address` or `address:port` of DNS servers; empty: the system's."""
    base_dn: str
    """Where `find` looks."""
    service_account: str
    """As `name@domain`, `DOMAIN\\name` or a DN; never a bare sAMAccountName."""
    password_file: Path | None = None
    """Read at each connection, so that a new password needs no restart."""
    keytab: Path | None = None
    """Keys to sign in with by Kerberos, instead of a password."""
    protection: Protection = Protection.LDAPS
    ca_file: Path | None = None
    """PEM; None: what the system trusts."""
    connect_timeout: float = 3.0
    """Until a connection is open."""
    receive_timeout: float = 5.0
    """For the TLS handshake, and for each answer as a whole."""
    keep_seconds: float = 0.0
    """How long a line is used after its sign-in; 0: for one person, then closed."""
    pdc_check: bool = False
    """Ask the PDC emulator, too, after a write on another DC."""

    @property
    def secret_file(self) -> Path:
        """What proves who we are: the keytab, else the file of the password."""
        file = self.keytab or self.password_file
        if file is None:
            raise ValueError("neither a password nor a keytab")
        return file

    def address(self, dc: str) -> tuple[str, int]:
        """Split `host:port`; the port follows from the protection where silent."""
        host, _, port = dc.partition(":")
        return host, int(port) if port else _PORTS[self.protection]

    @property
    def patience(self) -> float:
        """The longest that one DC can take to be had, in seconds."""
        return self.connect_timeout + self.receive_timeout
