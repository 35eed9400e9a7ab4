"""A laboratory's real domain as the ground of a rehearsal.

Accounts are not made: those a scenario names must exist where the service account may
reset passwords, and get the scenario's password first. Never a production domain.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from kiosk.core.secret import Secret
from kiosk.directory.ports import Directory, DomainController
from kiosk.directory.values import Account, BindResult, Semantics, Spread
from kiosk.simulation.domain_faults import AnyFault
from kiosk.simulation.rehearsal.backends import NotHere


class _Counting:
    """A domain controller that remembers what was written through it."""

    def __init__(self, dc: DomainController, writes: list[tuple[str, str]]) -> None:
        self._dc = dc
        self._writes = writes

    def __getattr__(self, name: str) -> object:
        return getattr(self._dc, name)

    def set_password(
        self,
        account: Account,
        new: Secret,
        semantics: Semantics = Semantics.RESET,
        *,
        until: float = math.inf,
    ) -> None:
        self._dc.set_password(account, new, semantics, until=until)
        self._writes.append((self._dc.name, account.guid))


class LaboratoryDomain:
    """`grounds.Domain` on a real directory."""

    def __init__(self, directory: Directory) -> None:
        self.writes: list[tuple[str, str]] = []
        self._directory = directory

    def controllers(self) -> tuple[str, ...]:
        return self._directory.controllers()

    def rests(self, dc: str) -> bool:
        return self._directory.rests(dc)

    def spread(self, written_on: DomainController, account: Account) -> Spread:
        return self._directory.spread(written_on, account)

    @contextmanager
    def connect(self, dc: str | None = None) -> Iterator[DomainController]:
        with self._directory.connect(dc) as real:
            yield cast("DomainController", _Counting(real, self.writes))

    def add_account(
        self,
        name: str,
        *,
        display_name: str = "",  # noqa: ARG002 - the real one has its own
        password: Secret | None = None,
        delegated: bool = True,
        enabled: bool = True,
        locked: bool = False,
        expired: bool = False,
        privileged: bool = False,
        smart_card_required: bool = False,
    ) -> str:
        wanted = {
            "enabled": enabled,
            "locked": locked,
            "expired": expired,
            "privileged": privileged,
            "smart_card_required": smart_card_required,
        }
        with self._directory.connect() as dc:
            account = dc.find(name)
            differing = [
                flag
                for flag, value in wanted.items()
                if getattr(account, flag) != value
            ]
            if differing or not delegated:
                raise NotHere(what=f"{name}: {', '.join(differing) or 'delegated'}")
            if password is not None:
                dc.set_password(account, password)
            return account.guid

    def change_account(
        self,
        guid: str,  # noqa: ARG002 - no account is changed here
        **changes: str | bool | int,
    ) -> None:
        raise NotHere(what=f"change {', '.join(changes)}")

    def change_elsewhere(
        self, guid: str, password: Secret, *, must_change: bool = False
    ) -> None:
        if must_change:
            raise NotHere(what="must change")
        with self._directory.connect() as dc:
            dc.set_password(dc.account(guid), password)

    def fail(self, fault: AnyFault) -> None:
        raise NotHere(what=type(fault).__name__)

    def heal(self) -> None:
        """Nothing is ever broken by a rehearsal here."""

    def binds(self, guid: str, password: Secret) -> bool:
        with self._directory.connect() as dc:
            account = dc.account(guid)
            return dc.verify_password(account, password) is BindResult.OK

    def account(self, guid: str) -> Account:
        with self._directory.connect() as dc:
            return dc.account(guid)
