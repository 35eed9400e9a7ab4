"""Templates, edited at the desk."""

from __future__ import annotations

import pytest
from lab.desk.office import signed_in
from msgspec import structs

pytestmark = pytest.mark.usefixtures("here_and_relayed")


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


def test_what_another_administrator_has_saved_meanwhile_is_not_written_over() -> None:
    office = signed_in("ada")
    office.choose("templates")
    office.choose("staff")
    office.change({"pin_policy.history": "5"})
    theirs = structs.replace(
        office.world.registry.run(lambda tx: tx.template("staff")), self_service=False
    )
    office.world.registry.run(lambda tx: tx.save_template(theirs))
    office.submit()
    assert office.notice == "registry.version_conflict"
    kept = office.world.registry.run(lambda tx: tx.template("staff"))
    assert (kept.version, kept.self_service) == (2, False)
    office.submit()
    office.submit()
    assert office.notice == "desk.template_saved"
    both = office.world.registry.run(lambda tx: tx.template("staff"))
    assert (both.version, both.self_service) == (3, False)
    assert both.pin_policy.history == 5


def test_a_new_template_takes_no_name_that_is_taken() -> None:
    office = signed_in("ada")
    office.choose("templates")
    office.choose(" new")
    for _ in range(2):
        office.change({"name": "staff", "activation_code_days": "3"})
        assert office.notice == "registry.duplicate"
    saved = office.world.registry.run(lambda tx: tx.template("staff"))
    assert (saved.version, saved.activation_code_days) == (1, 14)


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
