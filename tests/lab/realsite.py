"""A station of real parts: its configuration, a registered card, and its holder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kiosk import bootstrap
from kiosk.authority.escrow import escrowed_secrets
from kiosk.authority.required_ports import RequiredPorts
from kiosk.cards.values import KeyAlgorithm
from kiosk.config import Config, load
from kiosk.core.entropy import SystemEntropy
from kiosk.core.secret import Secret
from kiosk.directory.metadata import mark_of
from kiosk.simulation.cards.factory import MadeCard, make_card
from kiosk.simulation.on_record import record
from lab.domain.samba import SambaDomain
from lab.domain.samba_objects import LabUser
from statemachine.lifecycle import State
from storage.records import Credential, Escrow, LastSync, PasswordMark, PublicKey, Sync
from storage.vault import add_key

PIN, NEW_PIN = "271828", "314159"
_CONFIGURATION = """\
[station]
name = "kiosk-1"
title = "Card PIN kiosk"

[helpdesk]
contact = "extension 4711"

[directory]
dcs = ["{address}"]
base_dn = "{base_dn}"
service_account = "{account}"
password_file = "{password_file}"
ca_file = "{ca_file}"

[registry]
path = "{folder}/registry/registry.journal"
postgresql = "{postgresql}"
id = "0123456789abcdef"

[vault]
key_file = "{folder}/vault.key"

[templates]
folder = "{folder}/templates"

[log]
file = "{folder}/kiosk.log"
"""


@dataclass(slots=True)
class RealSite:
    """Where a station's files are, who its one holder is, and the holder's card."""

    folder: Path
    config_file: Path
    user: LabUser
    made: MadeCard

    @property
    def config(self) -> Config:
        return load(self.config_file)


def found(
    folder: Path,
    domain: SambaDomain,
    algorithm: KeyAlgorithm = KeyAlgorithm.P256,
    postgresql: str = "",
) -> RealSite:
    """Found a station in an empty folder: one user, one card, both in step."""
    folder.chmod(0o700)
    for name in ("templates", "registry"):
        (folder / name).mkdir(mode=0o700)
    (folder / "templates" / "staff.toml").write_text('name = "staff"\n')
    add_key(folder / "vault.key")
    config_file = folder / "kiosk.toml"
    config_file.touch(mode=0o600)
    config_file.write_text(
        _CONFIGURATION.format(
            address=domain.address,
            base_dn=domain.base_dn,
            account=domain.service_account,
            password_file=domain.password_file,
            ca_file=domain.ca_file,
            folder=folder,
            postgresql=postgresql,
        )
    )
    user = domain.add_user(password=PIN)
    made = make_card(
        SystemEntropy(),
        subject=user.upn,
        pin=PIN.encode(),
        puk=b"PUKPUK01",
        algorithm=algorithm,
    )
    bootstrap.found_registry(load(config_file))
    parts = bootstrap.parts_of(load(config_file))
    try:
        _register(parts, domain, user, made)
    finally:
        parts.registry.close()
    return RealSite(folder, config_file, user, made)


def _register(
    parts: RequiredPorts, domain: SambaDomain, user: LabUser, made: MadeCard
) -> None:
    proving = made.card_authentication
    assert proving is not None
    with Secret(b"PUKPUK01") as puk:
        current = escrowed_secrets.seal_field(parts, "c1", "escrow.current", puk)
    credential = Credential(
        id="c1",
        card=made.identity.key,
        holder="Alice Arnold",
        account=user.upn,
        account_guid=str(user.guid),
        template="staff",
        template_version=1,
        state=State.ACTIVE,
        sync=Sync.IN_STEP,
        authentication_key=PublicKey(
            slot="9A",
            algorithm=made.authentication.algorithm,
            spki=made.authentication.spki,
        ),
        card_authentication_key=PublicKey(
            slot="9E", algorithm=proving.algorithm, spki=proving.spki
        ),
        last_sync=_last_sync(domain, user),
        escrow=Escrow(current_sealed=current),
        pin_changed_at=0.0,
    )
    parts.registry.run(lambda tx: record(tx, credential, parts.clock.now()))


def _last_sync(domain: SambaDomain, user: LabUser) -> LastSync:
    mark = mark_of(domain.attribute(user, "replPropertyMetaData"))
    return LastSync(
        at=0.0,
        dc=domain.address,
        pwd_last_set=domain.pwd_last_set(user),
        mark=PasswordMark(
            version=mark.password.version,
            origin=mark.password.origin,
            usn=mark.password.usn,
        ),
    )
