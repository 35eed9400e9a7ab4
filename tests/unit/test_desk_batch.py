"""A batch of cards, issued at the desk."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab.desk.blanks import blank, gids_template
from lab.desk.office import Office

from kiosk.core.errors import Message
from kiosk.desk.patience import Patience
from kiosk.simulation.cards.gids import SimulatedGidsCard

pytestmark = pytest.mark.usefixtures("here_and_relayed")


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


def test_checking_a_long_list_says_how_far_it_is_and_is_ended_without_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seconds in ("ASKED_SECONDS", "FIRST_SECONDS", "NEXT_SECONDS"):
        monkeypatch.setattr(f"kiosk.desk.how_far.{seconds}", 0.0)
    patience = Patience()
    office = Office(waits=patience.lasts)
    office.person("alice")
    office.person("bert")
    office.sign_in("olga")
    office.choose("batch")
    people = tmp_path / "people.csv"
    people.write_text("account,template\nalice,staff\nbert,staff\n")
    patience.end()
    office.submit(file=str(people))
    assert office.page.name == "batch"
    assert office.notice == "desk.not_waited_for"
    assert not (tmp_path / "people.results.csv").exists()
    office.said.clear()
    patience.of(lambda: office.submit(file=str(people)))()
    assert office.page.name == "batch_run"
    far = [each.data for each in office.said if each.key == "desk.how_far"]
    assert [(each["done"], each["total"]) for each in far] == [(1, 2), (2, 2)]


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


def test_after_the_last_card_its_pin_is_handed_over_with_the_card_still_in(
    tmp_path: Path,
) -> None:
    office = Office()
    office.person("alice")
    office.sign_in("olga")
    office.choose("batch")
    people = tmp_path / "people.csv"
    people.write_text("account,template\nalice,staff\n")
    office.submit(file=str(people))
    card = office.world.readers.insert(blank(office))
    office.page = office.desk.card_came(card)
    office.submit()
    assert "The batch is finished" in office.text()
    assert office.page.action == Message("desk.handover.action")


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
    assert "has just been issued. Take it out" in office.text()
    assert office.page.action is None
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


@pytest.mark.parametrize("gone", [1, 2, 3, 9, 30, 45])
def test_a_batch_goes_on_behind_a_result_that_a_full_disk_has_cut(
    tmp_path: Path, gone: int
) -> None:
    office = Office()
    office.person("alice")
    office.person("bert")
    office.sign_in("olga")
    people = tmp_path / "people.csv"
    people.write_text("account,template\nalice,staff\nbert,staff\n")
    results = tmp_path / "people.results.csv"
    office.choose("batch")
    office.submit(file=str(people))
    card = office.world.readers.insert(blank(office))
    office.page = office.desk.card_came(card)
    office.submit()
    office.pull(card.insertion)
    office.back()
    whole = results.read_bytes()
    results.write_bytes(whole[:-gone])
    office.choose("batch")
    office.submit(file=str(people))
    assert office.page.name == "batch_run", office.notice
    assert "Bert Example" in office.text(), "the card of the first one is known"
    office.choose("skip")
    lines = results.read_text().splitlines()
    assert lines[-1] == "3,bert@ad.test,staff,skipped,,", "on a line of its own"
    office.back()
    office.choose("batch")
    office.submit(file=str(people))
    assert office.page.name == "batch_run"
    assert "The batch is finished" in office.text()


def test_a_list_from_a_spreadsheet_is_read_and_its_lines_are_counted_as_there(
    tmp_path: Path,
) -> None:
    office = Office()
    office.person("alice")
    office.sign_in("olga")
    office.choose("batch")
    people = tmp_path / "people.csv"
    people.write_bytes(
        b"\xef\xbb\xbfaccount;template\r\n\r\nalice;staff\r\n\r\nnobody;staff\r\n"
    )
    office.submit(file=str(people))
    assert office.notice == "desk.batch_wrong"
    assert office.page.table is not None
    assert [row.cells[0] for row in office.page.table.rows] == ["5"]
