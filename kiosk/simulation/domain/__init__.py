"""A domain made of software: obeys the same contract suite as a real one.

Policy (domain and fine-grained), history that a reset ignores, lockout, flags, rights
that end at the delegated part, the old password that still binds for an hour,
several DCs with replication by hand, and the faults of `domain_faults`.
"""

from __future__ import annotations

from kiosk.simulation.domain.domain import DOMAIN_POLICY, SimulatedDirectory

__all__ = ["DOMAIN_POLICY", "SimulatedDirectory"]
