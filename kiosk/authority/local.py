"""The authority in the station's own process: the port, one line per step."""

from __future__ import annotations

from kiosk.authority.escrow import (
    admin_unblock,
    approvals,
    escrowed_secrets,
    puk_replacement,
    puk_unblock,
)
from kiosk.authority.operation import authorise, card_steps, judging, prepare, writing
from kiosk.authority.ports import (
    AdminProof,
    Announced,
    CardLimits,
    Challenge,
    OpenedCredential,
    OpenRequest,
    Prepared,
    PresenceChallenge,
    PukPlan,
    PukTry,
    Release,
    StationFault,
    WriteVerdict,
)
from kiosk.authority.proof import presence
from kiosk.authority.required_ports import RequiredPorts
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.directory.ports import DirectoryError
from statemachine.candidates import Label
from statemachine.operation import Kind
from storage.records import ApprovalKind
from storage.registry import RegistryError


class LocalAuthority:
    """`ports.Authority`, embedded. Used on the authority worker's thread only."""

    def __init__(self, parts: RequiredPorts) -> None:
        self._parts = parts

    def health(self) -> tuple[StationFault, ...]:
        faults: list[StationFault] = []
        try:
            self._parts.registry.read(lambda view: view.count())
        except RegistryError as error:
            faults.append(
                StationFault(part="store", message=Message(error.code, error.data))
            )
        try:
            with self._parts.directory.connect():
                pass
        except DirectoryError as error:
            faults.append(StationFault(part="directory", message=error.message))
        return tuple(faults)

    def open(self, request: OpenRequest) -> OpenedCredential:
        return judging.open_case(self._parts, request)

    def challenge_presence(
        self, credential: str, station: str
    ) -> PresenceChallenge | None:
        return presence.challenge(self._parts, credential, station)

    def prove_presence(
        self,
        credential: str,
        station: str,
        nonce: bytes,
        signature: bytes,
        tries_left: int | None,
    ) -> None:
        presence.prove(self._parts, credential, station, nonce, signature, tries_left)

    def prepare(
        self,
        credential: str,
        kind: Kind,
        station: str,
        limits: CardLimits,
        announced: Announced,
    ) -> Prepared:
        return prepare.prepare(
            self._parts,
            id=credential,
            kind=kind,
            station=station,
            limits=limits,
            announced=announced,
        )

    def renew_nonce(self, operation: str) -> Challenge:
        return prepare.renew(self._parts, operation)

    def redeem(self, operation: str, kind: ApprovalKind, code: Secret) -> None:
        approvals.redeem(self._parts, operation, kind, code)

    def release(
        self, operation: str, presence_nonce: bytes, presence_signature: bytes
    ) -> Release:
        return escrowed_secrets.release(
            self._parts, operation, presence_nonce, presence_signature
        )

    def admin_challenge(self, operation: str) -> bytes:
        return admin_unblock.challenge(self._parts, operation)

    def admin_proof(self, operation: str, card_challenge: bytes) -> AdminProof:
        return admin_unblock.proof(self._parts, operation, card_challenge)

    def admin_proven(self, operation: str, answered: bytes) -> None:
        admin_unblock.proven(self._parts, operation, answered)

    def puk_next(
        self, operation: str, tried: tuple[Label, ...], told: int | None
    ) -> PukTry:
        return puk_unblock.next_try(self._parts, operation, tried, told)

    def puk_typed(self, operation: str, told: int | None) -> None:
        puk_unblock.typing(self._parts, operation, told)

    def puk_wrong(self, operation: str, label: Label, left: int | None) -> None:
        puk_unblock.wrong(self._parts, operation, label, left)

    def puk_unheard(self, operation: str, label: Label) -> None:
        puk_unblock.unheard(self._parts, operation, label)

    def puk_accepted(self, operation: str, label: Label) -> None:
        puk_unblock.accepted(self._parts, operation, label)

    def prove_card(self, operation: str, nonce: bytes, signature: bytes) -> None:
        puk_replacement.prove_card(self._parts, operation, nonce, signature)

    def puk_plan(self, operation: str, told: int | None) -> PukPlan | None:
        return puk_replacement.plan(self._parts, operation, told)

    def puk_replaced(self, operation: str) -> None:
        puk_replacement.replaced(self._parts, operation)

    def puk_not_replaced(self, operation: str, label: Label, left: int | None) -> None:
        puk_replacement.not_replaced(self._parts, operation, label, left)

    def puk_new_refused(self, operation: str, label: Label) -> None:
        puk_replacement.new_refused(self._parts, operation, label)

    def authorise(
        self, operation: str, nonce: bytes, signature: bytes, sealed: bytes
    ) -> None:
        authorise.authorise(self._parts, operation, nonce, signature, sealed)

    def card_changing(self, operation: str) -> None:
        card_steps.changing(self._parts, operation)

    def card_changed(self, operation: str) -> None:
        card_steps.changed(self._parts, operation)

    def write(self, operation: str, sealed: bytes) -> WriteVerdict:
        return writing.write(self._parts, operation, sealed)

    def rolled_back(self, operation: str, *, restored: bool) -> None:
        card_steps.rolled_back(self._parts, operation, restored=restored)

    def refuse(self, operation: str, reason: Message) -> None:
        card_steps.refuse(self._parts, operation, reason)

    def leave_out_of_step(self, operation: str, reason: Message) -> None:
        card_steps.leave_out_of_step(self._parts, operation, reason)
