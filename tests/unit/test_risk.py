"""The risk report names whom it is about, and never passes over what it cannot read."""

from __future__ import annotations

import dataclasses

import pytest
from msgspec.structs import replace

from kiosk.authority.office import survey
from kiosk.authority.office.risk import report
from kiosk.authority.office.values import (
    RiskFinding,
)
from kiosk.core.secret import Secret
from kiosk.simulation.domain import DOMAIN_POLICY, SimulatedDirectory
from kiosk.simulation.domain_faults import DcDown, PolicyHidden
from kiosk.simulation.world import World
from statemachine.lifecycle import State
from storage.records import Keyless, PinPolicy, Sync, Template
from storage.registry import Tx

LOCKS = dataclasses.replace(DOMAIN_POLICY, lockout_threshold=5)


class Site:
    """A world to which people are added, one kind of risk each."""

    def __init__(self) -> None:
        self.world = World(policy=LOCKS)
        self.world.add_template(Template(name="staff"))

    @property
    def domain(self) -> SimulatedDirectory:
        assert isinstance(self.world.directory, SimulatedDirectory)
        return self.world.directory

    def person(
        self,
        name: str,
        *,
        template: str = "staff",
        state: State = State.ACTIVE,
        sync: Sync = Sync.IN_STEP,
        keyless: bool = False,
        **account: object,
    ) -> str:
        guid = self.domain.add_account(name, password=Secret(b"271828"), **account)  # type: ignore[arg-type]  # arguments of add_account
        made, puk = self.world.make_card(name, pin=b"271828")
        self.world.register(
            name,
            made,
            puk,
            account_guid=guid,
            template=template,
            state=state,
            sync=sync,
            keyless=keyless,
        )
        return guid

    def found(self, name: str) -> dict[RiskFinding, str]:
        return {
            risk.finding: risk.detail
            for risk in report(self.world.parts).risks
            if risk.account.startswith(name)
        }


def test_a_short_pin_as_password_is_named_with_its_length() -> None:
    site = Site()
    site.person("ann")
    assert site.found("ann") == {RiskFinding.SHORT_NUMERIC: "6"}


def test_without_a_lockout_policy_it_is_worse() -> None:
    site = Site()
    site.person("ann", policy=dataclasses.replace(LOCKS, lockout_threshold=0))
    assert RiskFinding.NO_LOCKOUT in site.found("ann")


def test_who_was_never_synchronised_has_no_short_password_of_ours() -> None:
    site = Site()
    site.person("ann", state=State.ISSUED, sync=Sync.NEVER)
    assert site.found("ann") == {}


def test_a_policy_that_nobody_can_satisfy_is_named() -> None:
    site = Site()
    site.person("ann", policy=dataclasses.replace(LOCKS, complexity=True))
    assert site.found("ann") == {RiskFinding.UNSATISFIABLE: "complexity"}


def test_privileged_and_smart_card_only_accounts_are_named() -> None:
    site = Site()
    site.person("ann", privileged=True)
    site.person("bob", smart_card_required=True)
    assert RiskFinding.PRIVILEGED in site.found("ann")
    assert RiskFinding.SMART_CARD_REQUIRED in site.found("bob")


def test_open_cases_and_keyless_exceptions_are_named() -> None:
    site = Site()
    site.world.add_template(Template(name="old", keyless=Keyless.WITHOUT))
    site.person("ann", sync=Sync.OUT_OF_STEP)
    site.person("bob", template="old", keyless=True)
    assert RiskFinding.OUT_OF_STEP in site.found("ann")
    assert site.found("bob")[RiskFinding.KEYLESS] == "without"


def test_a_card_whose_issuing_broke_off_is_no_keyless_exception() -> None:
    """Its password does not follow until its keys are on record."""
    site = Site()
    site.world.add_template(Template(name="old", keyless=Keyless.WITHOUT))
    site.person("bob", template="old", keyless=True)

    def begun(tx: Tx) -> None:
        (known,) = tx.credentials(limit=9)
        tx.save_credential(replace(known, migrated=False))

    site.world.registry.run(begun)
    assert RiskFinding.KEYLESS not in site.found("bob")


def test_what_the_directory_does_not_say_is_a_finding_of_its_own() -> None:
    site = Site()
    guid = site.person("ann", policy=LOCKS)
    site.domain.fail(PolicyHidden())
    assert site.found("ann") == {RiskFinding.UNKNOWN: "directory.policy_unreadable"}
    assert report(site.world.parts).unseen == 1
    site.domain.heal()
    site.domain.remove_account(guid)
    assert site.found("ann") == {RiskFinding.ACCOUNT_GONE: ""}
    assert report(site.world.parts).unseen == 0


def test_when_nobody_is_there_every_account_is_counted_as_unseen() -> None:
    site = Site()
    for name in ("ann", "bob"):
        site.person(name)
    site.domain.fail(DcDown())
    found = report(site.world.parts)
    assert (found.accounts, found.unseen) == (2, 2)
    assert {risk.finding for risk in found.risks} == {RiskFinding.UNKNOWN}
    assert {risk.detail for risk in found.risks} == {"directory.unreachable"}


def test_a_password_that_was_set_elsewhere_is_named() -> None:
    site = Site()
    guid = site.person("ann")
    assert RiskFinding.CHANGED_ELSEWHERE not in site.found("ann")
    site.domain.change_elsewhere(guid, Secret(b"314159"))
    assert RiskFinding.CHANGED_ELSEWHERE in site.found("ann")


def test_what_does_not_synchronise_and_what_has_ended_are_no_risk() -> None:
    site = Site()
    policy = PinPolicy(update_ad_password=False)
    site.world.add_template(Template(name="card only", pin_policy=policy))
    site.person("ann", template="card only")
    site.person("bob", state=State.REVOKED)
    assert report(site.world.parts).risks == ()


def test_it_tells_how_far_it_is_and_can_be_ended() -> None:
    """It only reads: what ends it, as Ctrl+C does, leaves nothing behind."""
    site = Site()
    for number in range(survey.BATCH + 3):
        site.person(f"p{number}")
    told: list[tuple[int, int]] = []
    report(site.world.parts, lambda done, total: told.append((done, total)))
    total = survey.BATCH + 3
    assert told == [(0, total), (survey.BATCH, total), (total, total)]
    before = list(site.world.registry.audit_events())

    def end(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        report(site.world.parts, end)
    assert list(site.world.registry.audit_events()) == before
    assert report(site.world.parts).accounts == total
