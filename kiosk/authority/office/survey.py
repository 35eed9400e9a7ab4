"""What the directory says of many accounts, however its controllers fail meanwhile.

One connection as long as it works; another when it breaks. A batch that cannot be read
as a whole is read one by one, so that one bad answer costs one account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from kiosk.directory.errors import DirectoryError, ReadFailed
from kiosk.directory.ports import Directory, DomainController, Surveyable
from kiosk.directory.values import Account, PasswordPolicy

BATCH = 50
_MOST_TRIES = 3
"""Connections for one batch."""
_GIVEN_UP = 2
"""Batches in a row for which there was no connection at all: nobody is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyedAccount:
    """One account, on one DC; or why nothing can be said of it."""

    dc: str = ""
    account: Account | None = None
    policy: PasswordPolicy | None = None
    trouble: DirectoryError | None = None


def survey(
    directory: Directory,
    guids: Sequence[str],
    told: Callable[[int], None] = lambda _accounts: None,
) -> dict[str, SurveyedAccount]:
    """Look at every account; `told` hears of each few. Raises no DirectoryError."""
    seen: dict[str, SurveyedAccount] = {}
    line = _Line(directory)
    nobody = 0
    trouble: DirectoryError | None = None
    try:
        for batch in _batches(guids):
            if nobody < _GIVEN_UP:
                trouble = line.look(batch, seen)
                nobody = nobody + 1 if trouble is not None else 0
            for guid in batch:
                seen.setdefault(guid, SurveyedAccount(trouble=trouble))
            told(len(batch))
    finally:
        line.close()
    return seen


def _batches(guids: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(guids), BATCH):
        yield guids[begin : begin + BATCH]


class _Line:
    """A connection that is made anew when it breaks."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._opened: AbstractContextManager[DomainController] | None = None
        self._dc: DomainController | None = None

    def look(
        self, guids: Sequence[str], seen: dict[str, SurveyedAccount]
    ) -> DirectoryError | None:
        """Add what is seen of a batch; return why there is no connection."""
        trouble: DirectoryError | None = None
        for _ in range(_MOST_TRIES):
            left = [guid for guid in guids if guid not in seen]
            try:
                dc = self._connected()
            except DirectoryError as error:
                return error
            try:
                seen.update(_together(dc, left))
            except ReadFailed as error:
                trouble = error
            else:
                return None
            if not trouble.is_of_the_controller:
                trouble = _one_by_one(dc, left, seen)
            if trouble is None:
                return None
            self.close()
        for guid in guids:
            seen.setdefault(guid, SurveyedAccount(trouble=trouble))
        return None

    def _connected(self) -> DomainController:
        if self._dc is None:
            self._opened = self._directory.connect()
            self._dc = self._opened.__enter__()
        return self._dc

    def close(self) -> None:
        """Let go of the connection. Safe to call twice."""
        opened, self._opened, self._dc = self._opened, None, None
        if opened is not None:
            opened.__exit__(None, None, None)


def _together(dc: DomainController, guids: Sequence[str]) -> dict[str, SurveyedAccount]:
    """Look at a batch. ReadFailed."""
    if not isinstance(dc, Surveyable):
        return {guid: _alone(dc, guid) for guid in guids}
    found = dc.survey(guids)
    return {
        guid: SurveyedAccount(
            dc=dc.name,
            account=each.account,
            policy=each.policy,
            trouble=each.trouble,
        )
        for guid, each in found.items()
    }


def _one_by_one(
    dc: DomainController, guids: Sequence[str], seen: dict[str, SurveyedAccount]
) -> ReadFailed | None:
    """Look at each by itself; return what ended it before its end."""
    for guid in guids:
        try:
            seen[guid] = _alone(dc, guid)
        except ReadFailed as error:
            return error
    return None


def _alone(dc: DomainController, guid: str) -> SurveyedAccount:
    """Look at one. ReadFailed, if that is the controller's."""
    try:
        account = dc.account(guid)
        return SurveyedAccount(
            dc=dc.name, account=account, policy=dc.password_policy(account)
        )
    except ReadFailed as error:
        if error.is_of_the_controller:
            raise
        return SurveyedAccount(trouble=error)
    except DirectoryError as error:
        return SurveyedAccount(trouble=error)
