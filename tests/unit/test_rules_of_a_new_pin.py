"""What a new PIN must be: card ∩ template ∩ directory, and the site's profile."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec.structs import replace as changed

from kiosk.authority.rules.compliance import ComplianceProfile
from kiosk.authority.rules.effective import effective
from kiosk.authority.values import CardLimits
from kiosk.directory.values import Account, PasswordPolicy
from kiosk.pin.alphabet import Alphabet
from kiosk.pin.rules import PinRules
from storage.records import PinAlphabet, PinPolicy, Template, UnblockMethod

CARD = CardLimits(minimum=4, maximum=16, alphabet=Alphabet.PRINTABLE)
OWN = PinPolicy(
    minimum=5, maximum=12, alphabet=PinAlphabet.PRINTABLE, required_classes=2
)
POLICY = PasswordPolicy(
    source="domain",
    minimum_length=7,
    complexity=True,
    history=24,
    minimum_age=0.0,
    maximum_age=None,
    lockout_threshold=0,
)
ANN = Account(
    guid="g",
    dn="CN=ann",
    sam_account_name="ann.lee",
    user_principal_name="ann.lee@ad.test",
    display_name="Ann-Mary Li, Dr. O_Neill#X",
    enabled=True,
    locked=False,
    expired=False,
    privileged=False,
    smart_card_required=False,
    pwd_last_set=1,
)
NAMES = ("ann.lee", "Ann", "Mary", "Neill")
"""The account's name, and each part of the other from three characters on."""


def rules(
    own: PinPolicy = OWN,
    *,
    card: CardLimits = CARD,
    apply: bool = True,
    account: Account | None = None,
    policy: PasswordPolicy | None = None,
) -> PinRules:
    template = Template(name="staff", pin_policy=own, apply_pin_policy=apply)
    return effective(card, template, account, policy)


@pytest.mark.parametrize(
    ("of_card", "of_template", "of_domain", "least"),
    [(6, 5, 4, 6), (4, 6, 5, 6), (4, 5, 6, 6), (4, 5, None, 5), (0, 0, 0, 0)],
)
def test_the_longest_minimum_counts(
    of_card: int, of_template: int, of_domain: int | None, least: int
) -> None:
    policy = None if of_domain is None else replace(POLICY, minimum_length=of_domain)
    card = changed(CARD, minimum=of_card)
    found = rules(changed(OWN, minimum=of_template), card=card, policy=policy)
    assert found.minimum == least


@pytest.mark.parametrize(("of_card", "of_template", "most"), [(8, 12, 8), (16, 12, 12)])
def test_the_shortest_maximum_counts(of_card: int, of_template: int, most: int) -> None:
    found = rules(
        changed(OWN, maximum=of_template), card=changed(CARD, maximum=of_card)
    )
    assert found.maximum == most


@pytest.mark.parametrize("of_card", Alphabet)
@pytest.mark.parametrize("of_template", PinAlphabet)
def test_one_that_wants_digits_is_enough(
    of_card: Alphabet, of_template: PinAlphabet
) -> None:
    found = rules(
        changed(OWN, alphabet=of_template), card=changed(CARD, alphabet=of_card)
    )
    both = of_card is Alphabet.PRINTABLE and of_template is PinAlphabet.PRINTABLE
    assert found.alphabet is (Alphabet.PRINTABLE if both else Alphabet.DIGITS)


@pytest.mark.parametrize("refuses", [True, False])
def test_the_template_decides_on_weak_ones_and_classes(refuses: bool) -> None:
    found = rules(changed(OWN, refuse_weak=refuses, required_classes=3))
    assert (found.refuse_weak, found.required_classes) == (refuses, 3)


def test_a_policy_that_is_not_applied_leaves_card_and_directory() -> None:
    digits = changed(OWN, alphabet=PinAlphabet.DIGITS)
    alone = rules(digits, apply=False)
    assert alone == PinRules(
        minimum=4,
        maximum=16,
        alphabet=Alphabet.PRINTABLE,
        refuse_weak=False,
        required_classes=0,
    )
    followed = rules(digits, apply=False, account=ANN, policy=POLICY)
    assert (followed.minimum, followed.complexity) == (7, True)
    assert followed.names == NAMES


def test_the_directorys_complexity_counts_where_the_password_follows() -> None:
    assert rules(policy=POLICY).complexity
    assert not rules(policy=replace(POLICY, complexity=False)).complexity
    assert not rules().complexity


@pytest.mark.parametrize(
    ("refuses", "follows", "names"),
    [
        (True, True, NAMES),
        (True, False, NAMES),
        (False, True, NAMES),
        (False, False, ()),
    ],
)
def test_names_may_not_occur_where_either_says_so(
    refuses: bool, follows: bool, names: tuple[str, ...]
) -> None:
    own = changed(OWN, refuse_account_name=refuses)
    found = rules(own, account=ANN, policy=POLICY if follows else None)
    assert found.names == names


def test_a_name_that_is_the_accounts_too_is_said_once() -> None:
    twice = replace(ANN, display_name="Lee lee Lee")
    assert rules(account=twice, policy=POLICY).names == ("ann.lee", "Lee", "lee")
    assert rules(policy=POLICY).names == (), "whose account it is, is not known"


# --- the profile -------------------------------------------------------------------


def test_the_profile_asks_for_six_digits_and_no_weak_ones_and_nothing_else() -> None:
    loose = rules(changed(OWN, refuse_weak=False))
    assert ComplianceProfile().tightened(loose) == loose
    tight = ComplianceProfile(fips_201=True).tightened(loose)
    assert tight == changed(loose, minimum=6, refuse_weak=True)
    long = changed(loose, minimum=9)
    assert ComplianceProfile(fips_201=True).tightened(long).minimum == 9


@pytest.mark.parametrize(
    ("fips", "second", "alone", "with_code"),
    [
        (False, False, True, False),
        (False, True, True, True),
        (True, False, False, False),
        (True, True, True, True),
    ],
)
def test_who_holds_card_and_puk_needs_a_second_factor(
    fips: bool, second: bool, alone: bool, with_code: bool
) -> None:
    profile = ComplianceProfile(fips_201=fips, second_factor=second)
    for method in UnblockMethod:
        is_alone = method is UnblockMethod.HOLDER_PUK
        assert profile.allows(method) is (alone or not is_alone)
        assert profile.wants_code(method) is (with_code and is_alone)
    assert not profile.wants_code(None)


@pytest.mark.parametrize(("left", "may"), [(None, True), (10, True), (11, False)])
def test_more_than_ten_tries_are_too_many(left: int | None, may: bool) -> None:
    assert ComplianceProfile(fips_201=True).allows_tries(left) is may
    assert ComplianceProfile().allows_tries(left)
