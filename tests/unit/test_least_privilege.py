"""Rights that hang on a condition or cannot be read are never called well."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from lab.domain.descriptors import STRANGER, USER, descriptor, entry, raw_entry, sid

from kiosk.core.clock import ManualClock
from kiosk.core.entropy import SeededEntropy
from kiosk.directory.delegation import CHANGE_PASSWORD, NEEDED, TO_READ, Access
from kiosk.directory.delegation import USER as USER_CLASS
from kiosk.directory.values import Account, Guarded, PasswordPolicy, ServiceFacts
from kiosk.doctor import Finding, Health
from kiosk.doctor.domain import examine_domain
from kiosk.doctor.least_privilege import examine_rights
from kiosk.simulation.domain import SimulatedDirectory
from kiosk.texts import sentence

UNIT = "OU=Staff,DC=ad,DC=test"
ANN, EVE, BOSS, US = (
    f"CN=ann,{UNIT}",
    "CN=eve,OU=Labs,DC=ad,DC=test",
    "CN=boss,CN=Users,DC=ad,DC=test",
    "CN=svc,CN=Users,DC=ad,DC=test",
)
NOTHING = descriptor()
READS = {right.name: entry(right.access, object_type=right.guid) for right in TO_READ}
GIVEN = [
    *(entry(right.access, object_type=right.guid) for right in NEEDED),
    *READS.values(),
]
ANYBODYS = entry(Access.CONTROL, "S-1-1-0", object_type=CHANGE_PASSWORD.guid)


def account(dn: str) -> Account:
    return Account(
        guid=dn,
        dn=dn,
        sam_account_name=dn,
        user_principal_name=dn,
        display_name=dn,
        enabled=True,
        locked=False,
        expired=False,
        privileged=dn == BOSS,
        smart_card_required=False,
        pwd_last_set=1,
    )


@dataclass
class Domain:
    """A domain of four people whose descriptors a test writes."""

    written: dict[str, bytes] = field(default_factory=dict)

    def domain_head(self) -> str:
        return "DC=ad,DC=test"

    def guarded(self, dn: str) -> Guarded | None:
        own = {US: sid(USER)}.get(dn, b"")
        return Guarded(dn=dn, sid=own, descriptor=self.written.get(dn, NOTHING))

    def controllers_accounts(self) -> tuple[str, ...]:
        return ("CN=DC1,OU=Domain Controllers,DC=example,DC=org",)

    def guards(self, below: str, *, protected: bool) -> Iterator[Guarded]:
        for each in self.people(below, protected=protected):
            guard = self.guarded(each.dn)
            if guard is not None:
                yield guard

    def people(self, below: str, *, protected: bool) -> tuple[Account, ...]:
        everybody = [BOSS] if protected else [ANN, EVE, US]
        return tuple(account(dn) for dn in everybody if dn.endswith(below))


def examined(**guards: bytes) -> dict[str, Finding]:
    domain = Domain({ANN: descriptor(*GIVEN), **guards})
    facts = ServiceFacts(
        account=account(US),
        sid=sid(USER),
        token=(sid(USER),),
        password_expires=None,
        account_expires=None,
    )
    found = tuple(examine_rights(domain, facts, [UNIT]))  # type: ignore[arg-type]  # what of it is asked
    assert all(sentence(each.meaning) for each in found)
    assert all(each.advice is None or sentence(each.advice) for each in found)
    return {each.part: each for each in found}


IN, ON = f"rights in {UNIT}", f"rights on {UNIT}"
NO_MORE = f"{IN}, no more"
READING = f"reading in {UNIT}"
PROTECTED, OUTSIDE = "rights on protected accounts", "rights outside"
ITSELF, DOMAIN = "rights on itself", "rights on the domain"
MASTERS = {
    "rights on protected groups": "<SID=S-1-5-32-544>",
    "rights on AdminSDHolder": "CN=AdminSDHolder,CN=System,DC=ad,DC=test",
    "rights on password policies": (
        "CN=Password Settings Container,CN=System,DC=ad,DC=test"
    ),
    "rights on group policies": "CN=Policies,CN=System,DC=ad,DC=test",
    "rights on domain controllers": "OU=Domain Controllers,DC=ad,DC=test",
}
"""What rules the domain without being its head."""


def test_just_the_rights_that_are_needed_are_well_everywhere() -> None:
    said = examined(**{ANN: descriptor(*GIVEN, ANYBODYS)})
    places = {IN, ON, NO_MORE, READING, PROTECTED, OUTSIDE, ITSELF, DOMAIN}
    counts = {f"{part}, looked at" for part in (IN, PROTECTED, OUTSIDE)}
    assert set(said) == places | counts | set(MASTERS)
    assert {finding.health for finding in said.values()} == {Health.OK}


@pytest.mark.parametrize(
    ("dn", "part"),
    [
        (UNIT, ON),
        (ANN, NO_MORE),
        (EVE, OUTSIDE),
        (BOSS, PROTECTED),
        (US, ITSELF),
        ("DC=ad,DC=test", DOMAIN),
        *((dn, part) for part, dn in MASTERS.items()),
    ],
)
def test_what_is_certain_conditional_or_hidden_is_told_apart(
    dn: str, part: str
) -> None:
    own = GIVEN if dn == ANN else []
    certain = entry(Access.WRITE_DACL)
    conditional = entry(Access.WRITE_DACL, conditional=True)
    assert examined(**{dn: descriptor(*own, certain)})[part].health is Health.FAIL
    for doubtful in (descriptor(*own, conditional), b"", b"nonsense"):
        assert examined(**{dn: doubtful})[part].health is Health.UNKNOWN
    null = examined(**{dn: descriptor(dacl=None)})[part]
    assert null.health is Health.FAIL, "everybody may do everything"


@pytest.mark.parametrize("hidden", READS)
def test_what_may_not_be_read_is_named(hidden: str) -> None:
    left = [each for name, each in READS.items() if name != hidden]
    said = examined(**{ANN: descriptor(*left)})[READING]
    is_mark = hidden == "replPropertyMetaData"
    assert said.health is (Health.WARN if is_mark else Health.FAIL)
    assert is_mark or said.meaning.data["rights"] == hidden


def test_a_new_type_of_entry_leaves_a_doubt() -> None:
    mystery = raw_entry(0x55, b"????")
    said = examined(**{ANN: descriptor(mystery, *GIVEN)})
    assert said[IN].health is Health.UNKNOWN
    assert said[NO_MORE].health is Health.UNKNOWN


def test_a_needed_right_under_a_condition_is_doubtful() -> None:
    some = [
        entry(right.access, object_type=right.guid, conditional=True)
        for right in NEEDED
    ]
    assert examined(**{ANN: descriptor(*some)})[IN].health is Health.UNKNOWN


def test_ownership_is_a_right_too_many() -> None:
    said = examined(**{ANN: descriptor(*GIVEN, owner=USER)})
    assert said[NO_MORE].meaning.data["rights"] == "change permissions"


def test_what_a_unit_hands_down_to_other_classes_is_seen() -> None:
    handed = entry(Access.WRITE_PROPERTY, flags=0x0A)
    delegated = [
        entry(
            right.access,
            flags=0x0A,
            object_type=right.guid,
            inherited_type=USER_CLASS,
        )
        for right in NEEDED
    ]
    foreign = entry(Access.WRITE_PROPERTY, STRANGER, flags=0x0A)
    below = f"rights below {UNIT}"
    assert below not in examined(**{UNIT: descriptor(*delegated, foreign)})
    assert examined(**{UNIT: descriptor(*delegated, handed)})[below].health is (
        Health.FAIL
    )


def test_a_directory_that_does_not_tell_is_unknown_not_well() -> None:
    policy = PasswordPolicy(
        source="domain",
        minimum_length=6,
        complexity=False,
        history=0,
        minimum_age=0.0,
        maximum_age=None,
        lockout_threshold=0,
    )
    domain = SimulatedDirectory(ManualClock(), SeededEntropy(1), policy=policy)
    (finding,) = examine_domain(domain, (UNIT,), (), ManualClock())
    assert finding.health is Health.UNKNOWN
