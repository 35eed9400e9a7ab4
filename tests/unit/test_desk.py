"""The operators' pages, walked through as an operator would."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import lab.desk.office
import pytest
from lab.desk.office import PASSWORD, PIN, Office
from lab.desk.relayed_desk import relayed
from msgspec.structs import replace as with_fields

from kiosk.authority.escrow import puks
from kiosk.authority.office.operators import Action
from kiosk.config import OperatorRole
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.desk.session import Session
from kiosk.desk.views import Style
from kiosk.directory.values import MOST_PEOPLE
from kiosk.simulation.cards.gids import SimulatedGidsCard
from kiosk.simulation.cards.options import PivOptions
from kiosk.simulation.cards.piv import SimulatedPivCard
from kiosk.simulation.domain_faults import WriteNo
from kiosk.simulation.on_record import SimulatedHolder
from kiosk.texts import sentence
from kiosk.visit.views import Answers, FieldName, Outcome, Result
from statemachine.lifecycle import State
from statemachine.operation import Kind
from storage.records import CardType, Sync, Template, UnblockMethod
from storage.registry import Tx


@pytest.fixture(autouse=True, params=[Session, relayed], ids=["here", "relayed"])
def reach(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every page is the same where the session works at an authority elsewhere."""
    monkeypatch.setattr(lab.desk.office, "desk_of", [request.param])


@pytest.fixture
def office() -> Office:
    return Office()


def signed_in(
    name: str, *, second_for: Iterable[Action] = (), answers: tuple[str, ...] = ()
) -> Office:
    office = Office(second_for=second_for, answers=answers)
    office.person("alice")
    office.holder("alice")
    office.sign_in(name)
    assert office.page.name == "menu"
    return office


# --- signing in ---------------------------------------------------------------


def test_an_operator_signs_in_with_their_own_card(office: Office) -> None:
    office.insert(office.holder("hanna"))
    office.submit({"pin": PIN})
    assert office.page.name == "menu"
    assert office.page.operator == "hanna@ad.test"
    (event,) = office.events("operator.signed_in")
    assert event["how"] == "card"
    assert event["roles"] == OperatorRole.HELPDESK


def test_the_session_ends_when_the_operators_card_leaves(office: Office) -> None:
    insertion = office.insert(office.holder("hanna"))
    office.submit({"pin": PIN})
    office.pull(insertion)
    assert office.page.name == "sign_in"
    assert office.page.operator == ""
    assert office.notice == "desk.card_left"


def test_a_wrong_pin_signs_nobody_in_and_costs_one_try(office: Office) -> None:
    holder = office.holder("hanna")
    office.insert(holder)
    office.submit({"pin": b"000111"})
    assert office.notice == "card.wrong_pin"
    assert office.page.operator == ""
    assert holder.made.card.pin_tries_left == 2


def test_the_last_try_is_never_spent_on_signing_in(office: Office) -> None:
    holder = office.holder("hanna")
    holder.made.card.set_tries(pin=1)
    office.insert(holder)
    office.submit({"pin": PIN})
    assert office.notice == "refusal.one_try_left"
    assert holder.made.card.pin_tries_left == 1


@pytest.mark.parametrize("state", [State.ISSUED, State.SUSPENDED, State.REVOKED])
def test_only_an_active_card_signs_in(office: Office, state: State) -> None:
    office.insert(office.holder("hanna", state=state))
    office.submit({"pin": PIN})
    assert office.notice == "enrollment.card_not_active"


def test_a_signature_by_another_key_signs_nobody_in(office: Office) -> None:
    holder = office.holder("hanna")
    other = office.holder("olga")
    holder.made.card.keys[0x9A] = other.made.card.keys[0x9A]
    office.insert(holder)
    office.submit({"pin": PIN})
    assert office.notice == "authority.proof_failed"
    assert office.page.operator == ""


def test_who_is_in_no_group_has_no_role(office: Office) -> None:
    office.person("bob")
    office.sign_in("bob")
    assert office.notice == "enrollment.no_role"
    (event,) = office.events("operator.sign_in_refused")
    assert event["actor"] == "bob@ad.test"


def test_a_wrong_password_says_no_more_than_an_unknown_name(office: Office) -> None:
    office.sign_in("hanna", b"wrong")
    assert office.notice == "enrollment.wrong_password"
    office.submit({"password": PASSWORD}, account="nobody")
    assert office.notice == "enrollment.wrong_password"


def test_without_the_sites_consent_only_cards_sign_in() -> None:
    office = Office(with_account=False)
    assert office.page.choices == ()
    office.choose("account")
    office.submit({"password": PASSWORD}, account="hanna")
    assert office.notice == "enrollment.card_only"


def test_who_loses_the_role_while_signed_in_is_signed_out() -> None:
    office = signed_in("hanna")
    office.domain.set_groups(
        next(p.guid for p in office._people("hanna")),
    )
    office.choose("list:suspended")
    assert office.page.name == "sign_in"
    assert office.notice == "enrollment.no_role"


# --- finding ------------------------------------------------------------------


@pytest.mark.parametrize("term", ["Alice", "alice@ad", "example"])
def test_a_credential_is_found_by_a_part_of_a_name(term: str) -> None:
    office = signed_in("hanna")
    office.open(term)
    assert office.page.name == "credential"
    assert office.page.title == "Alice Example"


def test_a_credential_is_found_by_the_number_on_a_kiosks_screen() -> None:
    office = signed_in("hanna")
    world = office.world
    visit = world.visit(world.readers.insert(world.holders["alice"].made.card))
    visit.recognise()
    form = visit.begin(Kind.CHANGE)
    typed = {FieldName.OLD_PIN: Secret(b"000000"), FieldName.NEW_PIN: Secret(b"314159")}
    result = visit.submit(form, Answers(typed), lambda step: None)
    office.open(result.event)
    assert office.page.title == "Alice Example"


def test_lists_show_what_needs_somebody() -> None:
    office = signed_in("hanna")
    for name, state, sync in (
        ("bert", State.SUSPENDED, Sync.IN_STEP),
        ("cora", State.ACTIVE, Sync.OUT_OF_STEP),
    ):
        office.person(name)
        office.holder(name, state=state, sync=sync)
    office.choose("list:suspended")
    assert office.rows() == ["Bert Example"]
    office.back()
    office.choose("list:out_of_step")
    assert office.rows() == ["Cora Example"]


# --- one credential -----------------------------------------------------------


def test_every_action_is_there_and_each_refused_one_says_why() -> None:
    office = signed_in("hanna")
    office.open("alice")
    assert office.refusal("suspend") == ""
    assert (office.refusal("resume") or "").startswith("refusal.")
    assert office.refusal("retire") is None
    assert office.refusal("finish") == "enrollment.nothing_to_close"
    assert office.refusal("answer") == "enrollment.no_phone_way"


def test_suspend_and_resume_with_a_reason() -> None:
    office = signed_in("hanna")
    office.open("alice")
    office.choose("suspend")
    office.submit(reason="  ")
    assert office.notice == "desk.reason_needed"
    office.submit(reason="card mislaid")
    assert office.page.name == "credential"
    assert office.world.credential("alice").state is State.SUSPENDED
    (event,) = office.events("lifecycle.suspend")
    assert event["reason"] == "card mislaid"
    assert event["actor"] == "hanna@ad.test"


def test_revoking_reminds_of_the_password() -> None:
    office = signed_in("hanna")
    office.open("alice")
    office.choose("revoke")
    office.submit(reason="lost")
    assert office.notice == "enrollment.revoked_advice"
    assert office.world.credential("alice").state is State.REVOKED


def test_a_release_asks_the_sites_questions_and_shows_the_code_once() -> None:
    office = signed_in("hanna")
    office.world.holders["alice"].made.card.set_tries(pin=0)
    office.open("alice")
    office.choose("release")
    assert "employee number" in office.text()
    office.submit()
    assert office.page.name == "read_out"
    code = office.page.lines[1].text
    assert isinstance(code, str)
    assert len(code.replace(" ", "")) == 9
    office.back()
    assert code not in office.text()


def test_what_the_holder_does_with_a_code_is_seen_and_the_code_goes() -> None:
    office = signed_in("hanna")
    card = office.world.holders["alice"].made.card
    card.set_tries(pin=0)
    office.open("alice")
    office.choose("release")
    office.submit()
    code = office.page.lines[1].text
    assert isinstance(code, str)
    assert "desk.meanwhile.waiting" in office.sentences()
    visit = office.world.visit(office.world.readers.insert(card))
    visit.recognise()
    form = visit.begin(Kind.UNBLOCK)
    typed = {
        FieldName.RELEASE_CODE: Secret(code.replace(" ", "").encode()),
        FieldName.NEW_PIN: Secret(b"864209"),
    }
    visit.submit(form, Answers(typed, confirmed=True), lambda _: None)
    office.page = office.desk.page()
    assert {"desk.meanwhile.pin_set", "desk.visit.done"} <= set(office.sentences())
    assert code not in office.text()


def test_a_code_that_has_run_out_is_taken_off_the_screen() -> None:
    office = signed_in("hanna")
    office.world.holders["alice"].made.card.set_tries(pin=0)
    office.open("alice")
    office.choose("release")
    office.submit()
    code = str(office.page.lines[1].text)
    office.world.clock.sleep(601.0)
    office.page = office.desk.page()
    assert code not in office.text()
    assert "desk.code_is_over" in office.sentences()


def test_where_the_answers_are_found_stands_beside_the_questions() -> None:
    office = signed_in("hanna", answers=("employeeID",))
    office.world.holders["alice"].made.card.set_tries(pin=0)
    office.open("alice")
    office.choose("release")
    assert "compare with: employeeID" in office.text()


def test_a_card_that_is_put_in_opens_its_own_page_where_nobody_waits_for_one() -> None:
    office = signed_in("hanna")
    office.insert(office.world.holders["alice"])
    assert office.page.name == "credential"
    assert office.page.title == "Alice Example"


def test_a_card_that_is_put_in_for_a_page_stays_there() -> None:
    office = signed_in("olga")
    office.choose("import")
    office.insert(office.world.holders["alice"])
    assert office.page.name == "import"


def test_nobody_acts_on_their_own_card() -> None:
    office = Office()
    office.holder("hanna")
    office.sign_in("hanna")
    office.open("hanna")
    assert office.refusal("suspend") == "refusal.own_card"
    office.choose("release")
    office.submit()
    assert office.notice == "refusal.own_card"


def test_an_out_of_step_case_is_closed_with_a_reason() -> None:
    office = Office()
    office.person("alice")
    office.holder("alice", sync=Sync.OUT_OF_STEP)
    office.sign_in("hanna")
    office.open("alice")
    office.choose("close")
    office.submit(reason="leaves on Friday")
    credential = office.world.credential("alice")
    assert credential.sync is Sync.NOT_SYNCHRONISED
    assert credential.sync_reason == "reason.case_closed"
    assert office.world.directory.writes == []


def test_an_out_of_step_case_is_finished_with_the_person_who_is_there() -> None:
    office = Office()
    office.person("alice")
    alice = office.holder("alice", sync=Sync.OUT_OF_STEP)
    office.sign_in("hanna")
    office.open("alice")
    office.choose("finish")
    office.insert(alice)
    office.submit({"current_pin": PIN})
    assert office.notice == "result.headline.finish"
    assert office.world.credential("alice").sync is Sync.IN_STEP
    with Secret(PIN) as pin:
        assert office.world.directory.binds(alice.account_guid, pin)


def test_finishing_wants_the_card_of_the_case() -> None:
    office = Office()
    for name in ("alice", "bert"):
        office.person(name)
        office.holder(name, sync=Sync.OUT_OF_STEP)
    office.sign_in("hanna")
    office.open("alice")
    office.choose("finish")
    office.insert(office.world.holders["bert"])
    assert sentence(Message("card.wrong_card")) in office.text()
    office.submit({"current_pin": PIN})
    assert office.world.directory.writes == []


def test_finishing_wants_the_card_of_the_case_not_another_of_the_same_person() -> None:
    office = Office()
    office.person("alice")
    alice = office.holder("alice", sync=Sync.OUT_OF_STEP)
    office.sign_in("hanna")
    office.open("alice")
    office.choose("finish")
    made, puk = office.world.make_card("alice", pin=PIN)
    other = office.world.register(
        "second card",
        made,
        puk,
        account_guid=alice.account_guid,
        template="staff",
        sync=Sync.OUT_OF_STEP,
    )
    office.insert(other)
    assert sentence(Message("card.wrong_card")) in office.text()
    office.submit({"current_pin": PIN})
    assert office.world.directory.writes == []


def test_finishing_over_a_password_set_elsewhere_is_said_before_anything_is_typed() -> (
    None
):
    office = Office()
    office.person("alice")
    alice = office.holder("alice")
    office.world.directory.change_elsewhere(alice.account_guid, Secret(b"Theirs-1"))
    at_kiosk = office.world.readers.insert(alice.made.card)
    office.world.visit(at_kiosk).recognise()
    office.sign_in("hanna")
    office.open("alice")
    office.insert(alice)
    office.choose("finish")
    assert sentence(Message("confirm.changed_elsewhere")) in office.text()
    office.submit({"current_pin": PIN})
    assert office.notice == "result.headline.finish"


def test_what_changed_while_the_page_was_open_is_shown_and_nothing_is_done() -> None:
    office = Office()
    office.person("alice")
    alice = office.holder("alice", sync=Sync.OUT_OF_STEP)
    office.sign_in("hanna")
    office.open("alice")
    office.choose("finish")
    office.insert(alice)
    changed = sentence(Message("confirm.changed_elsewhere"))
    assert changed not in office.text()
    office.world.directory.change_elsewhere(alice.account_guid, Secret(b"Theirs-1"))
    office.submit({"current_pin": PIN})
    assert office.notice == "authority.not_as_announced"
    assert office.world.directory.writes == []
    assert changed in office.text()
    office.submit({"current_pin": PIN})
    assert office.notice == "result.headline.finish"


# --- two operators ------------------------------------------------------------


def test_a_second_operator_agrees_to_what_the_site_wants_two_for() -> None:
    office = signed_in("hanna", second_for=(Action.REVOKE,))
    office.open("alice")
    office.choose("revoke")
    office.submit(reason="stolen")
    assert office.notice == "enrollment.second_needed"
    assert office.world.credential("alice").state is State.ACTIVE
    office.submit({"second_secret": PASSWORD}, reason="stolen", second_account="ada")
    assert office.world.credential("alice").state is State.REVOKED
    (event,) = office.events("lifecycle.revoke")
    assert event["second"] == "ada@ad.test"


@pytest.mark.parametrize("second", ["hanna", "olga", "alice"])
def test_the_second_is_another_person_of_the_same_right(second: str) -> None:
    office = signed_in("hanna", second_for=(Action.REVOKE,))
    office.open("alice")
    office.choose("revoke")
    office.submit({"second_secret": PASSWORD}, reason="stolen", second_account=second)
    assert office.world.credential("alice").state is State.ACTIVE


# --- templates ----------------------------------------------------------------


def test_a_template_is_checked_before_it_is_saved() -> None:
    office = signed_in("ada")
    office.choose("templates")
    office.choose("staff")
    page = office.change({"pin_policy.minimum": "12", "pin_policy.maximum": "16"})
    assert page.notice is not None
    assert page.notice.key.startswith("template.impossible")
    assert office.world.registry.run(lambda tx: tx.template("staff").version) == 1


def test_a_changed_template_is_the_next_version_and_says_what_it_means() -> None:
    office = signed_in("ada")
    office.choose("templates")
    office.choose("staff")
    office.change({"pin_policy.history": "5"})
    assert office.notice == "desk.template_is_possible"
    assert "Cards in use: 1" in office.text()
    office.change({"pin_policy.history": "5"})
    assert office.notice == "desk.template_saved"
    saved = office.world.registry.run(lambda tx: tx.template("staff"))
    assert (saved.version, saved.pin_policy.history) == (2, 5)
    assert office.world.credential("alice").template_version == 1
    assert office.events("template.saved")[-1]["actor"] == "ada@ad.test"


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("pin_policy.history", "many", "template.not_a_number"),
        ("key_algorithm", "p-256", "template.no_such_algorithm"),
        ("keyless", "a kind word", "template.bad_field"),
    ],
)
def test_a_field_that_means_nothing_is_named(field: str, typed: str, told: str) -> None:
    office = signed_in("ada")
    office.choose("templates")
    office.choose("staff")
    office.change({field: typed})
    assert office.notice == told


@pytest.mark.parametrize("name", ["hanna", "olga", "aaron"])
def test_templates_are_an_administrators(name: str) -> None:
    office = signed_in(name)
    assert office.refusal("templates") is None
    office.choose("templates")
    assert office.page.name == "menu"


# --- evidence -----------------------------------------------------------------


def test_operators_are_told_for_a_month_that_an_older_registry_was_found() -> None:
    office = signed_in("hanna")
    assert "older registry" not in office.text()
    now = office.world.clock.now()
    office.world.registry.distrust(station="desk-1", now=now, kind="registry.older")
    office.choose("list:out_of_step")
    office.back()
    assert "an older registry was found in the place of this one" in office.text()
    office.world.clock.sleep(31 * 86400.0)
    office.choose("list:out_of_step")
    office.back()
    assert "older registry" not in office.text()


def test_an_auditor_verifies_and_exports_the_evidence(tmp_path: Path) -> None:
    office = signed_in("aaron")
    office.choose("audit")
    office.choose("verify")
    assert "UNANCHORED" in office.text(), "nothing has been signed yet"
    target = tmp_path / "evidence.jsonl"
    office.submit(file=str(target))
    assert office.notice == "desk.audit.exported"
    office.choose("verify")
    assert "SOUND and complete" in office.text()
    assert target.stat().st_mode & 0o777 == 0o600
    office.submit(file=str(target))
    assert office.notice == "desk.not_exported", "nothing is written over"


def test_who_is_not_among_the_first_of_many_is_found_by_more_letters() -> None:
    office = signed_in("olga")
    for number in range(MOST_PEOPLE + 5):
        office.person(f"kim{number:03}")
    office.choose("issue")
    office.submit(term="kim")
    assert len(office.page.choices) == MOST_PEOPLE
    assert "Type more of the name" in office.text()
    office.submit(term="kim10")
    assert len(office.page.choices) == 5
    assert "Type more of the name" not in office.text()


def test_what_a_controller_answered_is_under_the_number_that_the_person_read_out() -> (
    None
):
    office = signed_in("aaron")
    office.person("ann")
    holder = office.holder("ann")
    office.domain.fail(WriteNo(why="other"))
    visit = office.world.visit(office.world.readers.insert(holder.made.card))
    visit.recognise()
    form = visit.begin(Kind.CHANGE)
    typed = {
        FieldName.OLD_PIN: Secret(PIN),
        FieldName.NEW_PIN: Secret(b"864209"),
    }
    result = visit.submit(form, Answers(typed, confirmed=True), lambda _: None)
    assert "0000001F" in " ".join(sentence(fact) for fact in result.facts)
    (event,) = office.events("operation.rolling_back")
    assert (event["ldap_result"], event["hex"]) == ("53", "0000001F")
    assert event["said"] == "0000001F: other"
    office.choose("audit")
    office.submit(receipt=result.event)
    told = office.text()
    assert "LDAP result 53" in told
    assert "0000001F: other" in told


# --- enrollment ---------------------------------------------------------------


def test_two_people_of_one_name_are_told_apart() -> None:
    office = Office()
    office.person("john.smith", details=("Sales", "Room 4"))
    office.person("john.smith2", details=("Legal",))
    office.sign_in("olga")
    office.choose("issue")
    office.submit(term="john")
    assert [choice.detail for choice in office.page.choices] == [
        "john.smith@ad.test  ·  Sales  ·  Room 4",
        "john.smith2@ad.test  ·  Legal",
    ]


def blank(office: Office) -> SimulatedPivCard:
    options = PivOptions(serial=b"\0\0\0\7", version=b"\5\4\3")
    return SimulatedPivCard(entropy=office.world.entropy, options=options)


def test_a_blank_card_is_issued_from_the_screen() -> None:
    office = Office()
    office.person("alice")
    office.sign_in("olga")
    office.choose("issue")
    office.submit(term="alice")
    office.choose("alice@ad.test")
    office.choose("staff")
    card = office.world.readers.insert(blank(office))
    office.page = office.desk.card_came(card)
    office.submit()
    assert office.page.name == "issued", office.notice
    (found,) = office.world.registry.run(
        lambda tx: tx.credentials(state=State.ISSUED, limit=100)
    )
    assert found.account == "alice@ad.test"
    steps = [message.key for message in office.said]
    assert "enrollment.step.certificate" in steps
    assert steps[-1] == "enrollment.step.record"


def gids_template(office: Office, algorithm: str) -> None:
    """Let the site issue GIDS cards, too."""
    with_key = Template(
        name=f"windows {algorithm}",
        card_type=CardType.GIDS,
        key_algorithm=algorithm,
        unblock=(UnblockMethod.ADMIN_KEY_ONLINE,),
    )
    office.world.registry.run(lambda tx: tx.save_template(with_key))


def test_a_blank_gids_card_is_issued_from_the_screen() -> None:
    office = Office()
    office.person("alice")
    gids_template(office, "RSA-2048")
    gids_template(office, "P-256")
    office.sign_in("olga")
    office.choose("issue")
    office.submit(term="alice")
    office.choose("alice@ad.test")
    refused = {each.key: each.refusal for each in office.page.choices}
    assert refused["windows RSA-2048"] is None
    assert refused["windows P-256"] is not None, "no such card makes that key"
    office.choose("windows RSA-2048")
    chip = SimulatedGidsCard(entropy=office.world.entropy)
    office.page = office.desk.card_came(office.world.readers.insert(chip))
    office.submit()
    assert office.page.name == "issued", office.notice
    (found,) = office.world.registry.run(
        lambda tx: tx.credentials(state=State.ISSUED, limit=9)
    )
    assert found.account == "alice@ad.test"
    pin = next(str(line.text) for line in office.page.lines if line.style is Style.CODE)
    assert chip.has_pin(pin.encode())


def test_a_batch_may_have_cards_of_both_kinds(tmp_path: Path) -> None:
    office = Office()
    office.person("alice")
    office.person("bert")
    gids_template(office, "RSA-2048")
    gids_template(office, "P-256")
    office.sign_in("olga")
    office.choose("batch")
    people = tmp_path / "people.csv"
    people.write_text("account,template\nalice,windows P-256\n")
    office.submit(file=str(people))
    assert office.notice == "desk.batch_wrong", "found before the first card"
    people.write_text("account,template\nalice,windows RSA-2048\nbert,staff\n")
    office.submit(file=str(people))
    for chip in (SimulatedGidsCard(entropy=office.world.entropy), blank(office)):
        card = office.world.readers.insert(chip)
        office.page = office.desk.card_came(card)
        office.submit()
        office.pull(card.insertion)
    results = (tmp_path / "people.results.csv").read_text().splitlines()
    assert [line.split(",")[3] for line in results[1:]] == ["begun", "done"] * 2


def test_a_batch_names_every_wrong_line_and_begins_nothing(tmp_path: Path) -> None:
    office = Office()
    office.person("alice")
    office.sign_in("olga")
    office.choose("batch")
    people = tmp_path / "people.csv"
    people.write_text("account,template\nalice,staff\nnobody,staff\nalice,none\n")
    office.submit(file=str(people))
    assert office.notice == "desk.batch_wrong"
    assert office.page.table is not None
    problems = [(row.cells[0], row.cells[3]) for row in office.page.table.rows]
    assert problems == [
        ("3", Message("desk.batch_problem.no_account", {"account": "nobody"})),
        ("4", Message("desk.batch_problem.twice", {"line": 2})),
        ("4", Message("desk.batch_problem.no_template", {"template": "none"})),
    ]
    assert not (tmp_path / "people.results.csv").exists()


def test_a_batch_goes_card_after_card(tmp_path: Path) -> None:
    office = Office()
    office.person("alice")
    office.person("bert")
    office.sign_in("olga")
    office.choose("batch")
    people = tmp_path / "people.csv"
    people.write_text("account,template\nalice,staff\nbert,staff\n")
    office.submit(file=str(people))
    assert "Alice Example" in office.text()
    card = office.world.readers.insert(blank(office))
    office.page = office.desk.card_came(card)
    office.submit()
    office.submit()
    assert office.notice == "desk.batch.take_card", "one card is issued once"
    office.pull(card.insertion)
    office.choose("skip")
    assert "The batch is finished" in office.text()
    results = (tmp_path / "people.results.csv").read_text().splitlines()
    assert [line.split(",")[3] for line in results[1:]] == ["begun", "done", "skipped"]


def test_a_batch_that_was_left_goes_on_where_it_was(tmp_path: Path) -> None:
    office = Office()
    office.person("alice")
    office.person("bert")
    office.sign_in("olga")
    people = tmp_path / "people.csv"
    people.write_text("account,template\nalice,staff\nbert,staff\n")
    office.choose("batch")
    office.submit(file=str(people))
    office.choose("skip")
    office.back()
    office.choose("batch")
    office.submit(file=str(people))
    assert office.page.name == "batch_run"
    assert "Bert Example" in office.text()
    assert office.page.table is not None
    assert [row.cells[1] for row in office.page.table.rows] == [
        Message("desk.row.skipped"),
        Message("desk.row.waiting"),
    ]


def test_the_results_of_another_list_are_not_gone_on_with(tmp_path: Path) -> None:
    office = Office()
    office.person("alice")
    office.person("bert")
    office.sign_in("olga")
    people = tmp_path / "people.csv"
    people.write_text("account,template\nalice,staff\n")
    office.choose("batch")
    office.submit(file=str(people))
    office.choose("skip")
    office.back()
    people.write_text("account,template\nbert,staff\n")
    office.choose("batch")
    office.submit(file=str(people))
    assert office.notice == "desk.batch_unreadable"


# --- after-care ---------------------------------------------------------------


def test_old_passwords_that_a_device_still_tries_are_seen() -> None:
    office = signed_in("hanna")
    guid = office.world.holders["alice"].account_guid
    with office.domain.connect() as dc, Secret(b"old one") as old:
        account = dc.account(guid)
        for _ in range(3):
            dc.verify_password(account, old)
    office.open("alice")
    office.choose("watch")
    assert "3 wrong passwords on dc1.ad.test" in office.text()
    office.domain.change_account(guid, locked=True)
    office.choose("again")
    assert "The account is locked" in office.text()


# --- what was true when the page was shown may not be any more -------------------


def out_of_step() -> tuple[Office, SimulatedHolder]:
    """An operator is about to close the case of a person whose card is ahead."""
    office = Office()
    office.person("alice")
    alice = office.holder("alice", sync=Sync.OUT_OF_STEP)
    office.sign_in("hanna")
    office.open("alice")
    office.choose("close")
    return office, alice


def finish(office: Office, alice: SimulatedHolder) -> Result:
    """Alice is at a kiosk, and comes to an end."""
    visit = office.world.visit(office.world.readers.insert(alice.made.card))
    visit.recognise()
    form = visit.begin(Kind.FINISH)
    typed = {FieldName.CURRENT_PIN: Secret(PIN)}
    return visit.submit(form, Answers(typed, confirmed=True), lambda progress: None)


def test_a_case_that_is_in_step_meanwhile_is_not_closed() -> None:
    office, alice = out_of_step()
    assert finish(office, alice).outcome is Outcome.DONE
    office.submit(reason="leaves on Friday")
    assert office.notice == "enrollment.nothing_to_close"
    assert office.world.credential("alice").sync is Sync.IN_STEP
    assert office.events("credential.case_closed") == []


@pytest.mark.parametrize("step", ["authorise", "write"])
def test_a_case_that_somebody_is_finishing_is_not_closed(step: str) -> None:
    office, alice = out_of_step()
    world = office.world

    def close() -> None:
        office.submit(reason="leaves on Friday")

    world.authority.before(step, close)
    assert finish(office, alice).outcome is Outcome.DONE
    assert office.notice == "enrollment.nothing_to_close"
    assert world.credential("alice").sync is Sync.IN_STEP
    assert office.events("credential.case_closed") == []


def leave_one_try_at_the_puk(office: Office) -> None:
    """By the record of alice's card, at worst."""
    own = office.world.holders["alice"].credential

    def commit(tx: Tx) -> None:
        known = tx.credential(own)
        escrow = puks.kept(known.escrow, replace(puks.of(known.escrow), left=1))
        tx.save_credential(with_fields(known, escrow=escrow))

    office.world.registry.run(commit)


def about_to_release() -> Office:
    office = signed_in("hanna")
    office.world.holders["alice"].made.card.set_tries(pin=0)
    office.open("alice")
    return office


def test_who_gives_a_code_for_the_last_try_is_told_so() -> None:
    office = about_to_release()
    leave_one_try_at_the_puk(office)
    office.choose("release")
    assert sentence(Message("desk.puk_last_try")) in office.text()
    office.submit()
    assert office.page.name == "read_out"


def test_no_code_for_the_last_try_is_made_for_who_was_not_told() -> None:
    """It became the last one while the page was open."""
    office = about_to_release()
    office.choose("release")
    assert sentence(Message("desk.puk_last_try")) not in office.text()
    leave_one_try_at_the_puk(office)
    office.submit()
    assert office.notice == "enrollment.last_try"
    assert office.events("approval.issued") == []


@pytest.mark.parametrize("changed", [{"enabled": False}, {"expired": True}])
def test_an_account_that_may_not_sign_in_anywhere_does_not_here(
    office: Office, changed: dict[str, bool]
) -> None:
    """The card and its PIN are as they were; the domain let the person go."""
    hanna = office.holder("hanna")
    office.domain.change_account(hanna.account_guid, **changed)
    office.insert(hanna)
    office.submit({"pin": PIN})
    assert office.notice == "enrollment.account_not_usable"
    assert office.page.operator == ""
    assert office.events("operator.signed_in") == []


def test_who_is_disabled_while_signed_in_is_signed_out() -> None:
    office = signed_in("hanna")
    (hanna,) = office._people("hanna")
    office.domain.change_account(hanna.guid, enabled=False)
    office.choose("list:suspended")
    assert office.page.name == "sign_in"
    assert office.notice == "enrollment.no_role"
