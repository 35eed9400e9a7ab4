"""What will happen to our people on Monday: a site's own templates, rehearsed.

For each template the three visits that most people make: the first day, an ordinary
change, a forgotten PIN. What the rules make impossible shows as what does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator

from kiosk.authority.escrow.unblock_methods import BY_RELEASE
from kiosk.authority.office.templates import limits_of
from kiosk.authority.rules.compliance import ComplianceProfile
from kiosk.authority.rules.effective import effective
from kiosk.core.secret import Secret
from kiosk.pin.alphabet import Alphabet
from kiosk.pin.rules import PinRules, is_satisfied
from kiosk.simulation.rehearsal.given import GivenAccount, GivenCard, Make, SiteRules
from kiosk.simulation.rehearsal.scenario import Scenario
from kiosk.simulation.rehearsal.steps import (
    Choose,
    Expect,
    HandOut,
    Insert,
    Step,
    Type,
)
from kiosk.visit.views import FieldName, Outcome
from statemachine.lifecycle import State
from statemachine.operation import Kind
from storage.records import CardType, FirstPin, Template

_DIGITS = "31415926535897932384626433832795"
_MIXED = "Kq7-vT2.mX9+hZ4=rB6!nC8~wD3^yF5%"
_START = "Welcome-2026"
_MAKES = {
    CardType.PIV: Make.PIV,
    CardType.GIDS: Make.GIDS,
    CardType.PKCS11: Make.IDPRIME,
}


def scenarios(rules: SiteRules) -> Iterator[Scenario]:
    """Yield the visits of every template.

    The simulated middleware cannot unblock, as IDPrime's: that visit is left out there.
    """
    for template in rules.templates:
        yield _first_day(template, rules)
        yield _change(template, rules)
        if template.card_type is not CardType.PKCS11:
            yield _forgotten(template, rules)


def _pins(template: Template, rules: SiteRules) -> tuple[str, str]:
    """Return two PINs that the rules allow; where none is, plain ones to be refused."""
    follows = template.pin_policy.update_ad_password
    policy = rules.policy if follows else None
    wanted = (rules.profile or ComplianceProfile()).tightened(
        effective(limits_of(template), template, None, policy)
    )
    found = [pin for pin in _candidates(wanted) if _fits(wanted, pin)]
    return (found[0], found[1]) if len(found) > 1 else ("314159", "271828")


def _candidates(rules: PinRules) -> Iterator[str]:
    source = _DIGITS if rules.alphabet is Alphabet.DIGITS else _MIXED
    length = max(rules.minimum, 1)
    for start in range(len(source) - length + 1):
        yield source[start : start + length]


def _fits(rules: PinRules, pin: str) -> bool:
    with Secret(pin.encode()) as secret:
        return is_satisfied(rules, secret, None)


def _scenario(
    template: Template, name: str, card: GivenCard, steps: tuple[Step, ...]
) -> Scenario:
    password = card.pin if card.state is State.ACTIVE else _START
    return Scenario(
        title=f"{template.name}: {name}",
        story=f"Template {template.name}, as this site has it.",
        templates=(template,),
        accounts=(
            GivenAccount(name="ann", display_name="Ann Example", password=password),
        ),
        cards=(card,),
        steps=steps,
    )


def _first_day(template: Template, rules: SiteRules) -> Scenario:
    new, _ = _pins(template, rules)
    transport = "482915"
    card = GivenCard(
        name="ann",
        account="ann",
        make=_MAKES[template.card_type],
        template=template.name,
        pin=transport,
        state=State.ISSUED,
    )
    values = {FieldName.TRANSPORT_PIN: transport, FieldName.NEW_PIN: new}
    before: tuple[Step, ...] = ()
    if template.first_pin is FirstPin.ACTIVATION_CODE:
        values = {FieldName.ACTIVATION_CODE: "@code", FieldName.NEW_PIN: new}
        before = (HandOut(card="ann", code="activation"),)
    return _scenario(
        template, "the first day", card, _visit(template, Kind.ACTIVATE, values, before)
    )


def _change(template: Template, rules: SiteRules) -> Scenario:
    old, new = _pins(template, rules)
    card = GivenCard(
        name="ann",
        account="ann",
        make=_MAKES[template.card_type],
        template=template.name,
        pin=old,
    )
    values = {FieldName.OLD_PIN: old, FieldName.NEW_PIN: new}
    return _scenario(
        template, "an ordinary change", card, _visit(template, Kind.CHANGE, values)
    )


def _forgotten(template: Template, rules: SiteRules) -> Scenario:
    old, new = _pins(template, rules)
    card = GivenCard(
        name="ann",
        account="ann",
        make=_MAKES[template.card_type],
        template=template.name,
        pin=old,
        tries_left=0,
    )
    values = {FieldName.RELEASE_CODE: "@code", FieldName.NEW_PIN: new}
    before: tuple[Step, ...] = (HandOut(card="ann", code="release"),)
    if BY_RELEASE.isdisjoint(template.unblock):
        steps: tuple[Step, ...] = (
            Insert(card="ann"),
            Expect(allowed=(Kind.UNBLOCK,)),
        )
        return _scenario(template, "a forgotten PIN", card, steps)
    return _scenario(
        template,
        "a forgotten PIN",
        card,
        _visit(template, Kind.UNBLOCK, values, before),
    )


def _visit(
    template: Template,
    kind: Kind,
    values: dict[FieldName, str],
    before: tuple[Step, ...] = (),
) -> tuple[Step, ...]:
    follows = template.self_service and template.pin_policy.update_ad_password
    new = values[FieldName.NEW_PIN]
    expected = Expect(
        outcome=Outcome.DONE if follows else Outcome.CARD_ONLY,
        pin_is=new,
        password_is=new if follows else None,
    )
    return (
        *before,
        Insert(card="ann"),
        Choose(action=kind),
        Type(values=values, confirm=not follows),
        expected,
    )
