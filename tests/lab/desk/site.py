"""A small site in memory: a registry, a domain, and a desk for every operator."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.x509 import Certificate
from msgspec.structs import replace

from kiosk.authority.local_office import LocalOffice
from kiosk.authority.office.desk import Desk
from kiosk.authority.office.operators import SignedIn
from kiosk.authority.office.policy import OfficePolicy
from kiosk.authority.office.sign_in import Entrance
from kiosk.authority.proof.seal import SealingKey
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.rules.compliance import ComplianceProfile
from kiosk.certificates.judge import SiteCertificates
from kiosk.config import OperatorRole
from kiosk.config.sections.enrollment import NamedBy
from kiosk.core.clock import ManualClock
from kiosk.core.entropy import SeededEntropy
from kiosk.enrollment.bench import Bench
from kiosk.simulation.domain import SimulatedDirectory
from lab.desk.carried_office import carry_office
from statemachine.lifecycle import Lifecycle, State
from storage.memory_registry import MemoryRegistry
from storage.records import Credential, Escrow, Template
from storage.vault import KeyRing, Vault

STAFF = Template(name="staff")


class Site:
    """A registry, a domain with ann and the operators, and a desk for each role."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.domain = SimulatedDirectory(self.clock, SeededEntropy(1))
        self.registry = MemoryRegistry()
        self.ann = self.domain.add_account("ann")
        for role in OperatorRole:
            self.domain.add_account(self.name(role))
        self.parts = RequiredPorts(
            registry=self.registry,
            directory=self.domain,
            vault=Vault(KeyRing({"k": bytes(32)}), "r"),
            clock=self.clock,
            entropy=SeededEntropy(2),
            lifecycle=Lifecycle(),
            sealing=SealingKey(),
            profile=ComplianceProfile(),
        )
        self.template(STAFF)

    @staticmethod
    def name(role: OperatorRole) -> str:
        return role.split()[-1]

    def desk(self, role: OperatorRole, account: str = "") -> Desk:
        name = self.name(role)
        operator = SignedIn(
            login=name,
            account=account or f"{name}@ad.test",
            roles=frozenset({role}),
        )
        return Desk(
            parts=self.parts,
            operator=operator,
            station="desk-1",
            second_for=frozenset(),
        )

    def kept(self, credential: Credential) -> Credential:
        """Return what the registry has of a credential that the office has shown."""
        return self.registry.read(lambda view: view.credential(credential.id))

    def template(self, template: Template) -> Template:
        return self.registry.run(lambda tx: tx.save_template(template))

    def card(self, id: str = "c1", **fields: object) -> Credential:
        plain = Credential(
            id=id,
            card=f"piv:guid:{id}",
            holder="Ann Example",
            account="ann@ad.test",
            account_guid=self.ann,
            template="staff",
            template_version=1,
            state=State.ACTIVE,
            pin_changed_at=1.0,
            escrow=Escrow(current_sealed="sealed"),
        )
        return self.registry.run(
            lambda tx: tx.save_credential(replace(plain, **fields))
        )

    def last_audit(self) -> tuple[str, str, str, str]:
        event = list(self.registry.audit_events())[-1]
        return event.kind, event.actor, event.credential, event.result

    def state(self, id: str = "c1") -> State:
        return self.registry.run(lambda tx: tx.credential(id)).state


def office_at(
    desk: Desk,
    anchors: Sequence[Certificate] = (),
    named_by: NamedBy = NamedBy.UPN,
) -> LocalOffice:
    """Return the session of a desk's operator, at a site that trusts these issuers."""
    policy = OfficePolicy(
        groups={},
        with_account=True,
        second_for=desk.second_for,
        named_by=named_by,
        expiring_days=30,
    )
    entrance = Entrance(parts=desk.parts, station=desk.station, policy=policy)
    return LocalOffice(entrance, SiteCertificates(lambda: anchors), desk.operator)


def bench_at(
    desk: Desk,
    anchors: Sequence[Certificate] = (),
    named_by: NamedBy = NamedBy.UPN,
) -> Bench:
    """Return where a desk's operator works on cards; the office is elsewhere."""
    return Bench(
        office=carry_office(office_at(desk, anchors, named_by)),
        clock=desk.parts.clock,
        entropy=desk.parts.entropy,
    )
