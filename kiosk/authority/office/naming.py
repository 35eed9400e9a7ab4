"""Whose certificate is it? By the rule that the site has chosen, and by no guess."""

from __future__ import annotations

from kiosk.authority.office.certificates import CertificateJudge
from kiosk.authority.office.desk import Desk
from kiosk.authority.office.errors import NamesAnother
from kiosk.config.sections.enrollment import NamedBy
from kiosk.directory.asking import ask
from kiosk.directory.ports import DomainController, NamesInCertificates
from kiosk.directory.values import Account, NameAttribute

ATTRIBUTES = {
    NamedBy.E_MAIL: NameAttribute.MAIL,
    NamedBy.IDENTITIES: NameAttribute.IDENTITIES,
}
"""What is read of an account for a rule."""


def must_name(
    desk: Desk,
    judge: CertificateJudge,
    certificate: bytes,
    account: Account,
    rule: NamedBy,
) -> None:
    """Let pass a certificate (DER) that names the account and no other.

    Where an officer says whose it is, a second officer is who decides. NamesAnother,
    DirectoryError.
    """
    if rule is NamedBy.OFFICER:
        return
    if rule is NamedBy.UPN:
        fits = judge.names(certificate, account.user_principal_name, rule)
    else:
        fits = ask(
            desk.parts.directory,
            lambda dc: _names(dc, judge, certificate, account, rule),
        )
    if not fits:
        raise NamesAnother(account=account.name)


def _names(
    dc: DomainController,
    judge: CertificateJudge,
    certificate: bytes,
    account: Account,
    rule: NamedBy,
) -> bool:
    """Say whether a value of the account's fits that nobody else has."""
    if not isinstance(dc, NamesInCertificates):
        return False
    attribute = ATTRIBUTES[rule]
    return any(
        judge.names(certificate, value, rule)
        and dc.holders_of(attribute, value) == {account.guid}
        for value in dc.values_of(account, attribute)
    )
