"""What the simulated domain is made of, shared by its hands and its DCs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from kiosk.core.clock import Clock
from kiosk.core.entropy import Entropy
from kiosk.core.secret import Secret
from kiosk.directory.errors import AccountMissing
from kiosk.directory.values import PasswordPolicy, Stamp
from kiosk.simulation.domain.passwords import StoredPassword
from kiosk.simulation.domain.users import Signed, User
from kiosk.simulation.domain_faults import (
    LASTING,
    AnyFault,
    AttributeHidden,
    DcDown,
    DomainFault,
)

_F = TypeVar("_F", bound=DomainFault)


@dataclass(slots=True)
class Dc:
    """One domain controller and the users as it has them, by objectGUID."""

    name: str
    origin: str = ""
    """invocationId."""
    users: dict[str, User] = field(default_factory=dict)
    ahead: float = 0.0
    """Seconds that its clock is ahead of the right time; negative: behind."""
    usn: int = 1000

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

    def now(self, dc: Dc) -> float:
        """Return the time by a DC's own clock, seconds UTC."""
        return self.clock.now() + dc.ahead

    def signed(self, dc: Dc) -> Signed:
        """Sign one change on a DC, with the next of its numbers."""
        dc.usn += 1
        return Signed(Stamp(0, dc.origin, dc.usn), self.now(dc))

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

    def hidden(self, dc: str) -> frozenset[str]:
        """Return the attributes that may not be read there."""
        return frozenset(
            fault.attribute
            for fault in self.faults
            if isinstance(fault, AttributeHidden) and fault.dc in ("", dc)
        )

    def is_down(self, dc: str) -> bool:
        """Say whether that DC answers nobody."""
        return self.met(DcDown, dc) is not None
