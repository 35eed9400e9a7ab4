"""The office in the authority's own process: the port, one line per call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import BinaryIO

from kiosk.authority.local import LocalAuthority
from kiosk.authority.local_card_work import LocalCardWork
from kiosk.authority.office import (
    caller,
    credential_view,
    desk,
    evidence_export,
    evidence_list,
    evidence_seen,
    fleet,
    holder_codes,
    lifecycle_events,
    listing,
    people,
    risk,
    sign_in,
    telephone_unblock,
)
from kiosk.authority.office import templates as template_versions
from kiosk.authority.office.certificates import CertificateJudge
from kiosk.authority.office.fleet import GivenToken
from kiosk.authority.office.list_values import (
    EvidenceFound,
    Rows,
    Wanted,
    Worklist,
)
from kiosk.authority.office.operators import Action, SignedIn, require
from kiosk.authority.office.policy import OfficePolicy
from kiosk.authority.office.ports import Office
from kiosk.authority.office.shown import shown
from kiosk.authority.office.sign_in import Entrance
from kiosk.authority.office.tally import Tally
from kiosk.authority.office.template_meaning import CardsOfTemplate
from kiosk.authority.office.values import (
    MOST,
    CodeInUse,
    CredentialView,
    GivenCode,
    JudgedEvidence,
    LockoutSeen,
    OfficeRules,
    Receipt,
    Report,
    SignInChallenge,
    SignInProof,
    TemplateMeaning,
)
from kiosk.authority.ports import Authority
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.stations.standing import SeenStation
from kiosk.config.sections.station import StationRole
from kiosk.core.secret import Secret
from statemachine.lifecycle import State
from storage.records import ApprovalKind, Credential, StationRecord, Sync, Template


class LocalOfficeAuthority:
    """`ports.OfficeAuthority` for one station. Used on the authority worker only."""

    def __init__(
        self,
        parts: RequiredPorts,
        station: str,
        policy: OfficePolicy,
        certificates: CertificateJudge,
    ) -> None:
        """`station`: who is asking."""
        self._entrance = Entrance(parts=parts, station=station, policy=policy)
        self._certificates = certificates

    @property
    def rules(self) -> OfficeRules:
        policy = self._entrance.policy
        return OfficeRules(
            with_account=policy.with_account, second_for=policy.second_for
        )

    def sign_in_challenge(self, card: str, tries_left: int | None) -> SignInChallenge:
        return sign_in.challenge(self._entrance, card, tries_left)

    def sign_in_by_card(self, proof: SignInProof) -> LocalOffice:
        return self.session(sign_in.by_card(self._entrance, proof))

    def sign_in_by_account(self, name: str, password: Secret) -> LocalOffice:
        return self.session(sign_in.by_account(self._entrance, name, password))

    def session(self, operator: SignedIn) -> LocalOffice:
        """Begin a session of somebody who is known already, by the system's login."""
        return LocalOffice(self._entrance, self._certificates, operator)


class LocalOffice(LocalCardWork):
    """`ports.Office`: one operator at one station. Authority worker's thread only."""

    def __init__(
        self, entrance: Entrance, certificates: CertificateJudge, operator: SignedIn
    ) -> None:
        super().__init__(entrance, certificates, operator)
        self._tally = Tally(entrance.parts.registry)
        self._counted: CardsOfTemplate | None = None
        """Of the template that was edited last."""

    @property
    def operator(self) -> SignedIn:
        return self._desk.operator

    def still(self) -> None:
        operator = sign_in.still(self._desk.parts, self._policy, self.operator)
        self._desk = replace(self._desk, operator=operator)

    # --- looking --------------------------------------------------------------

    def look(self, wanted: Wanted) -> Rows:
        days = self._policy.expiring_days
        return listing.look(self._desk, wanted, expiring_days=days)

    def meant(self, term: str) -> str:
        return listing.meant(self._desk, term)

    def counts(self) -> dict[Worklist, int]:
        days = self._policy.expiring_days
        return listing.counts(self._desk, self._tally, expiring_days=days)

    def credentials(
        self, *, state: State | None = None, sync: Sync | None = None
    ) -> Iterator[Credential]:
        found = credential_view.credentials(self._desk, state=state, sync=sync)
        return map(shown, found)

    def find(self, term: str) -> Credential:
        require(self.operator, Action.LOOK)
        return shown(desk.find(self._desk, term))

    def credential(self, id: str) -> Credential:
        require(self.operator, Action.LOOK)
        return shown(self._record(id))

    def view(self, id: str) -> CredentialView:
        return credential_view.view(self._desk, self._record(id))

    def lockout(self, id: str) -> LockoutSeen:
        return people.lockout(self._desk, self._record(id))

    def set_back_at(self) -> float | None:
        return evidence_seen.set_back_at(self._desk)

    def verified(
        self, told: Callable[[int, int], None] = lambda _done, _events: None
    ) -> JudgedEvidence:
        return evidence_seen.verified(self._desk, told)

    def receipt(self, number: str) -> Receipt | None:
        return evidence_seen.receipt(self._desk, number)

    def export(
        self,
        name: str,
        station: str | None,
        told: Callable[[int, int], None] = lambda _done, _events: None,
    ) -> Callable[[BinaryIO], int]:
        return evidence_export.export(self._desk, name, station, told)

    def evidence(self, term: str, *, most: int) -> EvidenceFound:
        return evidence_list.look(self._desk, term, most=most)

    def note_export(self, name: str) -> None:
        require(self.operator, Action.EXPORT)
        desk.note(self._desk, "audit.exported", data={"file": name})

    def risks(
        self, told: Callable[[int, int], None] = lambda _done, _accounts: None
    ) -> Report:
        require(self.operator, Action.EXPORT)
        return risk.report(self._desk.parts, told)

    # --- deciding -------------------------------------------------------------

    def act(
        self, action: Action, id: str, reason: str, second: Office | None
    ) -> Credential:
        agreeing = _person(second)
        record = self._record(id)
        return shown(lifecycle_events.act(self._desk, action, record, reason, agreeing))

    def close_case(self, id: str, reason: str) -> Credential:
        return shown(lifecycle_events.close_case(self._desk, self._record(id), reason))

    def spends_last_try(self, id: str) -> bool:
        require(self.operator, Action.LOOK)
        return holder_codes.spends_last_try(
            *desk.as_of_now(self._desk, self._record(id))
        )

    def give_code(
        self, id: str, kind: ApprovalKind, second: Office | None, *, last_try: bool
    ) -> GivenCode:
        agreeing = _person(second)
        record = self._record(id)
        return holder_codes.give(self._desk, record, kind, agreeing, last_try=last_try)

    def follow(self, id: str, kind: ApprovalKind) -> CodeInUse | None:
        return caller.follow(self._desk, id, kind)

    def details(self, id: str) -> tuple[str, ...]:
        return caller.details(self._desk, self._record(id))

    def answer(self, id: str, challenge: Secret, second: Office | None) -> str:
        agreeing = _person(second)
        return telephone_unblock.answer(
            self._desk, self._record(id), challenge, agreeing
        )

    def visit_port(self) -> Authority:
        require(self.operator, Action.LOOK)
        return LocalAuthority(self._desk.parts, self._desk.station)

    def must_not_be_own(self, id: str) -> None:
        lifecycle_events.must_not_be_own(self._desk, self._record(id))

    def templates(self) -> list[Template]:
        require(self.operator, Action.LOOK)
        return self._desk.parts.registry.read(lambda view: view.templates(limit=MOST))

    def template(self, name: str, version: int | None = None) -> Template:
        require(self.operator, Action.LOOK)
        return self._desk.parts.registry.read(lambda view: view.template(name, version))

    def template_meaning(self, draft: Template) -> TemplateMeaning:
        require(self.operator, Action.TEMPLATES)
        parts, counted = self._desk.parts, self._counted
        if counted is None or counted.name != draft.name:
            counted = CardsOfTemplate(parts.registry, draft.name, parts.profile)
            self._counted = counted
        return counted.meaning(draft, parts.clock.now())

    def check_template(self, template: Template) -> None:
        require(self.operator, Action.TEMPLATES)
        template_versions.satisfiable(self._desk.parts.directory, template)

    def publish(self, templates: Sequence[Template]) -> tuple[Template, ...]:
        require(self.operator, Action.TEMPLATES)
        return template_versions.publish(
            self._desk.parts.registry,
            templates,
            at=self._desk.parts.clock.now(),
            station=self._desk.station,
            actor=self.operator.account,
        )

    # --- the fleet --------------------------------------------------------------

    def give_station_token(self, station: str, role: StationRole) -> GivenToken:
        return fleet.give_token(self._desk, station, role)

    def stations(self) -> tuple[SeenStation, ...]:
        return fleet.stations(self._desk)

    def station(self, id: str) -> SeenStation:
        return fleet.station(self._desk, id)

    def revoke_station(self, id: str, reason: str) -> StationRecord:
        return fleet.revoke(self._desk, id, reason)

    def rename_station(self, id: str, name: str) -> StationRecord:
        return fleet.rename(self._desk, id, name)


def _person(second: Office | None) -> SignedIn | None:
    """Return who a second session is of."""
    return second.operator if second is not None else None
