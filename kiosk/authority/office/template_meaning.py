"""What a template that is being edited would mean for the cards that use it.

Cards keep the version they were issued with, so nothing becomes of them at once. What
is counted are cards that could do something under their own version, and could no
longer if they were issued by the one that is edited. They are counted a part at a time,
however many there are, and by what tells them apart, so that a field that is changed
once more is answered without looking at them again. Authority's thread.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from msgspec.structs import replace

from kiosk.authority.escrow.unblock_methods import ANY_CARD, method_of
from kiosk.authority.office.templates import impossible
from kiosk.authority.office.values import TemplateMeaning
from kiosk.authority.rules.compliance import ComplianceProfile
from statemachine.lifecycle import State
from storage import walk
from storage.errors import RegistryError
from storage.records import (
    CardType,
    Credential,
    Keyless,
    Template,
    UnblockMethod,
)
from storage.registry import Registry
from storage.view import IN_USE

PART = 2_000
"""Credentials that are looked at for one answer."""
_DAY = 86_400.0
_PIV_CARD = replace(ANY_CARD, has_admin_key=False)
_USED = (*IN_USE, State.SUSPENDED)


class _Kind(NamedTuple):
    """Cards that a template means the same for."""

    version: int
    card_type: str
    algorithm: str
    """Of its key; empty: it has none on record."""
    methods: frozenset[UnblockMethod]
    """How its PIN could be set anew, if its template let it."""
    pin_day: int
    """Day on which its PIN was set; -1: not known, or never."""


class CardsOfTemplate:
    """Counts the cards of one template over and over while it is asked; what it tells
    is of its last round, and of the first one as far as it is.
    """

    def __init__(
        self, registry: Registry, name: str, profile: ComplianceProfile
    ) -> None:
        self.name = name
        self._registry = registry
        self._one_method = {
            method: (Template(name=name, unblock=(method,)), profile)
            for method in UnblockMethod
        }
        self._told: Counter[_Kind] | None = None
        """The last whole round."""
        self._versions: dict[int, Template] = {}
        self._begin_anew()

    def meaning(self, draft: Template, now: float) -> TemplateMeaning:
        """Look at some more; return what is known. RegistryError."""
        try:
            self._go_on()
        except RegistryError:
            self._begin_anew()  # half a round is no count
            raise
        kinds = self._found if self._told is None else self._told
        versions: Counter[int] = Counter()
        loses: Counter[str] = Counter()
        for kind, count in kinds.items():
            versions[kind.version] += count
            was = self._version(kind.version)
            for field in _lost(kind, was, draft, int(now // _DAY)):
                loses[field] += count
        return TemplateMeaning(
            is_whole=self._told is not None,
            in_use=versions.total(),
            versions=dict(versions),
            loses=dict(loses),
            impossible=impossible(draft),
        )

    def _go_on(self) -> None:
        for _ in range(PART):
            each = next(self._left, None)
            if each is None:
                self._told = self._found
                self._begin_anew()
                return
            self._found[self._kind(each)] += 1

    def _begin_anew(self) -> None:
        self._left, self._found = self._in_use(), Counter[_Kind]()

    def _in_use(self) -> Iterator[Credential]:
        found = walk.credentials(self._registry, template=self.name)
        return (each for each in found if each.state in _USED)

    def _kind(self, credential: Credential) -> _Kind:
        key, set_at = credential.authentication_key, credential.pin_changed_at
        card_type = credential.card.partition(":")[0]
        return _Kind(
            version=credential.template_version,
            card_type=card_type,
            algorithm="" if key is None else key.algorithm,
            methods=frozenset(
                self._methods(credential, is_piv=card_type == CardType.PIV)
            ),
            pin_day=-1 if set_at is None else int(set_at // _DAY),
        )

    def _methods(
        self, credential: Credential, *, is_piv: bool
    ) -> Iterator[UnblockMethod]:
        card = _PIV_CARD if is_piv else ANY_CARD
        for method, (template, profile) in self._one_method.items():
            if method_of(credential, template, card, profile) is not None:
                yield method

    def _version(self, number: int) -> Template:
        if number not in self._versions:
            self._versions[number] = self._registry.read(
                lambda view: view.template(self.name, number)
            )
        return self._versions[number]


def _lost(kind: _Kind, was: Template, draft: Template, today: int) -> Iterator[str]:
    """Yield the fields by which such a card could no longer what it can now."""
    if kind.card_type == was.card_type != draft.card_type:
        yield "card_type"
    if was.self_service and not draft.self_service:
        yield "self_service"
    if kind.methods & set(was.unblock) and not kind.methods & set(draft.unblock):
        yield "unblock"
    if kind.algorithm == was.key_algorithm != draft.key_algorithm:
        yield "key_algorithm"
    is_keyless = not kind.algorithm
    if is_keyless and was.keyless != draft.keyless == Keyless.OFF:
        yield "keyless"
    mine, its = was.pin_policy, draft.pin_policy
    if mine.update_ad_password and not its.update_ad_password:
        yield "pin_policy.update_ad_password"
    if _is_too_old(kind, its.expiry_days, today) and not _is_too_old(
        kind, mine.expiry_days, today
    ):
        yield "pin_policy.expiry_days"


def _is_too_old(kind: _Kind, days: int, today: int) -> bool:
    return bool(days) and kind.pin_day >= 0 and kind.pin_day + days < today
