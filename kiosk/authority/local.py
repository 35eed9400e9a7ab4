"""The authority in the station's own process: the port, one line per step."""

from __future__ import annotations

from kiosk.authority.errors import Refused
from kiosk.authority.escrow import (
    admin_unblock,
    approvals,
    puk_replacement,
    puk_unblock,
)
from kiosk.authority.operation import (
    authorise,
    card_first,
    card_steps,
    judging,
    prepare,
    writing,
)
from kiosk.authority.proof import presence
from kiosk.authority.repeats import Once, answers_once, happens_once
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.values import (
    AdminProof,
    Challenge,
    OpenedCredential,
    OpenRequest,
    OperationOutcome,
    Prepared,
    PrepareRequest,
    PresenceChallenge,
    PukPlan,
    PukTry,
    Release,
    StationFault,
    WriteVerdict,
)
from kiosk.core.errors import Message, said_of
from kiosk.core.secret import Secret
from kiosk.directory.errors import DirectoryError
from statemachine.candidates import Label
from storage.errors import RegistryError
from storage.records import ApprovalKind, AuditDraft, Operation


class LocalAuthority:
    """`ports.Authority` for one station. On one thread at a time, its registry's."""

    def __init__(self, parts: RequiredPorts, station: str, key: str = "") -> None:
        """`station`: who is asking. An operation of another one is Refused.

        `key`: the station's own name for one call that may come again
        (`kiosk.authority.repeats`); then this is the port for that call.
        """
        self._parts = parts
        self._station = station
        self._once = Once(parts, station, key)

    def health(self) -> tuple[StationFault, ...]:
        faults: list[StationFault] = []
        try:
            self._parts.registry.read(lambda view: view.heads())
        except RegistryError as error:
            faults.append(StationFault(part="store", message=said_of(error)))
        try:
            with self._parts.directory.connect():
                pass
        except DirectoryError as error:
            faults.append(StationFault(part="directory", message=error.message))
        return tuple(faults)

    def open(self, request: OpenRequest) -> OpenedCredential:
        return judging.open_credential(self._parts, self._station, request)

    @answers_once
    def challenge_presence(self, credential: str) -> PresenceChallenge | None:
        return self._once.commit(
            lambda tx: presence.challenge(tx, self._parts, credential, self._station)
        )

    @happens_once
    def prove_presence(
        self,
        credential: str,
        nonce: bytes,
        signature: bytes,
        request: OpenRequest,
    ) -> OpenedCredential:
        left = request.seen.tries_left
        presence.prove(
            self._parts,
            self._once,
            credential,
            self._station,
            nonce,
            signature,
            left,
        )
        return judging.open_credential(self._parts, self._station, request)

    @answers_once
    def prepare(self, request: PrepareRequest) -> Prepared:
        return prepare.prepare(self._parts, self._once, self._station, request)

    def outcome(self, operation: str) -> OperationOutcome:
        self._must_be_ours(operation)
        return card_steps.outcome(self._parts, operation)

    @answers_once
    def redeem(self, operation: str, kind: ApprovalKind, code: Secret) -> None:
        self._must_be_ours(operation)
        approvals.redeem(self._parts, self._once, operation, kind, code)

    @answers_once
    def release(
        self,
        operation: str,
        presence_nonce: bytes,
        presence_signature: bytes,
        told: int | None,
    ) -> Release:
        self._must_be_ours(operation)
        return card_first.release(
            self._parts, self._once, operation, presence_nonce, presence_signature, told
        )

    @answers_once
    def admin_challenge(self, operation: str) -> bytes:
        self._must_be_ours(operation)
        return admin_unblock.challenge(self._parts, self._once, operation)

    @answers_once
    def admin_proof(self, operation: str, card_challenge: bytes) -> AdminProof:
        self._must_be_ours(operation)
        return admin_unblock.proof(self._parts, self._once, operation, card_challenge)

    @answers_once
    def admin_proven(self, operation: str, answered: bytes) -> None:
        self._must_be_ours(operation)
        card_first.admin_proven(self._parts, self._once, operation, answered)

    @answers_once
    def puk_next(
        self, operation: str, tried: tuple[Label, ...], told: int | None
    ) -> PukTry:
        self._must_be_ours(operation)
        return puk_unblock.next_try(self._parts, self._once, operation, tried, told)

    @answers_once
    def puk_typed(self, operation: str, told: int | None) -> None:
        self._must_be_ours(operation)
        card_first.puk_typed(self._parts, self._once, operation, told)

    @answers_once
    def puk_wrong(self, operation: str, label: Label, left: int | None) -> None:
        self._must_be_ours(operation)
        puk_unblock.wrong(self._parts, self._once, operation, label, left)

    @answers_once
    def puk_unheard(self, operation: str, label: Label) -> None:
        self._must_be_ours(operation)
        puk_unblock.unheard(self._parts, self._once, operation, label)

    @answers_once
    def puk_accepted(self, operation: str, label: Label) -> None:
        self._must_be_ours(operation)
        puk_unblock.accepted(self._parts, self._once, operation, label)

    @answers_once
    def prove_card(self, operation: str, nonce: bytes, signature: bytes) -> None:
        self._must_be_ours(operation)
        puk_replacement.prove_card(self._parts, self._once, operation, nonce, signature)

    @answers_once
    def puk_plan(self, operation: str, told: int | None) -> PukPlan | None:
        self._must_be_ours(operation)
        return puk_replacement.plan(self._parts, self._once, operation, told)

    @answers_once
    def puk_replaced(self, operation: str) -> None:
        self._must_be_ours(operation)
        puk_replacement.replaced(self._parts, self._once, operation)

    @answers_once
    def puk_not_replaced(self, operation: str, label: Label, left: int | None) -> None:
        self._must_be_ours(operation)
        puk_replacement.not_replaced(self._parts, self._once, operation, label, left)

    @answers_once
    def puk_new_refused(self, operation: str, label: Label) -> None:
        self._must_be_ours(operation)
        puk_replacement.new_refused(self._parts, self._once, operation, label)

    @answers_once
    def authorise(
        self,
        operation: str,
        nonce: bytes,
        signature: bytes,
        sealed: bytes,
        *,
        going_on: bool,
    ) -> None:
        authorise.authorise(
            self._parts,
            self._once,
            self._must_be_ours(operation),
            nonce,
            signature,
            sealed,
            going_on=going_on,
        )

    @answers_once
    def card_changing(self, operation: str) -> None:
        self._must_be_ours(operation)
        card_steps.changing(self._parts, self._once, operation)

    @answers_once
    def card_changed(self, operation: str, taken: Label | None) -> Challenge | None:
        self._must_be_ours(operation)
        return card_steps.changed(self._parts, self._once, operation, taken)

    @answers_once
    def write(self, operation: str, sealed: bytes) -> WriteVerdict:
        ours = self._must_be_ours(operation)
        return writing.write(self._parts, self._once, ours, sealed)

    @answers_once
    def rolled_back(self, operation: str, *, restored: bool) -> None:
        self._must_be_ours(operation)
        card_steps.rolled_back(self._parts, self._once, operation, restored=restored)

    @answers_once
    def refuse(self, operation: str, reason: Message) -> None:
        self._must_be_ours(operation)
        card_steps.refuse(self._parts, self._once, operation, reason)

    @answers_once
    def leave_out_of_step(self, operation: str, reason: Message) -> None:
        self._must_be_ours(operation)
        card_steps.leave_out_of_step(self._parts, self._once, operation, reason)

    def _must_be_ours(self, operation: str) -> Operation:
        """Return it as it is. Refused, audited: another station has prepared it."""
        parts = self._parts
        found = parts.registry.read(lambda view: view.operation(operation))
        if found.station == self._station:
            return found
        refused = AuditDraft(
            at=parts.clock.now(),
            station=self._station,
            kind="operation.not_ours",
            actor="station",
            credential=found.credential,
            operation=found.id,
            data={"of": found.station},
        )
        parts.registry.run(lambda tx: tx.audit(refused))
        raise Refused(Message("stop.operation_elsewhere"))
