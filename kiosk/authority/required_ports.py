"""What the authority is made of: every port it uses, given once by `bootstrap`."""

from __future__ import annotations

from dataclasses import dataclass, field

from kiosk.authority.errors import ProofFailed
from kiosk.authority.operation.deadlines import Deadlines
from kiosk.authority.proof.seal import SealingKey, SealingKeys
from kiosk.authority.rates import Rates
from kiosk.authority.rules.compliance import ComplianceProfile
from kiosk.core.clock import Clock
from kiosk.core.entropy import Entropy
from kiosk.core.secret import Secret
from kiosk.directory.ports import Directory
from statemachine.lifecycle import Lifecycle
from storage.errors import RecordMissing
from storage.registry import Registry
from storage.vault import Vault

SEND_SECONDS = 5.0
"""After its mark within which a write is sent, or never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredPorts:
    """The authority's ports. On several threads: the same, but a registry for each
    (`dataclasses.replace`); all the rest is used by any thread.
    """

    registry: Registry
    directory: Directory
    vault: Vault
    clock: Clock
    entropy: Entropy
    lifecycle: Lifecycle
    sealing: SealingKeys
    profile: ComplianceProfile
    """What the site has bound itself to."""
    write_deadline: float = 10.0
    """Seconds after which a directory write has certainly ended or timed out."""
    rates: Rates = field(default_factory=Rates)
    """How often something may be begun."""
    fences: Deadlines = field(default_factory=Deadlines)

    def sealed_for(self, operation: str) -> SealedFor:
        """Return what opens what a station has sealed for an operation."""
        return SealedFor(self, operation)


@dataclass(frozen=True, slots=True)
class SealedFor:
    """`seal.SealedOpener`, with the key that an operation names, looked up in use."""

    parts: RequiredPorts
    operation: str

    def open_for(self, sealed: bytes, *, info: bytes) -> Secret:
        return self.key().open_for(sealed, info=info)

    def key(self) -> SealingKey:
        """Return the key. ProofFailed: it is gone. RegistryError."""
        try:
            return self.parts.registry.read(
                lambda view: self.parts.sealing.named(
                    view, view.operation(self.operation).sealing_key
                )
            )
        except RecordMissing as error:
            raise ProofFailed from error
