"""A card is issued: on record first, then changed by who has it, then proven.

The credential and the card's new secrets are on record before the card is changed.
A personalisation that does not end well leaves a retired credential whose escrow
opens the card again, so it can simply be repeated.
"""

from __future__ import annotations

from msgspec.structs import replace

from kiosk.authority.errors import ProofFailed
from kiosk.authority.escrow import puks
from kiosk.authority.escrow.escrowed_secrets import CURRENT, PENDING, TRANSPORT
from kiosk.authority.escrow.escrowed_secrets import seal_field as seal
from kiosk.authority.office import key_records, people
from kiosk.authority.office.admin_keys import KEPT
from kiosk.authority.office.card_values import (
    BeginIssue,
    CardOpening,
    FinishIssue,
    JudgedOrder,
)
from kiosk.authority.office.desk import Desk, drafted, holder_of, judged_holder
from kiosk.authority.office.key_records import PossessionProof
from kiosk.authority.office.operators import Action, require
from kiosk.authority.office.predecessors import (
    ADMIN_KEY,
    ADMIN_KEY_BEFORE,
    is_unfinished,
    must_be_unfinished,
)
from kiosk.authority.operation import transitions
from kiosk.core.secret import Secret
from statemachine.candidates import Candidate, Puk
from statemachine.guards import Facts
from statemachine.lifecycle import Event, Standing, State
from statemachine.puk import Known
from storage.records import Credential, Escrow, FirstPin
from storage.registry import Tx


def judge(desk: Desk, account: str, template: str) -> JudgedOrder:
    """Say for whom and as what a card may be issued.

    NotInRole, Refused, DirectoryError.
    """
    holder = holder_of(desk, Action.ISSUE, account)
    found = desk.parts.registry.read(lambda view: view.template(template))
    return JudgedOrder(
        credential=desk.parts.entropy.bytes(8).hex(),
        holder=people.holder(holder),
        template=found,
    )


# --- before the card is changed ----------------------------------------------


def begin(desk: Desk, wanted: BeginIssue) -> Credential:
    """Put the credential on record, with what opens its card now and will then.

    One that was never finished is taken up again: trying leaves nothing behind.
    NotInRole, Refused, DirectoryError.
    """
    holder = judged_holder(desk, Action.ISSUE, wanted.holder)
    now = desk.parts.clock.now()

    def commit(tx: Tx) -> Credential:
        template = tx.template(wanted.template, wanted.template_version)
        before = tx.credential(wanted.predecessor) if wanted.predecessor else None
        again = before if before is not None and is_unfinished(before) else None
        name = again.id if again is not None else wanted.credential
        opened = _opening(desk, wanted.opening, name, before)
        credential = replace(
            opened,
            card=wanted.card,
            holder=holder.display_name or holder.sam_account_name,
            account=holder.name,
            account_guid=holder.guid,
            template=template.name,
            template_version=template.version,
            issued_at=now,
            expires_at=wanted.expires_at,
            version=again.version if again is not None else 0,
        )
        standing = None
        if before is not None:
            standing = Standing(before.state, before.suspended_from)
        return key_records.issue(tx, desk, credential, standing=standing, by="issue")

    return desk.parts.registry.run(commit)


def _opening(
    desk: Desk, opening: CardOpening, id: str, before: Credential | None
) -> Credential:
    """Return a record of what opens a card, and of nothing else."""

    def sealed(field: str, value: Secret | None) -> str:
        return "" if value is None else seal(desk.parts, id, field, value)

    escrow = Escrow()
    if opening.puk_before is not None:
        escrow = _about_to_be_set(
            current=sealed(CURRENT, opening.puk_before),
            pending=sealed(PENDING, opening.puk_after),
            forms_refused=before.escrow.forms_refused if before is not None else 0,
        )
    return Credential(
        id=id,
        card="",
        holder="",
        account="",
        account_guid="",
        template="",
        template_version=0,
        state=State.ISSUED,
        escrow=escrow,
        admin_key_sealed=sealed(ADMIN_KEY, opening.admin_key),
        admin_key_before_sealed=sealed(ADMIN_KEY_BEFORE, opening.admin_key_before),
        transport_pin_sealed=sealed(TRANSPORT, opening.transport_pin),
    )


def _about_to_be_set(*, current: str, pending: str, forms_refused: int) -> Escrow:
    """Return the record of a card that has `current`, or `pending` already."""
    escrow = Escrow(
        current_sealed=current, pending_sealed=pending, forms_refused=forms_refused
    )
    new = Candidate(placings=1)
    return puks.kept(escrow, Puk(known=Known.PENDING, current=Candidate(), pending=new))


# --- after it was changed ------------------------------------------------------


def finish(desk: Desk, done: FinishIssue) -> Credential:
    """Keys on record, the new secrets current, the nonces used: in one commit.

    NotInRole, ProofFailed, NotBegun.
    """
    require(desk.operator, Action.ISSUE)
    proven = [each for each in (done.own, done.card_key) if each is not None]
    if not all(key_records.has_signed(desk, done.credential, each) for each in proven):
        raise ProofFailed

    def commit(tx: Tx) -> Credential:
        current = tx.credential(done.credential)
        must_be_unfinished(current)
        for each in proven:
            key_records.consume(tx, desk, current.id, each)
            key_records.key_recorded(
                tx, desk, current.id, each.key, PossessionProof.GENERATED
            )
        if done.has_shown_admin_key:
            drafted(desk, KEPT, current.id, "", {})(tx)
        template = tx.template(current.template, current.template_version)
        return tx.save_credential(
            replace(
                current,
                **_opened(desk, current, done, template.first_pin),
                authentication_key=done.own.key,
                card_authentication_key=done.card_key.key if done.card_key else None,
                expires_at=done.expires_at,
            )
        )

    return desk.parts.registry.run(commit)


def _opened(
    desk: Desk, current: Credential, done: FinishIssue, first_pin: FirstPin
) -> dict[str, object]:
    """Return the fields of a card that only its new secrets open."""
    parts, name = desk.parts, current.id
    by_code = first_pin is FirstPin.ACTIVATION_CODE
    kept = seal(parts, name, TRANSPORT, done.pin) if by_code else ""
    fields: dict[str, object] = {
        "admin_key_before_sealed": "",
        "transport_pin_sealed": kept,
    }
    if done.puk is not None:
        own = Escrow(
            current_sealed=seal(parts, name, CURRENT, done.puk),
            forms_refused=current.escrow.forms_refused,
        )
        known = Puk(known=Known.CURRENT, current=Candidate())
        fields["escrow"] = puks.kept(own, known)
    if done.admin_key is not None:
        fields["admin_key_sealed"] = seal(parts, name, ADMIN_KEY, done.admin_key)
    return fields


def abandon(desk: Desk, credential: str, why: str) -> None:
    """Retire what was not finished; its escrow still opens the card. NotBegun.

    `why`: the code of what went wrong.
    """
    require(desk.operator, Action.ISSUE)

    def commit(tx: Tx) -> None:
        current = tx.credential(credential)
        must_be_unfinished(current)
        transitions.happen(
            tx,
            desk.parts,
            current,
            Event.RETIRE,
            facts=Facts(),
            actor=desk.operator.account,
            station=desk.station,
            evidence={"reason": f"not finished: {why}"},
        )

    desk.parts.registry.run(commit)
