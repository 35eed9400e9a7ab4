"""Active Directory: where it is, and as whom."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from kiosk.config.sections import IPV4, PORT, Section

_IPV6 = r"[0-9A-Fa-f]*:[0-9A-Fa-f:]+"
NAMESERVER = rf"^({IPV4}(:{PORT})?|{_IPV6}|\[{_IPV6}\]:{PORT})\Z"
DOMAIN_DN = r"^(.+=.+, *)?[Dd][Cc] *= *[^,.=\n]+\Z"
"""A DN that ends in a domain: one label of its name to a step."""


class Tls(StrEnum):
    """How the line to the directory is protected. There is no third way."""

    LDAPS = "ldaps"
    STARTTLS = "starttls"


class DirectorySettings(Section, frozen=True, kw_only=True):
    """Active Directory, reached as a service account that may reset passwords."""

    dcs: tuple[
        Annotated[
            str,
            Meta(
                min_length=1,
                pattern=rf"^[A-Za-z0-9._-]+(:{PORT})?\Z",
                examples=["dc1.example.org"],
            ),
        ],
        ...,
    ] = ()
    """Domain controllers, as host or host:port, in the order to try. The names must
    be those in their certificates. Empty: DNS tells those of `domain`.
    """
    domain: Annotated[
        str,
        Meta(
            pattern=r"^([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+)?\Z", examples=["example.org"]
        ),
    ] = ""
    """The domain's DNS name, e.g. example.org: DNS is asked for its domain
    controllers where none are named above.
    """
    site: Annotated[
        str, Meta(pattern=r"^[A-Za-z0-9_-]{0,63}\Z", examples=["Berlin"])
    ] = ""
    """The site (of Active Directory) whose domain controllers come first; empty: no
    matter which.
    """
    nameservers: tuple[
        Annotated[str, Meta(pattern=NAMESERVER, examples=["192.0.2.53"])], ...
    ] = ()
    """DNS servers to ask for domain controllers and their addresses, as address or
    address:port; empty: the system's.
    """
    base_dn: Annotated[
        str, Meta(min_length=1, pattern=DOMAIN_DN, examples=["DC=example,DC=org"])
    ]
    """Where accounts are looked for, e.g. DC=example,DC=org."""
    units: tuple[str, ...] = ()
    """Organisational units whose people have cards, as they were delegated: `kiosk
    doctor` looks whether the account may do its work there and no more elsewhere.
    Silent: base_dn.
    """
    service_account: Annotated[str, Meta(min_length=1)]
    """The account that resets passwords, as name@domain. It needs Reset Password
    and write access to lockoutTime and pwdLastSet on the users' organisational
    unit, and nothing else.
    """
    password_file: Path | None = None
    """A file with its password and nothing else, readable only by the user the
    kiosk runs as (mode 0600).
    """
    password_credential: Annotated[
        str,
        Meta(
            pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,254})?\Z",
            examples=["directory.password"],
        ),
    ] = ""
    """Instead of password_file: the name under which systemd hands the password to
    the kiosk (LoadCredential= or LoadCredentialEncrypted=).
    """
    keytab_file: Path | None = None
    """Instead of a password: the account's Kerberos keys (mode 0600). Needs
    pin-kiosk[kerberos] and a /etc/krb5.conf.
    """
    tls: Tls = Tls.LDAPS
    """How the line is protected; certificates are always checked."""
    ca_file: Path | None = None
    """Certificates (PEM) of the authority that signed the domain controllers' own;
    silent: those the system trusts.
    """
    connect_timeout: Annotated[float, Meta(gt=0, le=60)] = 3.0
    """Seconds until a silent domain controller is given up."""
    receive_timeout: Annotated[float, Meta(gt=0, le=60)] = 5.0
    """Seconds to wait for one answer."""
    pdc_check: bool = False
    """After a password was set, ask the PDC emulator whether it knows it already,
    and say so on the screen if it does not.
    """
