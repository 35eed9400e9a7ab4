"""Certificates that are refused, and the reason that is true of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kiosk.directory.values import WhyNoTrust
from lab.servers.tls_servers import CLIENT, NAME, Issued, Wish, issue

ROOT = Wish(common_name="Lab Root", is_authority=True)
MIDDLE = Wish(common_name="Lab Issuing", is_authority=True)
GOOD = Wish()

Chain = Callable[[Issued], Sequence[Issued]]
"""What a server shows, its own first, under a root that is trusted."""


def signed(wish: Wish) -> Chain:
    return lambda root: [issue(wish, root)]


def below(middle: Wish, wish: Wish = GOOD, *, sent: bool = True) -> Chain:
    def chain(root: Issued) -> Sequence[Issued]:
        issuing = issue(middle, root)
        own = issue(wish, issuing)
        return [own, issuing] if sent else [own]

    return chain


def by_another(root: Issued) -> Sequence[Issued]:
    other = issue(Wish(common_name="Another Root", is_authority=True))
    return [issue(GOOD, other)]


def by_another_sent_along(root: Issued) -> Sequence[Issued]:
    other = issue(Wish(common_name="Another Root", is_authority=True))
    return [issue(GOOD, other), other]


def by_itself(root: Issued) -> Sequence[Issued]:
    return [issue(GOOD)]


@dataclass(frozen=True)
class Bad:
    """A server, why it is refused, and what the operator must read of it."""

    chain: Chain
    why: WhyNoTrust
    told: str = ""


BAD = {
    "expired": Bad(signed(Wish(begins=-3, ends=-1)), WhyNoTrust.EXPIRED),
    "not yet valid": Bad(signed(Wish(begins=1, ends=2)), WhyNoTrust.NOT_YET_VALID),
    "another name": Bad(
        signed(Wish(names=("dc9.example.org",))),
        WhyNoTrust.WRONG_NAME,
        "dc9.example.org",
    ),
    "another address": Bad(
        signed(Wish(names=(), addresses=("127.0.0.9",))),
        WhyNoTrust.WRONG_NAME,
        "127.0.0.9",
    ),
    "only a common name": Bad(signed(Wish(names=())), WhyNoTrust.NO_NAME, NAME),
    "for clients only": Bad(signed(Wish(purposes=(CLIENT,))), WhyNoTrust.WRONG_PURPOSE),
    "outside what its authority may": Bad(
        below(Wish(common_name="Lab Issuing", is_authority=True, permitted=("a.org",))),
        WhyNoTrust.CONSTRAINED,
        "Lab Issuing",
    ),
    "in what its authority may not": Bad(
        below(Wish(common_name="Lab Issuing", is_authority=True, excluded=(NAME,))),
        WhyNoTrust.CONSTRAINED,
    ),
    "RSA of 1024 bits": Bad(signed(Wish(rsa_bits=1024)), WhyNoTrust.WEAK),
    "an authority with RSA of 1024 bits": Bad(
        below(Wish(common_name="x", is_authority=True, rsa_bits=1024)), WhyNoTrust.WEAK
    ),
    "an intermediate is missing": Bad(
        below(MIDDLE, sent=False), WhyNoTrust.INCOMPLETE, "Lab Issuing"
    ),
    "an intermediate has expired": Bad(
        below(Wish(common_name="x", is_authority=True, begins=-3, ends=-1)),
        WhyNoTrust.AUTHORITY_DATES,
    ),
    "an intermediate is not yet valid": Bad(
        below(Wish(common_name="x", is_authority=True, begins=1, ends=2)),
        WhyNoTrust.AUTHORITY_DATES,
    ),
    "signed by one who is no authority": Bad(
        below(Wish(common_name="x")), WhyNoTrust.NO_AUTHORITY
    ),
    "signed by one whose key is not for it": Bad(
        below(Wish(common_name="x", is_authority=True, signs=False)),
        WhyNoTrust.NO_AUTHORITY,
    ),
    "of another authority": Bad(by_another, WhyNoTrust.INCOMPLETE, "Another Root"),
    "of another authority, sent along": Bad(
        by_another_sent_along, WhyNoTrust.UNTRUSTED, "Another Root"
    ),
    "signed by itself": Bad(by_itself, WhyNoTrust.SELF_SIGNED, NAME),
}
