"""How long an example, and making it, may take: as long as the machine needs.

A time is never what a test is about (`make bench` has those), and Hypothesis would
judge each example by its own.
"""

from __future__ import annotations

import hypothesis

hypothesis.settings.register_profile(
    "no deadlines",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("no deadlines")
