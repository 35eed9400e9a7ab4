"""The effective rules for a new PIN: card limits ∩ template ∩ directory policy."""

from __future__ import annotations

import re

from kiosk.authority.values import CardLimits
from kiosk.directory.values import Account, PasswordPolicy
from kiosk.pin.alphabet import Alphabet
from kiosk.pin.rules import PinRules
from storage.records import PinAlphabet, Template

_TOKEN = re.compile(r"[\s,.\-_#]+")
_SHORTEST_NAME = 3


def effective(
    limits: CardLimits,
    template: Template,
    account: Account | None,
    policy: PasswordPolicy | None,
) -> PinRules:
    """Combine what applies.

    `account` and `policy` are None where the password does not follow. A template
    that does not apply its PIN policy leaves the card's limits, and the
    directory's, which nobody can switch off.
    """
    own = template.pin_policy if template.apply_pin_policy else None
    digits = limits.alphabet is Alphabet.DIGITS or (
        own is not None and own.alphabet is PinAlphabet.DIGITS
    )
    return PinRules(
        minimum=max(
            limits.minimum,
            own.minimum if own else 0,
            policy.minimum_length if policy else 0,
        ),
        maximum=min(limits.maximum, own.maximum if own else limits.maximum),
        alphabet=Alphabet.DIGITS if digits else Alphabet.PRINTABLE,
        refuse_weak=own is not None and own.refuse_weak,
        names=_names(template, account, policy),
        required_classes=own.required_classes if own else 0,
        complexity=policy is not None and policy.complexity,
    )


def _names(
    template: Template, account: Account | None, policy: PasswordPolicy | None
) -> tuple[str, ...]:
    """Names that must not occur: account name and tokens of the display name.

    MS-SAMR 3.1.1.7.2 has them outside the complexity condition, so they apply
    wherever the value becomes a password.
    """
    asked = template.apply_pin_policy and template.pin_policy.refuse_account_name
    if account is None or not (policy is not None or asked):
        return ()
    tokens = [account.sam_account_name, *_TOKEN.split(account.display_name)]
    return tuple(dict.fromkeys(name for name in tokens if len(name) >= _SHORTEST_NAME))
