"""Running a scenario: step by step, noting what was shown and what did not hold."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.simulation.rehearsal.backends import Domain, RehearsalReaders
from kiosk.simulation.rehearsal.given import SiteRules
from kiosk.simulation.rehearsal.scenario import Scenario, read
from kiosk.simulation.rehearsal.scenario_runtime import ScenarioRuntime
from kiosk.simulation.rehearsal.steps import PlayedLine
from kiosk.simulation.world import Reach


@dataclass(slots=True)
class ScenarioOutcome:
    """How one scenario went."""

    file: str
    title: str
    story: str
    seconds: float = 0.0
    lines: list[PlayedLine] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.failures


def run(
    path: Path,
    readers: RehearsalReaders | None = None,
    domain: Domain | None = None,
    rules: SiteRules | None = None,
    reach: Reach | None = None,
) -> ScenarioOutcome:
    """Run one scenario file, on simulated parts where none are given.

    ScenarioError, NotHere.
    """
    return play(read(path), path.name, readers, domain, rules, reach)


def play(
    scenario: Scenario,
    name: str,
    readers: RehearsalReaders | None = None,
    domain: Domain | None = None,
    rules: SiteRules | None = None,
    reach: Reach | None = None,
) -> ScenarioOutcome:
    """Run a scenario; stop at the first expectation that does not hold."""
    outcome = ScenarioOutcome(
        file=name, title=scenario.title, story=scenario.story.strip()
    )
    started = time.monotonic()
    runtime = ScenarioRuntime(scenario, readers, domain, rules, reach)
    for number, step in enumerate(scenario.steps, 1):
        failures = [f"step {number}: {each}" for each in step.play(runtime)]
        if failures:
            outcome.failures += failures
            outcome.lines += [PlayedLine("fails", each) for each in failures]
            break
        outcome.lines.append(PlayedLine(step.kind, step.told()))
        outcome.lines += step.shown(runtime)
    outcome.seconds = time.monotonic() - started
    return outcome
