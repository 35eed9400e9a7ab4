"""What the authority is made of: every port it uses, given once by `bootstrap`."""

from __future__ import annotations

from dataclasses import dataclass, field

from kiosk.authority.escrow.wrong_entries import WrongEntries
from kiosk.authority.operation.deadlines import Deadlines
from kiosk.authority.proof.seal import SealingKey
from kiosk.authority.rules.compliance import ComplianceProfile
from kiosk.core.clock import Clock
from kiosk.core.entropy import Entropy
from kiosk.directory.ports import Directory
from statemachine.lifecycle import Lifecycle
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
    sealing: SealingKey
    profile: ComplianceProfile
    """What the site has bound itself to."""
    write_deadline: float = 10.0
    """Seconds after which a directory write has certainly ended or timed out."""
    fences: Deadlines = field(default_factory=Deadlines)
    entries: WrongEntries = field(default_factory=WrongEntries)
