"""What the simulated domain is made of, shared by its hands and its DCs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from kiosk.clock import Clock
from kiosk.directory.faults import LASTING, AnyFault, DcDown, Fault
from kiosk.directory.ports import AccountMissing, PasswordPolicy
from kiosk.directory.simulated.passwords import StoredPassword
from kiosk.directory.simulated.users import User
from kiosk.entropy import Entropy
from kiosk.secret import Secret

_F = TypeVar("_F", bound=Fault)


@dataclass(slots=True)
class Dc:
    """One domain controller and the users as it has them, by objectGUID."""

    name: str
    users: dict[str, User] = field(default_factory=dict)

    def user(self, guid: str) -> User:
        """Return a user. AccountMissing."""
        try:
            return self.users[guid]
        except KeyError:
            raise AccountMissing(account=guid) from None


@dataclass(slots=True)
class DomainState:
    """Everything that changes; one thread at a time."""

    policy: PasswordPolicy
    clock: Clock
    entropy: Entropy
    dcs: tuple[Dc, ...]
    faults: list[AnyFault] = field(default_factory=list)
    writes: list[tuple[str, str]] = field(default_factory=list)
    version: int = 0
    policy_hints: bool = False
    """The DCs can be asked to honour history and minimum age in a reset."""
    pdc_check: bool = False

    def stored(self, password: Secret) -> StoredPassword:
        """Digest a password with a fresh salt."""
        return StoredPassword.of(password, self.entropy.bytes(8))

    def policy_of(self, user: User) -> PasswordPolicy:
        """Return the effective policy."""
        return user.policy or self.policy

    def touch(self, user: User) -> None:
        """Make `user` the newest object of the domain."""
        self.version += 1
        user.version = self.version

    def met(self, kind: type[_F], dc: str) -> _F | None:
        """Return the fault of that kind that happens on `dc` now, and spend it."""
        for fault in self.faults:
            if isinstance(fault, kind) and fault.dc in ("", dc):
                if not isinstance(fault, LASTING):
                    self.faults.remove(fault)
                return fault
        return None

    def is_down(self, dc: str) -> bool:
        """Say whether that DC answers nobody."""
        return self.met(DcDown, dc) is not None
