"""Personalise one card from a page: what is being done, and what to hand over."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.cards.ports import Card
from kiosk.core.errors import KioskError, Message
from kiosk.core.secret import Secret
from kiosk.desk.context import Context, Site
from kiosk.desk.views import Emit, FieldKind, PageField, PageLine, Style
from kiosk.enrollment.bench import Bench
from kiosk.enrollment.issue import Order, issue_card, refusal_of
from storage.records import CardType, Credential, Template


class NoCertificates(KioskError):
    """Nothing at this station certifies new cards."""

    code = "desk.no_certificates"


class MiddlewareElsewhere(KioskError):
    """Such cards are not issued where their bytes alone arrive: `template`."""

    code = "relay.middleware_elsewhere"


@dataclass(frozen=True, slots=True)
class IssuedCard:
    """A card that was issued, and its transport PIN where somebody must carry it."""

    credential: Credential
    transport_pin: Secret | None
    puk: Secret | None = None
    """The holder's, where holders unblock their cards."""

    def wipe(self) -> None:
        """Forget what is to be handed over."""
        for secret in (self.transport_pin, self.puk):
            if secret is not None:
                secret.wipe()

    @property
    def has_secret(self) -> bool:
        """Something of it is known nowhere else, until somebody has it."""
        return self.transport_pin is not None or self.puk is not None

    def lines(self) -> tuple[PageLine, ...]:
        """Return what to read; it can be read again until it is wiped."""
        told = {"holder": self.credential.holder}
        lines = [PageLine(Message("desk.handover.issued", told), Style.DONE)]
        if self.puk is not None:
            lines += _shown("desk.handover.puk", self.puk)
        if self.transport_pin is None:
            lines.append(PageLine(Message("desk.handover.by_code")))
        else:
            lines += _shown("desk.handover.pin", self.transport_pin)
        return tuple(lines)


def _shown(what: str, secret: Secret) -> tuple[PageLine, PageLine]:
    code = secret.reveal().decode("ascii")
    return PageLine(Message(what)), PageLine(code, Style.CODE)


TOKEN_PIN = "token_pin"  # noqa: S105 - the name of a field
"""The field for the PIN that a token behind middleware has now."""


def asked_for(context: Context, template: str) -> tuple[PageField, ...]:
    """Return what has to be typed before such a card is issued."""
    if context.office.template(template).card_type is not CardType.PKCS11:
        return ()
    label = Message("enrollment.token_pin")
    return (PageField(name=TOKEN_PIN, label=label, kind=FieldKind.SECRET),)


def refusal_here(site: Site, template: Template) -> KioskError | None:
    """Return why no such card could ever be issued at this desk; None: one could."""
    if site.is_lent and template.card_type is CardType.PKCS11:
        return MiddlewareElsewhere(template=template.name)
    return refusal_of(template)


def alone(site: Site) -> tuple[PageLine, ...]:
    """Return what is to be known before a card is begun: nothing is done beside it."""
    if not site.is_lent:
        return ()
    return (PageLine(Message("relay.issues_alone"), Style.MUTED),)


def order_of(
    context: Context, account: str, template: str, token_pin: Secret | None
) -> Order:
    """Return what is to be issued. NoCertificates, and as `refusal_here` says."""
    if context.site.issuer is None:
        raise NoCertificates
    refusal = refusal_here(context.site, context.office.template(template))
    if refusal is not None:
        raise refusal
    return Order(
        account=account,
        template=template,
        issuer=context.site.issuer(),
        token_pin=token_pin,
    )


def personalise(bench: Bench, card: Card, order: Order, emit: Emit) -> IssuedCard:
    """Issue the card in the reader. As `issue_card`."""
    issued = issue_card(bench, card, order, emit)
    return IssuedCard(issued.credential, issued.transport_pin, issued.puk)
