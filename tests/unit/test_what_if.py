"""A site's own rules, rehearsed: what works holds, what cannot work is named."""

from __future__ import annotations

import dataclasses

from kiosk.authority.rules.compliance import ComplianceProfile
from kiosk.simulation.domain import DOMAIN_POLICY
from kiosk.simulation.rehearsal.given import SiteRules
from kiosk.simulation.rehearsal.runner import ScenarioOutcome, play
from kiosk.simulation.rehearsal.what_if import scenarios
from statemachine.lifecycle import Event, Lifecycle, State
from storage.records import (
    CardType,
    FirstPin,
    PinAlphabet,
    PinPolicy,
    Template,
    UnblockMethod,
)


def rehearsed(rules: SiteRules) -> dict[str, ScenarioOutcome]:
    return {
        each.title: play(each, each.title, rules=rules) for each in scenarios(rules)
    }


def test_a_template_that_works_holds_in_all_three_visits() -> None:
    rules = SiteRules(
        templates=(
            Template(name="staff"),
            Template(name="by code", first_pin=FirstPin.ACTIVATION_CODE),
        ),
        policy=DOMAIN_POLICY,
    )
    found = rehearsed(rules)
    assert len(found) == 6
    assert [title for title, outcome in found.items() if not outcome.holds] == []


def test_templates_for_every_type_of_card_are_rehearsed() -> None:
    gids = Template(
        name="gids",
        card_type=CardType.GIDS,
        unblock=(UnblockMethod.ADMIN_KEY_ONLINE,),
    )
    token = Template(name="token", card_type=CardType.PKCS11)
    found = rehearsed(SiteRules(templates=(gids, token), policy=DOMAIN_POLICY))
    assert [title for title, outcome in found.items() if not outcome.holds] == []
    assert len(found) == 5, "what no module does is not rehearsed"


def test_a_gids_template_that_counts_on_a_puk_is_found_out() -> None:
    gids = Template(name="gids", card_type=CardType.GIDS)
    found = rehearsed(SiteRules(templates=(gids,), policy=DOMAIN_POLICY))
    assert found["gids: an ordinary change"].holds
    assert not found["gids: a forgotten PIN"].holds


def test_a_domain_that_no_pin_can_satisfy_shows_at_once() -> None:
    policy = dataclasses.replace(DOMAIN_POLICY, complexity=True)
    found = rehearsed(SiteRules(templates=(Template(name="staff"),), policy=policy))
    assert not any(outcome.holds for outcome in found.values())
    lines = [line.text for line in found["staff: an ordinary change"].lines]
    assert any("No PIN could satisfy the rules" in line for line in lines)


def test_with_letters_the_same_domain_can_be_satisfied() -> None:
    policy = dataclasses.replace(DOMAIN_POLICY, complexity=True, minimum_length=8)
    template = Template(
        name="staff", pin_policy=PinPolicy(alphabet=PinAlphabet.PRINTABLE)
    )
    rules = SiteRules(templates=(template,), policy=policy)
    found = rehearsed(rules)
    assert "staff: an ordinary change" in found
    # The first PIN must be typed on a card of digits here: simulated PIV cards take
    # digits only, and the rehearsal says so instead of passing over it.
    assert not found["staff: an ordinary change"].holds


def test_an_edge_that_the_site_has_removed_is_missed() -> None:
    lifecycle = Lifecycle(
        [(Event.UNBLOCK, State.ACTIVE), (Event.UNBLOCK, State.BLOCKED)]
    )
    rules = SiteRules(
        templates=(Template(name="staff"),), policy=DOMAIN_POLICY, lifecycle=lifecycle
    )
    found = rehearsed(rules)
    assert found["staff: an ordinary change"].holds
    assert not found["staff: a forgotten PIN"].holds


def test_the_sites_profile_counts() -> None:
    template = Template(name="staff", unblock=(UnblockMethod.HOLDER_PUK,))
    rules = SiteRules(
        templates=(template,),
        policy=DOMAIN_POLICY,
        profile=ComplianceProfile(fips_201=True),
    )
    assert not rehearsed(rules)["staff: a forgotten PIN"].holds
