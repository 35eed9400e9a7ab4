"""Issue: a card is personalised as its template says, and handed over."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.cards.any_card import gids_of, piv_of, token_of
from kiosk.cards.ports import Card
from kiosk.core.errors import KioskError, Message
from kiosk.enrollment import issue_gids, issue_piv, issue_token
from kiosk.enrollment.bench import Bench
from kiosk.enrollment.issuing import Issued, IssueJob, NotForThisCard, Order
from storage.records import CardType, Template

__all__ = ["Issued", "NotForThisCard", "Order", "issue_card", "refusal_of"]


def _nobody(step: Message) -> None:
    """Nobody watches the steps."""


def refusal_of(template: Template) -> KioskError | None:
    """Return why no card could ever be issued as the template says; None: one could."""
    if template.card_type is CardType.GIDS:
        return issue_gids.refusal_of(template)
    return None


def issue_card(
    bench: Bench,
    card: Card,
    order: Order,
    emit: Callable[[Message], None] = _nobody,
) -> Issued:
    """Personalise the card in the reader; `emit` is told each step as it begins.

    NotInRole, Refused, NotForThisCard, AlreadyOnRecord, CardNotOurs, PukNotOurs,
    PukNotAccepted, KeyNotOfThisCard, NoTokenPin, TokenInUse, TokenPinRefused,
    CardError, DirectoryError, SourceError;
    CertificatePending: repeat it with the same card when the certificate has come.
    """
    judged = bench.office.judge_issue(order.account, order.template)
    template = judged.template
    if (refusal := refusal_of(template)) is not None:
        raise refusal
    wanted = IssueJob(bench=bench, order=judged, issuer=order.issuer, emit=emit)
    match template.card_type:
        case CardType.PIV if (piv := piv_of(card)) is not None:
            return issue_piv.issue(wanted, piv)
        case CardType.GIDS if (gids := gids_of(card)) is not None:
            return issue_gids.issue(wanted, gids)
        case CardType.PKCS11 if (token := token_of(card)) is not None:
            return issue_token.issue(wanted, token, order.token_pin)
    raise NotForThisCard(template=template.name, card_type=template.card_type)
