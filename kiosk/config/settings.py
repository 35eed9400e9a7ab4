"""Every setting of a station, described where it is defined.

A secret is never a setting: a setting names the file that holds it. The
descriptions become the comments of the file that `kiosk init` writes.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

STATION_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"


NAMESERVER = (
    r"^([0-9.]+|[0-9A-Fa-f:]+|\[[0-9A-Fa-f:]+\]:[0-9]{1,5}|[0-9.]+:[0-9]{1,5})$"
)


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all sections: immutable, strict about unknown keys."""


class StationRole(StrEnum):
    """Who stands at this station."""

    SELF_SERVICE = "self-service"
    HELPDESK = "helpdesk"
    ENROLLMENT = "enrollment"


class Tls(StrEnum):
    """How the line to the directory is protected. There is no third way."""

    LDAPS = "ldaps"
    STARTTLS = "starttls"


class OperatorRole(StrEnum):
    """What an operator may do; everything else is refused."""

    HELPDESK = "helpdesk"
    OFFICER = "enrollment officer"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


class StationSettings(Section, frozen=True, kw_only=True):
    """What this station is called, and who stands there."""

    name: Annotated[
        str,
        Meta(
            description="Its name in the audit, unlike that of any other station.",
            min_length=1,
            pattern=STATION_NAME,
        ),
    ]
    title: Annotated[
        str, Meta(description="What stands at the top of every screen.", max_length=60)
    ] = "PIN kiosk"
    role: Annotated[StationRole, Meta(description="Who stands here.")] = (
        StationRole.SELF_SERVICE
    )


class HelpdeskSettings(Section, frozen=True, kw_only=True):
    """Who to call; shown wherever a person cannot go on alone."""

    contact: Annotated[
        str,
        Meta(
            description="A telephone number, a room, a person.",
            min_length=1,
            max_length=120,
        ),
    ]
    hours: Annotated[str, Meta(description="When somebody is there.")] = ""
    questions: Annotated[
        tuple[str, ...],
        Meta(
            description="What the helpdesk asks a caller before it releases anything."
        ),
    ] = ()


class PinpadUse(StrEnum):
    """What is done with the PIN pad of a reader."""

    IF_PRESENT = "if present"
    REQUIRED = "required"
    IGNORE = "ignore"


class ReadersSettings(Section, frozen=True, kw_only=True):
    """Where cards are read."""

    names: Annotated[
        tuple[str, ...],
        Meta(description="Only readers whose name contains one of these; empty: all."),
    ] = ()
    pinpad: Annotated[
        PinpadUse,
        Meta(
            description="What to do with a reader's own keys: if present, required, "
            "ignore. A PIN typed there never reaches this machine, so the password "
            "cannot follow it."
        ),
    ] = PinpadUse.IF_PRESENT


class DirectorySettings(Section, frozen=True, kw_only=True):
    """Active Directory, reached as a service account that may reset passwords."""

    dcs: Annotated[
        tuple[
            Annotated[
                str, Meta(min_length=1, pattern=r"^[A-Za-z0-9._-]+(:[0-9]{1,5})?$")
            ],
            ...,
        ],
        Meta(
            description="Domain controllers, as host or host:port, in the order to "
            "try. The names must be those in their certificates. Empty: DNS tells "
            "those of `domain`.",
        ),
    ] = ()
    domain: Annotated[
        str,
        Meta(
            description="The domain's DNS name, e.g. example.org: DNS is asked for its "
            "domain controllers where none are named above.",
            pattern=r"^([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+)?$",
        ),
    ] = ""
    site: Annotated[
        str,
        Meta(
            description="The site (of Active Directory) whose domain controllers come "
            "first; empty: no matter which.",
            pattern=r"^[A-Za-z0-9_-]{0,63}$",
        ),
    ] = ""
    nameservers: Annotated[
        tuple[Annotated[str, Meta(pattern=NAMESERVER)], ...],
        Meta(
            description="DNS servers to ask for domain controllers and their "
            "addresses, as address or address:port; empty: the system's."
        ),
    ] = ()
    base_dn: Annotated[
        str,
        Meta(
            description="Where accounts are looked for, e.g. DC=example,DC=org.",
            min_length=1,
        ),
    ]
    units: Annotated[
        tuple[str, ...],
        Meta(
            description="Organisational units whose people have cards, as they were "
            "delegated: `kiosk doctor` looks whether the account may do its work there "
            "and no more elsewhere. Silent: base_dn.",
        ),
    ] = ()
    service_account: Annotated[
        str,
        Meta(
            description="The account that resets passwords, as name@domain. It needs "
            "Reset Password and write access to lockoutTime and pwdLastSet on the "
            "users' organisational unit, and nothing else.",
            min_length=1,
        ),
    ]
    password_file: Annotated[
        Path | None,
        Meta(
            description="A file with its password and nothing else, readable only by "
            "the user the kiosk runs as (mode 0600)."
        ),
    ] = None
    password_credential: Annotated[
        str,
        Meta(
            description="Instead of password_file: the name under which systemd hands "
            "the password to the kiosk (LoadCredential= or LoadCredentialEncrypted=).",
            pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,254})?$",
        ),
    ] = ""
    keytab_file: Annotated[
        Path | None,
        Meta(
            description="Instead of a password: the account's Kerberos keys (mode "
            "0600). Needs pin-kiosk[kerberos] and a /etc/krb5.conf."
        ),
    ] = None
    tls: Annotated[
        Tls,
        Meta(description="How the line is protected; certificates are always checked."),
    ] = Tls.LDAPS
    ca_file: Annotated[
        Path | None,
        Meta(
            description="Certificates (PEM) of the authority that signed the domain "
            "controllers' own; silent: those the system trusts."
        ),
    ] = None
    connect_timeout: Annotated[
        float,
        Meta(
            description="Seconds until a silent domain controller is given up.",
            gt=0,
            le=60,
        ),
    ] = 3.0
    receive_timeout: Annotated[
        float, Meta(description="Seconds to wait for one answer.", gt=0, le=60)
    ] = 5.0
    pdc_check: Annotated[
        bool,
        Meta(
            description="After a password was set, ask the PDC emulator whether it "
            "knows it already, and say so on the screen if it does not."
        ),
    ] = False


class RegistrySettings(Section, frozen=True, kw_only=True):
    """What is remembered: credentials, operations, evidence."""

    path: Annotated[
        Path, Meta(description="The registry's file, on a local file system.")
    ]
    id: Annotated[
        str,
        Meta(
            description="Made once for this registry and never changed: every escrowed "
            "secret is bound to it.",
            pattern=r"^[a-z0-9-]{8,64}$",
        ),
    ]


class EvidenceSettings(Section, frozen=True, kw_only=True):
    """Where the evidence's checkpoints go, so that nobody here can shorten it."""

    command: Annotated[
        tuple[str, ...],
        Meta(
            description="What takes a checkpoint elsewhere, on its standard input "
            '(["mail", "-s", "Checkpoint", "audit@x.org"]); for `kiosk audit head '
            "--send`."
        ),
    ] = ()
    syslog: Annotated[
        str,
        Meta(
            description="A syslog that is told of every checkpoint when it is signed: "
            "the path of its socket (`/dev/log`), or ADDRESS:PORT (UDP); silent: none.",
            pattern=r"^(/.+|\d{1,3}(\.\d{1,3}){3}:\d{1,5})?$",
        ),
    ] = ""
    high_water_file: Annotated[
        Path | None,
        Meta(
            description="Where this station keeps how far the registry had come; "
            "silent: beside the registry. On another disk it also tells of a snapshot "
            "of the machine that was put back."
        ),
    ] = None


class VaultSettings(Section, frozen=True, kw_only=True):
    """The key that escrowed PUKs and management keys are encrypted with."""

    key_file: Annotated[
        Path,
        Meta(
            description="Readable only by the user the kiosk runs as (mode 0600). "
            "Keep a copy elsewhere: without it every escrowed PUK is lost."
        ),
    ]


class Templates(Section, frozen=True, kw_only=True):
    """What classes of credentials may do."""

    folder: Annotated[
        Path,
        Meta(
            description="One file per template (*.toml). A changed file becomes a new "
            "version when the kiosk starts; cards keep the version they were issued "
            "with."
        ),
    ]


class Screens(Section, frozen=True, kw_only=True):
    """How long a screen waits for a person. All in seconds."""

    idle_after: Annotated[
        float, Meta(description="Until the screen asks: still there?", ge=5, le=600)
    ] = 45.0
    warning_lasts: Annotated[
        float, Meta(description="From then until everything is cleared.", ge=5, le=120)
    ] = 15.0
    forgotten_card_bell: Annotated[
        float,
        Meta(
            description="How often the bell calls for a card that was left behind.",
            ge=1,
            le=600,
        ),
    ] = 5.0
    pause: Annotated[
        float,
        Meta(
            description="How much more time somebody gets who asks for it; 0: nobody.",
            ge=0,
            le=1800,
        ),
    ] = 120.0


class Language(StrEnum):
    """The languages there are, by code."""

    ENGLISH = "en"
    GERMAN = "de"
    FRENCH = "fr"
    SPANISH = "es"


class Display(Section, frozen=True, kw_only=True):
    """How people are spoken to."""

    languages: Annotated[
        tuple[Language, ...],
        Meta(
            description="What can be chosen on the first screen. The first is spoken "
            "unless another is chosen.",
            min_length=1,
        ),
    ] = tuple(Language)
    high_contrast: Annotated[
        bool,
        Meta(description="Black, white and yellow from the start; C changes it."),
    ] = False
    big_digits: Annotated[
        bool, Meta(description="Draw numbers that are read out three lines high.")
    ] = False


class UnblockStyle(StrEnum):
    """How a module unblocks; PKCS#11 has no portable way."""

    AUTO = "auto"
    NONE = "none"
    SET_PIN = "set_pin"
    INIT_PIN = "init_pin"
    PREFIXES = "prefixes"


class Middleware(Section, frozen=True, kw_only=True):
    """Cards behind a vendor's own software (PKCS#11; needs pin-kiosk[pkcs11])."""

    module: Annotated[
        Path | None,
        Meta(
            description="The vendor's PKCS#11 library, as an absolute path. It runs in "
            "a process of its own. Silent: no middleware, unless search is on."
        ),
    ] = None
    search: Annotated[
        bool,
        Meta(description="Take the first module found where vendors put them."),
    ] = False
    unblock: Annotated[
        UnblockStyle,
        Meta(
            description="How the module sets a PIN with the PUK: auto (where it is "
            "known of the module), none, set_pin (OpenSC, if its own configuration has "
            "user_pin_unblock_style), init_pin (the PUK is the security officer's PIN) "
            "or prefixes (ykcs11)."
        ),
    ] = UnblockStyle.AUTO
    time_limit: Annotated[
        float,
        Meta(
            description="Seconds until a module that does not answer is ended.",
            ge=5,
            le=120,
        ),
    ] = 30.0


class Printing(Section, frozen=True, kw_only=True):
    """Paper to take along: what changed and what to do next; never a PIN."""

    command: Annotated[
        tuple[str, ...],
        Meta(
            description='What prints its standard input, e.g. ["lp", "-d", "desk"]; '
            "silent: nothing is printed."
        ),
    ] = ()


class LifecycleSettings(Section, frozen=True, kw_only=True):
    """What this site does not allow. Edges can be removed here, never added."""

    removed: Annotated[
        tuple[str, ...],
        Meta(
            description="Edges as `kiosk lifecycle` lists them, EVENT STATE: e.g. "
            '"retire active".'
        ),
    ] = ()


class ProfileSettings(Section, frozen=True, kw_only=True):
    """What the site binds itself to beyond its templates."""

    fips_201: Annotated[
        bool,
        Meta(
            description="FIPS 201-3: PINs of six digits at least, ten tries at most, "
            "no unattended unblock without a second factor. `kiosk doctor` says "
            "whether the site meets it."
        ),
    ] = False
    second_factor: Annotated[
        bool,
        Meta(
            description="An unblock with the holder's own PUK needs a code from the "
            "helpdesk besides."
        ),
    ] = False


class NamedBy(StrEnum):
    """By which rule a certificate names the account that it stands for."""

    UPN = "upn"
    """The certificate's userPrincipalName is the account's."""
    E_MAIL = "e-mail"
    """The certificate's e-mail address is in the account's `mail`, and no other's."""
    IDENTITIES = "altSecurityIdentities"
    """The account's altSecurityIdentities names the certificate in a strong form."""
    OFFICER = "officer"
    """An officer says whose it is, and a second one confirms it."""


class Enrollment(Section, frozen=True, kw_only=True):
    """How cards are issued and taken over."""

    ca_certificate_file: Annotated[
        Path | None,
        Meta(
            description="The certificate (PEM) that signs those of issued cards "
            "(`kiosk ca init` makes it); silent: there is no authority of our own."
        ),
    ] = None
    ca_key_file: Annotated[
        Path | None,
        Meta(
            description="Its private key (mode 0600), encrypted with the vault's or "
            "as PEM."
        ),
    ] = None
    certificate_days: Annotated[
        int, Meta(description="How long an issued certificate is valid.", ge=1, le=3650)
    ] = 1095
    trusted_ca_file: Annotated[
        Path | None,
        Meta(
            description="Certificates (PEM) whose cards may be imported with their "
            "key; silent: only the one above."
        ),
    ] = None
    named_by: Annotated[
        NamedBy,
        Meta(
            description="By what a certificate of an imported card names its account: "
            "upn; e-mail (the address in `mail`, which no other account has); "
            "altSecurityIdentities (issuer and serial number, SKI or SHA1-PUKEY: no "
            "weaker form counts); officer (a person says so, a second one confirms it)."
        ),
    ] = NamedBy.UPN


class CertificateOrigin(StrEnum):
    """Who certifies the keys of new cards."""

    LOCAL_CA = "local ca"
    """Our own authority: `enrollment.ca_certificate_file`."""
    FILES = "files"
    """Any authority: requests are written to a folder, certificates put there."""
    EST = "est"
    """A server that speaks EST (RFC 7030)."""


class Certificates(Section, frozen=True, kw_only=True):
    """Where the certificates of new cards come from."""

    source: Annotated[
        CertificateOrigin,
        Meta(
            description="Our own authority (see [enrollment]), a folder between us and "
            "another one, or an EST server."
        ),
    ] = CertificateOrigin.LOCAL_CA
    card_source: Annotated[
        CertificateOrigin | None,
        Meta(
            description="The same for the key (9E) with which a card proves itself "
            "without a PIN; silent: as above."
        ),
    ] = None
    folder: Annotated[
        Path | None,
        Meta(
            description="For files: where requests (*.csr) are written, and "
            "certificates (*.cer) put beside them."
        ),
    ] = None
    url: Annotated[
        str,
        Meta(
            description="For EST: the server, https://host or https://host:port.",
            pattern=r"^(https://[A-Za-z0-9.-]+(:[0-9]{1,5})?)?$",
        ),
    ] = ""
    profile: Annotated[
        str,
        Meta(
            description="For EST: the label of the profile for signing in, where the "
            "server has several.",
            pattern=r"^[A-Za-z0-9._-]*$",
        ),
    ] = ""
    card_profile: Annotated[
        str,
        Meta(
            description="For EST: the label of the profile for the key (9E) of the "
            "card.",
            pattern=r"^[A-Za-z0-9._-]*$",
        ),
    ] = ""
    server_ca_file: Annotated[
        Path | None,
        Meta(
            description="For EST: certificates (PEM) of the authority that signed the "
            "server's own; silent: those the system trusts."
        ),
    ] = None
    user: Annotated[
        str,
        Meta(description="For EST: our name at the server.", pattern=r"^[^:\s]*$"),
    ] = ""
    password_file: Annotated[
        Path | None,
        Meta(description="A file with the password and nothing else (mode 0600)."),
    ] = None
    client_certificate_file: Annotated[
        Path | None,
        Meta(description="For EST: our own TLS certificate (PEM), instead."),
    ] = None
    client_key_file: Annotated[
        Path | None, Meta(description="Its private key (PEM, mode 0600).")
    ] = None
    connect_timeout: Annotated[
        float,
        Meta(description="Seconds until a silent server is given up.", gt=0, le=60),
    ] = 5.0
    receive_timeout: Annotated[
        float, Meta(description="Seconds to wait for one whole answer.", gt=0, le=300)
    ] = 15.0
    wait: Annotated[
        float,
        Meta(
            description="Seconds that the card waits in the reader for somebody's "
            "approval there, before it is taken out and issued again later.",
            ge=0,
            le=600,
        ),
    ] = 30.0
    attestation_ca_file: Annotated[
        Path | None,
        Meta(
            description="Certificates (PEM) of makers whose cards tell that they have "
            "made a key themselves (YubiKeys); silent: cards are not asked."
        ),
    ] = None
    attestation_required: Annotated[
        bool,
        Meta(description="Cards that do not tell it get no certificate."),
    ] = False


class Log(Section, frozen=True, kw_only=True):
    """What happened, by event name; never a PIN, a password or a person's name."""

    file: Annotated[
        Path | None,
        Meta(
            description="Where to write it; silent: standard error, and nothing at "
            "all where that is the screen."
        ),
    ] = None


class Second(StrEnum):
    """What may need two operators."""

    RELEASE = "release"
    REVOKE = "revoke"


class SignInSettings(Section, frozen=True, kw_only=True):
    """How operators sign in at the helpdesk and enrollment screens, and their roles.

    Roles come from groups of the directory, nested ones too; empty: nobody has it.
    """

    helpdesk_group: Annotated[
        str, Meta(description="The group (its DN) whose people are helpdesk.")
    ] = ""
    officer_group: Annotated[
        str, Meta(description="The group of enrollment officers.")
    ] = ""
    auditor_group: Annotated[str, Meta(description="The group of auditors.")] = ""
    administrator_group: Annotated[
        str, Meta(description="The group of administrators, who may do everything.")
    ] = ""
    with_account: Annotated[
        bool,
        Meta(
            description="Operators may sign in with account name and password; else "
            "only with their own card."
        ),
    ] = False
    second_operator: Annotated[
        tuple[Second, ...],
        Meta(
            description="What needs a second operator: any of release, revoke.",
        ),
    ] = ()


class Operator(Section, frozen=True, kw_only=True):
    """Who may act on credentials at this machine, known by the system's login."""

    login: Annotated[
        str, Meta(description="The login name at this machine.", min_length=1)
    ]
    account: Annotated[
        str,
        Meta(
            description="The same person's account in the directory, as name@domain: "
            "nobody acts on their own card.",
            min_length=1,
        ),
    ]
    role: Annotated[OperatorRole, Meta(description="What they may do.")]


class Config(Section, frozen=True, kw_only=True):
    """The whole file."""

    station: StationSettings
    helpdesk: HelpdeskSettings
    directory: DirectorySettings
    registry: RegistrySettings
    vault: VaultSettings
    templates: Templates
    evidence: EvidenceSettings = EvidenceSettings()
    readers: ReadersSettings = ReadersSettings()
    middleware: Middleware = Middleware()
    screens: Screens = Screens()
    display: Display = Display()
    printing: Printing = Printing()
    lifecycle: LifecycleSettings = LifecycleSettings()
    profile: ProfileSettings = ProfileSettings()
    enrollment: Enrollment = Enrollment()
    certificates: Certificates = Certificates()
    log: Log = Log()
    sign_in: SignInSettings = SignInSettings()
    operators: tuple[Operator, ...] = ()
