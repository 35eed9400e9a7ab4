"""Somebody else who sets the password just then: a directory with a second writer.

`Meddled` is what the authority gets in place of a directory. It is the same directory,
in which one hand acts once, at one moment of the write.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, cast

from kiosk.core.secret import Secret
from kiosk.directory.errors import OutcomeUnknown
from kiosk.directory.ports import Directory, DomainController
from kiosk.directory.values import Account, BindResult, Semantics

Hand = Callable[[], None]


class Moment(StrEnum):
    """When the hand acts."""

    BEFORE = "directly before the modify"
    UNANSWERED = "between modify and answer"
    LOOK = "between answer and look"
    BIND = "between look and bind"
    AFTER = "directly after the bind"


class Answer(StrEnum):
    """What becomes of the answer to our modify."""

    COMES = "the answer comes"
    LOST = "the answer is lost"
    NEVER_SENT = "the request itself is lost"


class Meddled:
    """A `Directory` in which the hand acts once."""

    def __init__(
        self,
        directory: Directory,
        moment: Moment | None,
        hand: Hand,
        answer: Answer = Answer.COMES,
    ) -> None:
        self._directory = directory
        self._moment = moment
        self._hand = hand
        self.answer = answer
        self.sent = False
        """Our modify has been sent, or would have been."""
        self.acted = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._directory, name)

    @contextmanager
    def connect(self, dc: str | None = None) -> Iterator[DomainController]:
        with self._directory.connect(dc) as real:
            yield cast("DomainController", _Dc(real, self))

    def at(self, moment: Moment) -> None:
        """Let the hand act, if this is its moment."""
        if moment is self._moment and not self.acted:
            self.acted = True
            self._hand()


class _Dc:
    def __init__(self, dc: DomainController, meddled: Meddled) -> None:
        self._dc = dc
        self._meddled = meddled

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dc, name)

    def account(self, guid: str) -> Account:
        if self._meddled.sent:
            self._meddled.at(Moment.LOOK)
        return self._dc.account(guid)

    def set_password(
        self,
        account: Account,
        new: Secret,
        semantics: Semantics = Semantics.RESET,
        *,
        until: float = math.inf,
    ) -> None:
        self._meddled.at(Moment.BEFORE)
        if self._meddled.answer is not Answer.NEVER_SENT:
            self._dc.set_password(account, new, semantics, until=until)
        self._meddled.sent = True
        self._meddled.at(Moment.UNANSWERED)
        if self._meddled.answer is not Answer.COMES:
            raise OutcomeUnknown(dc=self._dc.name)

    def verify_password(self, account: Account, password: Secret) -> BindResult:
        self._meddled.at(Moment.BIND)
        said = self._dc.verify_password(account, password)
        self._meddled.at(Moment.AFTER)
        return said
