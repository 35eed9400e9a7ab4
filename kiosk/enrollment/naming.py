"""Whose certificate is it? By the rule that the site has chosen, and by no guess."""

from __future__ import annotations

from cryptography.x509 import Certificate

from kiosk.authority.office.desk import Desk
from kiosk.certificates import identities
from kiosk.certificates.card_certificates import (
    NamesAnother,
    account_key,
    accounts,
    addresses,
)
from kiosk.config.sections.enrollment import NamedBy
from kiosk.directory.asking import ask
from kiosk.directory.ports import (
    Account,
    DomainController,
    NameAttribute,
    NamesInCertificates,
)

ATTRIBUTES = {
    NamedBy.E_MAIL: NameAttribute.MAIL,
    NamedBy.IDENTITIES: NameAttribute.IDENTITIES,
}
"""What is read of an account for a rule."""


def must_name(
    desk: Desk, certificate: Certificate, account: Account, rule: NamedBy
) -> None:
    """Let pass a certificate that names the account and no other.

    Where an officer says whose it is, a second officer is who decides. NamesAnother,
    DirectoryError.
    """
    if rule is NamedBy.OFFICER:
        return
    name = account.user_principal_name
    if rule is NamedBy.UPN:
        fits = account_key(name) in map(account_key, accounts(certificate))
    else:
        fits = ask(
            desk.parts.directory, lambda dc: _names(dc, certificate, account, rule)
        )
    if not fits:
        raise NamesAnother(account=name or account.sam_account_name)


def _names(
    dc: DomainController, certificate: Certificate, account: Account, rule: NamedBy
) -> bool:
    """Say whether a value of the account's fits that nobody else has."""
    if not isinstance(dc, NamesInCertificates):
        return False
    attribute = ATTRIBUTES[rule]
    return any(
        _fits(value, certificate, rule)
        and dc.holders_of(attribute, value) == {account.guid}
        for value in dc.values_of(account, attribute)
    )


def _fits(value: str, certificate: Certificate, rule: NamedBy) -> bool:
    if rule is NamedBy.IDENTITIES:
        return identities.maps(value, certificate)
    return account_key(value) in map(account_key, addresses(certificate))
