"""What the authority is made of: every port it uses, given once by `bootstrap`."""

from __future__ import annotations

from dataclasses import dataclass, field

from kiosk.authority.entries import Entries
from kiosk.authority.fences import Fences
from kiosk.authority.profile import Profile
from kiosk.authority.seal import SealingKey
from kiosk.clock import Clock
from kiosk.directory.ports import Directory
from kiosk.entropy import Entropy
from statemachine.lifecycle import Lifecycle
from storage.registry import Registry
from storage.vault import Vault

SEND_SECONDS = 5.0
"""After its mark within which a write is sent, or never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The authority's ports. One per process; used on the authority worker."""

    registry: Registry
    directory: Directory
    vault: Vault
    clock: Clock
    entropy: Entropy
    lifecycle: Lifecycle
    sealing: SealingKey
    profile: Profile = field(default_factory=Profile)
    """What the site has bound itself to."""
    write_deadline: float = 10.0
    """Seconds after which a directory write has certainly ended or timed out."""
    fences: Fences = field(default_factory=Fences)
    entries: Entries = field(default_factory=Entries)
