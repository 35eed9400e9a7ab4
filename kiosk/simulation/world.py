"""A whole station made of simulated parts, behind the same door as a real one.

The visit, the authority and the registry are the real ones; the card, its reader,
the domain, the clock and (when seeded) the randomness are simulated. Rehearsals run
it inline, step by step; the demo runs it with real workers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from kiosk.authority.escrow import approvals
from kiosk.authority.local import LocalAuthority
from kiosk.authority.ports import Authority
from kiosk.authority.proof.seal import SealingKey, hpke
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.rules.compliance import ComplianceProfile
from kiosk.authority.values import StationFault
from kiosk.cards.any_card import MakeCard
from kiosk.cards.ports import Card, ReaderEvent
from kiosk.cards.values import Family, KeyAlgorithm
from kiosk.core.clock import Clock, ManualClock
from kiosk.core.entropy import Entropy, SeededEntropy
from kiosk.core.secret import Secret
from kiosk.core.workers import InlineWorker, SerialWorker
from kiosk.directory.values import PasswordPolicy
from kiosk.pin.drawn import new_puk
from kiosk.simulation.cards.factory import Made, MadeCard, make_card
from kiosk.simulation.cards.middleware import middleware_card
from kiosk.simulation.cards.options import PivOptions
from kiosk.simulation.cards.reader import SimulatedReaders
from kiosk.simulation.domain import DOMAIN_POLICY, SimulatedDirectory
from kiosk.simulation.face_settings import SETTINGS
from kiosk.simulation.interference import Interference
from kiosk.simulation.on_record import (
    OPERATOR,
    SimulatedHolder,
    new_credential,
    record,
)
from kiosk.simulation.rehearsal.backends import Domain, RehearsalReaders
from kiosk.simulation.seeded_hpke import seeded
from kiosk.visit.run import Worker, Workplace
from kiosk.visit.station import FaceSettings
from kiosk.visit.visit import Visit
from statemachine.guards import Facts
from statemachine.lifecycle import Event, Lifecycle, Standing, State
from storage.memory_registry import MemoryRegistry
from storage.records import (
    ApprovalKind,
    AuditDraft,
    Credential,
    Sync,
    Template,
)
from storage.registry import Registry, Tx
from storage.vault import KeyRing, Vault

MIDDLEWARE: dict[Family, MakeCard] = {Family.PKCS11: middleware_card}
"""What speaks to the cards that we do not speak to ourselves."""

Reach = Callable[[RequiredPorts, str], Authority]
"""Gives the station of that name its port of the authority with these parts."""


class World:
    """`station.Station` on simulated parts, and the hands that move them."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        entropy: Entropy | None = None,
        registry: Registry | None = None,
        policy: PasswordPolicy = DOMAIN_POLICY,
        readers: RehearsalReaders | None = None,
        domain: Domain | None = None,
        card_worker: Worker | None = None,
        authority_worker: Worker | None = None,
        settings: FaceSettings = SETTINGS,
        profile: ComplianceProfile = ComplianceProfile(),  # noqa: B008 - immutable
        lifecycle: Lifecycle | None = None,
        reach: Reach | None = None,
    ) -> None:
        """`reach`: how stations get at their authority; silent: in this process."""
        self._reach = reach
        self.clock = clock or ManualClock()
        self.entropy = entropy or SeededEntropy(1)
        self.registry: Registry = registry or MemoryRegistry()
        self.directory: Domain = domain or SimulatedDirectory(
            self.clock, self.entropy, policy=policy
        )
        self.readers: RehearsalReaders = readers or SimulatedReaders(
            clock=self.clock, more=MIDDLEWARE
        )
        self.holders: dict[str, SimulatedHolder] = {}
        self.settings = settings
        self.profile = profile
        self._lifecycle = lifecycle or Lifecycle()
        self._vault = Vault(
            KeyRing({"world": self.entropy.bytes(32)}),
            "world",
            random_bytes=self.entropy.bytes,
        )
        is_seeded = isinstance(self.entropy, SeededEntropy)
        self.encrypt = seeded(self.entropy) if is_seeded else hpke
        self._card_worker = card_worker or InlineWorker()
        self._authority_worker = authority_worker or InlineWorker()
        self._errand_worker: Worker = (
            SerialWorker("errands") if authority_worker else InlineWorker()
        )
        self.restart()

    def restart(self) -> None:
        """A new process: new sealing key, same registry, card and directory."""
        self.parts = RequiredPorts(
            registry=self.registry,
            directory=self.directory,
            vault=self._vault,
            clock=self.clock,
            entropy=self.entropy,
            lifecycle=self._lifecycle,
            sealing=SealingKey(self.entropy),
            profile=self.profile,
        )
        self.authority = Interference(self._reached(self.settings.station))

    # --- station.Station ------------------------------------------------------

    def start(self, emit: Callable[[ReaderEvent], None]) -> None:
        self.readers.start(emit)

    def health(self) -> tuple[StationFault, ...]:
        return self.authority.port.health()

    def authority_of(self, station: str) -> Authority:
        """Return the authority as a station has it, with what lies between."""
        return self.authority.between(self._reached(station))

    def _reached(self, station: str) -> Authority:
        if self._reach is not None:
            return self._reach(self.parts, station)
        return LocalAuthority(self.parts, station)

    def visit(self, card: Card, station: str = "") -> Visit:
        return Visit(
            Workplace(
                card=card,
                authority=self.authority_of(station or self.settings.station),
                worker=self._authority_worker,
                encrypt=self.encrypt,
            )
        )

    def on_card_worker(self, job: Callable[[], None]) -> None:
        self._card_worker.submit(job)

    def on_authority_worker(self, job: Callable[[], None]) -> None:
        self._authority_worker.submit(job)

    def beside(self, job: Callable[[], None]) -> None:
        self._errand_worker.submit(job)

    def stop(self) -> None:
        self.readers.stop()

    # --- what is given --------------------------------------------------------

    def add_template(self, template: Template) -> None:
        """Save a template."""
        self.registry.run(lambda tx: tx.save_template(template))

    def make_card(
        self,
        subject: str,
        *,
        pin: bytes,
        puk: bytes = b"",
        algorithm: KeyAlgorithm = KeyAlgorithm.P256,
        options: PivOptions | None = None,
        with_card_authentication: bool = True,
        guid: bytes = b"",
    ) -> tuple[MadeCard, Secret]:
        """Make a card nobody has registered; returned with its PUK (drawn if empty)."""
        own = Secret(puk) if puk else new_puk(self.entropy)
        made = make_card(
            self.entropy,
            subject=subject,
            pin=pin,
            puk=bytes(own.reveal()),
            algorithm=algorithm,
            options=options,
            guid=guid,
            with_card_authentication=with_card_authentication,
        )
        return made, own

    def register(
        self,
        name: str,
        made: Made[Any],
        puk: Secret | None,
        *,
        account_guid: str,
        template: str,
        state: State = State.ACTIVE,
        sync: Sync = Sync.IN_STEP,
        keyless: bool = False,
        transport_pin: Secret | None = None,
        admin_key: Secret | None = None,
    ) -> SimulatedHolder:
        """Put a card on record, as an issuer or an import would have."""
        own = f"credential-{name}"
        credential = new_credential(
            self.parts,
            own,
            made,
            puk,
            account=self.directory.account(account_guid),
            template=template,
            state=state,
            sync=sync,
            keyless=keyless,
            transport_pin=transport_pin,
            admin_key=admin_key,
        )
        self.registry.run(lambda tx: record(tx, credential, self.clock.now()))
        self.holders[name] = SimulatedHolder(name, made, own, account_guid)
        return self.holders[name]

    # --- what operators do ----------------------------------------------------

    def release_code(self, name: str) -> Secret:
        """A helpdesk releases an unblock: a code for this person."""
        return self._code(name, ApprovalKind.RELEASE)

    def activation_code(self, name: str) -> Secret:
        """An officer hands out an activation code."""
        return self._code(name, ApprovalKind.ACTIVATION)

    def _code(self, name: str, kind: ApprovalKind) -> Secret:
        return approvals.issue_code(
            self.parts,
            credential=self.holders[name].credential,
            kind=kind,
            operator=OPERATOR,
            station=self.settings.station,
            valid_for=approvals.RELEASE_SECONDS,
            last_try=False,
        )

    def operate(self, name: str, event: Event) -> None:
        """An operator suspends, resumes, revokes or retires a credential."""
        self.registry.run(lambda tx: self._operate(tx, name, event))

    def _operate(self, tx: Tx, name: str, event: Event) -> None:
        credential = tx.credential(self.holders[name].credential)
        standing = Standing(credential.state, credential.suspended_from)
        after = self.parts.lifecycle.apply(standing, event, Facts())
        if not isinstance(after, Standing):
            raise ValueError(f"{event} is not possible: {after.code}")
        tx.save_credential(
            replace(credential, state=after.state, suspended_from=after.origin)
        )
        tx.audit(
            AuditDraft(
                at=self.clock.now(),
                station=self.settings.station,
                kind=f"lifecycle.{event}",
                actor=OPERATOR,
                credential=credential.id,
            )
        )

    # --- what is observed -----------------------------------------------------

    def credential(self, name: str) -> Credential:
        """Return a person's credential as the registry has it now."""
        own = self.holders[name].credential
        return self.registry.run(lambda tx: tx.credential(own))
