"""The office trusts no caller: role, person, card and proof are judged at each call."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from types import ModuleType

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from lab.desk.office import Office as DeskOffice
from lab.desk.site import STAFF, Site, office_at
from msgspec.structs import replace

from kiosk.authority.errors import ProofFailed, Refused
from kiosk.authority.escrow import puks
from kiosk.authority.local_office import LocalOffice
from kiosk.authority.office import card_values, list_values, values
from kiosk.authority.office.card_values import (
    BeginIssue,
    CardImport,
    CardOpening,
    FinishIssue,
    ImportedCard,
    ProvenKey,
)
from kiosk.authority.office.errors import AlreadyOnRecord, NotBegun
from kiosk.authority.office.list_values import (
    Wanted,
)
from kiosk.authority.office.operators import Action, NotInRole, SignedIn
from kiosk.authority.office.ports import CardWork, Deciding, Looking, Office
from kiosk.authority.office.shown import SEALED
from kiosk.authority.values import Value
from kiosk.cards.values import KeySlot
from kiosk.certificates.card_keys import public_key
from kiosk.config import OperatorRole
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.simulation.cards.factory import MadeCard, make_card
from statemachine.candidates import Label
from statemachine.lifecycle import Event, Lifecycle, State
from statemachine.operation import Kind
from storage.records import ApprovalKind, Credential, Escrow, PublicKey

ENVELOPE = "this is an envelope"


@pytest.fixture
def site() -> Site:
    return Site()


# --- who may ask -----------------------------------------------------------------

KEY = PublicKey(slot="9A", algorithm="P-256", spki=b"", certificate=b"")
PROOF = ProvenKey(key=KEY, nonce=b"", signature=b"")
WANTED = CardImport(account="ann", template="staff")
BEGIN = BeginIssue(
    credential="new",
    holder="guid",
    template="staff",
    template_version=1,
    card="piv:guid:new",
    predecessor="",
    expires_at=1.0,
    opening=CardOpening(),
)
FINISH = FinishIssue(
    credential="c1", own=PROOF, card_key=None, expires_at=1.0, pin=Secret(b"")
)
SEEN = ImportedCard(order=WANTED, credential="new", card="piv:guid:new", key=None)
DECIDES: dict[str, Callable[[Office], object]] = {
    "act": lambda it: it.act(Action.SUSPEND, "c1", "lost", None),
    "close_case": lambda it: it.close_case("c1", "told"),
    "give_code": lambda it: it.give_code(
        "c1", ApprovalKind.RELEASE, None, last_try=False
    ),
    "answer": lambda it: it.answer("c1", Secret(b"1"), None),
    "template_meaning": lambda it: it.template_meaning(STAFF),
    "check_template": lambda it: it.check_template(STAFF),
    "publish": lambda it: it.publish((STAFF,)),
    "look_for": lambda it: it.look_for("ann"),
    "resolve": lambda it: it.resolve(["ann"]),
    "judge_issue": lambda it: it.judge_issue("ann", "staff"),
    "predecessor": lambda it: it.predecessor("piv:guid:c1"),
    "openers": lambda it: it.openers("c1"),
    "puk_sent": lambda it: it.puk_sent("c1", Label.CURRENT),
    "puk_refused": lambda it: it.puk_refused("c1", Label.CURRENT, 2),
    "puk_taken": lambda it: it.puk_taken("c1", Label.CURRENT),
    "transport_pin_refused": lambda it: it.transport_pin_refused("c1"),
    "begin_issue": lambda it: it.begin_issue(BEGIN),
    "keep_transport_pin": lambda it: it.keep_transport_pin("c1", Secret(b"1")),
    "keep_puk_of_digits": lambda it: it.keep_puk_of_digits("c1", Secret(b"1")),
    "key_challenge": lambda it: it.key_challenge("c1"),
    "finish_issue": lambda it: it.finish_issue(FINISH),
    "abandon": lambda it: it.abandon("c1", "card.removed"),
    "judge_import": lambda it: it.judge_import(WANTED),
    "must_be_free": lambda it: it.must_be_free("piv:guid:c1"),
    "believe": lambda it: it.believe(b"", "guid"),
    "trust_card_key": lambda it: it.trust_card_key(b""),
    "import_card": lambda it: it.import_card(SEEN),
    "confirm_key": lambda it: it.confirm_key("c1", KEY),
    "judge_admin_key": lambda it: it.judge_admin_key("c1", Secret(bytes(24))),
    "keep_admin_key": lambda it: it.keep_admin_key("c1", Secret(bytes(24))),
}
"""Every call that decides or gives something, by an auditor."""
LOOKS: dict[str, Callable[[Office], object]] = {
    "look": lambda it: it.look(Wanted(term="ann", most=9)),
    "meant": lambda it: it.meant("c1"),
    "counts": lambda it: it.counts(),
    "credentials": lambda it: it.credentials(),
    "find": lambda it: it.find("c1"),
    "credential": lambda it: it.credential("c1"),
    "view": lambda it: it.view("c1"),
    "lockout": lambda it: it.lockout("c1"),
    "set_back_at": lambda it: it.set_back_at(),
    "verified": lambda it: it.verified(),
    "receipt": lambda it: it.receipt("E1"),
    "export": lambda it: it.export("-", None),
    "evidence": lambda it: it.evidence("", most=9),
    "note_export": lambda it: it.note_export("risk.csv"),
    "risks": lambda it: it.risks(),
    "follow": lambda it: it.follow("c1", ApprovalKind.RELEASE),
    "details": lambda it: it.details("c1"),
    "spends_last_try": lambda it: it.spends_last_try("c1"),
    "visit_port": lambda it: it.visit_port(),
    "must_not_be_own": lambda it: it.must_not_be_own("c1"),
    "templates": lambda it: it.templates(),
    "template": lambda it: it.template("staff"),
}
"""Every call that shows something, by somebody whose last role was taken away."""


def calls(*ports: type) -> set[str]:
    return {name for port in ports for name in vars(port) if not name.startswith("_")}


def test_every_call_of_the_port_is_tried_here() -> None:
    assert calls(Looking, Deciding, CardWork) == {*DECIDES, *LOOKS}


@pytest.mark.parametrize("name", DECIDES)
def test_who_may_only_look_decides_nothing(site: Site, name: str) -> None:
    site.card()
    before = site.registry.read(lambda view: view.credential("c1"))
    office = office_at(site.desk(OperatorRole.AUDITOR))
    with pytest.raises(NotInRole):
        DECIDES[name](office)
    assert site.registry.read(lambda view: view.credential("c1")) == before
    assert list(site.registry.audit_events()) == []


@pytest.mark.parametrize("name", LOOKS)
def test_who_has_no_role_sees_nothing(site: Site, name: str) -> None:
    site.card()
    desk = site.desk(OperatorRole.AUDITOR)
    nobody = SignedIn(account="auditor@ad.test", roles=frozenset())
    with pytest.raises(NotInRole):
        LOOKS[name](office_at(dataclasses.replace(desk, operator=nobody)))


@pytest.mark.parametrize("port", [Looking, Deciding, CardWork], ids=str)
def test_the_office_here_takes_its_arguments_by_the_names_of_the_port(
    port: type,
) -> None:
    """A wire sends them by name."""
    for name in calls(port):
        asked = inspect.signature(getattr(port, name)).parameters
        assert [*inspect.signature(getattr(LocalOffice, name)).parameters] == [*asked]


# --- what leaves -----------------------------------------------------------------


def test_nothing_that_is_sealed_leaves_with_a_credential(site: Site) -> None:
    site.card(
        pin_history_sealed=ENVELOPE,
        transport_pin_sealed=ENVELOPE,
        admin_key_sealed=ENVELOPE,
        admin_key_before_sealed=ENVELOPE,
        escrow=Escrow(current_sealed=ENVELOPE, pending_sealed=ENVELOPE),
    )
    office = office_at(site.desk(OperatorRole.HELPDESK))
    shown = [
        *office.credentials(),
        office.find("c1"),
        office.credential("c1"),
        office.view("c1").credential,
        office.act(Action.SUSPEND, "c1", "lost", None),
    ]
    assert len(shown) == 5
    for each in shown:
        assert ENVELOPE not in repr(each)
        assert each.transport_pin_sealed == SEALED, "that there is one may be known"
    kept = site.registry.read(lambda view: view.credential("c1"))
    assert kept.transport_pin_sealed == ENVELOPE


def test_an_escrow_that_can_release_is_told_apart_from_one_that_cannot(
    site: Site,
) -> None:
    office = office_at(site.desk(OperatorRole.HELPDESK))
    for name, envelope in (("c1", ENVELOPE), ("c2", "")):
        credential = site.card(name, escrow=Escrow(current_sealed=envelope))
        seen = office.credential(name)
        assert puks.of(seen.escrow) == puks.of(credential.escrow)


def _values(module: ModuleType) -> list[type[Value]]:
    return [
        each
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, Value)
        and each.__module__ == module.__name__
    ]


@pytest.mark.parametrize(
    "kind",
    [*_values(values), *_values(list_values), *_values(card_values)],
    ids=lambda it: it.__name__,
)
def test_every_request_and_reply_can_be_carried(kind: type[Value]) -> None:
    """Every field has a type that a wire knows; a secret is one, and never bare."""
    secrets: list[object] = []

    def carry(wanted: type, sent: object) -> object:
        assert wanted is Secret, f"{wanted} is no value"
        secrets.append(sent)
        return Secret(b"")

    msgspec.msgpack.Decoder(kind, dec_hook=carry)


def test_a_view_is_the_same_after_it_was_carried(site: Site) -> None:
    site.card()
    seen = office_at(site.desk(OperatorRole.HELPDESK)).view("c1")
    sent = msgspec.msgpack.encode(seen)
    assert msgspec.msgpack.decode(sent, type=type(seen)) == seen


# --- cards and proofs --------------------------------------------------------------


@pytest.fixture
def made() -> MadeCard:
    return make_card(SeededEntropy(5), subject="Ann", pin=b"481516", puk=b"12345678")


def key_of(made: MadeCard) -> PublicKey:
    return public_key(made.authentication.spki, KeySlot.AUTHENTICATION, b"")


def begun(site: Site, office: LocalOffice) -> Credential:
    order = office.judge_issue("ann", "staff")
    return office.begin_issue(
        replace(BEGIN, credential=order.credential, holder=order.holder.guid)
    )


def test_a_key_that_has_not_signed_is_not_on_record(site: Site, made: MadeCard) -> None:
    office = office_at(site.desk(OperatorRole.OFFICER))
    issuing = begun(site, office)
    asked = office.key_challenge(issuing.id)
    proof = ProvenKey(key=key_of(made), nonce=asked.nonce, signature=bytes(70))
    with pytest.raises(ProofFailed):
        office.finish_issue(replace(FINISH, credential=issuing.id, own=proof))
    assert site.kept(issuing).authentication_key is None


def test_a_proof_counts_for_its_own_card_and_once(site: Site, made: MadeCard) -> None:
    office = office_at(site.desk(OperatorRole.OFFICER))
    issuing, other = begun(site, office), site.card("c2")
    for about in (other.id, issuing.id):
        asked = office.key_challenge(about)
        private = made.card.keys[0x9A]
        assert isinstance(private, ec.EllipticCurvePrivateKey)
        signed = private.sign(asked.message, ec.ECDSA(hashes.SHA256()))
        proof = ProvenKey(key=key_of(made), nonce=asked.nonce, signature=signed)
        done = replace(FINISH, credential=issuing.id, own=proof)
        if about == other.id:
            with pytest.raises(ProofFailed):
                office.finish_issue(done)
    assert office.finish_issue(done).authentication_key == proof.key
    with pytest.raises(NotBegun):
        office.finish_issue(done)


@pytest.mark.parametrize("state", [each for each in State if each != State.RETIRED])
def test_the_escrow_opens_no_card_that_somebody_has(site: Site, state: State) -> None:
    site.card(state=state)
    office = office_at(site.desk(OperatorRole.OFFICER))
    with pytest.raises(AlreadyOnRecord):
        office.predecessor("piv:guid:c1")
    with pytest.raises(NotBegun):
        office.openers("c1")
    with pytest.raises(NotBegun):
        office.puk_taken("c1", Label.CURRENT)


def test_a_card_is_opened_with_what_it_had_last(site: Site) -> None:
    """However often it was issued before, and whoever had it in between."""
    site.card("c1", state=State.RETIRED, issued_at=1.0, card="piv:guid:c1")
    site.card("c0", state=State.RETIRED, issued_at=3.0, card="piv:guid:c1")
    site.card("c2", state=State.RETIRED, issued_at=2.0, card="piv:guid:c1")
    office = office_at(site.desk(OperatorRole.OFFICER))
    before = office.predecessor("piv:guid:c1")
    assert before is not None
    assert before.id == "c0"


def test_what_is_in_use_is_neither_issued_again_nor_abandoned(site: Site) -> None:
    key = PublicKey(slot="9A", algorithm="P-256", spki=b"key")
    site.card(authentication_key=key)
    office = office_at(site.desk(OperatorRole.OFFICER))
    order = office.judge_issue("ann", "staff")
    wanted = replace(
        BEGIN, credential="new", holder=order.holder.guid, predecessor="c1"
    )
    with pytest.raises(Refused):
        office.begin_issue(wanted)
    late: tuple[Callable[[], None], ...] = (
        lambda: office.abandon("c1", "card.removed"),
        lambda: office.keep_puk_of_digits("c1", Secret(b"12345678")),
        lambda: office.keep_transport_pin("c1", Secret(b"12345678")),
    )
    for call in late:
        with pytest.raises(NotBegun):
            call()
    assert site.state() is State.ACTIVE


def test_a_card_is_issued_to_nobody_who_issues_it(site: Site) -> None:
    office = office_at(site.desk(OperatorRole.OFFICER))
    own = office.judge_import(WANTED)
    assert own.holder.guid == site.ann
    (officer,) = office.resolve(["officer"])
    assert officer is not None
    with pytest.raises(Refused) as refused:
        office.begin_issue(replace(BEGIN, holder=officer.guid))
    assert refused.value.reason.key == "refusal.own_card"


# --- the site's own lifecycle -------------------------------------------------------


def test_a_desk_says_what_a_kiosk_says_of_an_edge_that_the_site_has_removed() -> None:
    removed = Lifecycle([(Event.UNBLOCK, State.BLOCKED)])
    office = DeskOffice(lifecycle=removed)
    office.person("alice")
    office.holder("alice", state=State.BLOCKED)
    office.sign_in("hanna")
    office.open("alice")
    assert office.refusal("release") == "desk.of_holder.refusal.not_at_this_site"
    chip = office.world.holders["alice"].made.card
    chip.set_tries(pin=0)
    card = office.world.readers.insert(chip)
    offers = office.world.visit(card).recognise().actions
    (unblock,) = (each for each in offers if each.kind is Kind.UNBLOCK)
    assert unblock.reason is not None
    assert unblock.reason.key == "refusal.not_at_this_site"
