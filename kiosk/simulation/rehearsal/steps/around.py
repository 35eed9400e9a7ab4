"""What happens around people: in the directory, to a card, to a process, in time."""

from __future__ import annotations

from kiosk.core.secret import Secret
from kiosk.simulation.cards.faults import AnyCardFault
from kiosk.simulation.domain_faults import AnyFault
from kiosk.simulation.interference import die
from kiosk.simulation.rehearsal.given import DAY
from kiosk.simulation.rehearsal.scenario_runtime import ScenarioRuntime
from kiosk.simulation.rehearsal.steps.step import ScenarioStep, fault_told
from statemachine.lifecycle import Event


class ScenarioDirectory(ScenarioStep, frozen=True, kw_only=True, tag="directory"):
    """Something happens in the directory."""

    fault: AnyFault | None = None
    heal: bool = False
    account: str = ""
    password: str = ""
    """Set elsewhere."""
    must_change: bool = False
    """That password, at the next logon."""
    change: dict[str, str | bool | int] = {}  # noqa: RUF012 - msgspec copies it
    """Fields of the account, e.g. `enabled = false`."""

    def play(self, runtime: ScenarioRuntime) -> list[str]:
        directory = runtime.world.directory
        if self.heal:
            directory.heal()
        if self.fault is not None:
            directory.fail(self.fault)
        if self.change:
            directory.change_account(runtime.account(self.account), **self.change)
        if self.password:
            runtime.world.clock.sleep(60.0)
            directory.change_elsewhere(
                runtime.account(self.account),
                Secret(self.password.encode()),
                must_change=self.must_change,
            )
        return []

    def told(self) -> str:
        parts = []
        if self.heal:
            parts.append("all is well again")
        if self.fault is not None:
            parts.append(fault_told(self.fault))
        if self.change:
            changes = ", ".join(f"{name} = {new}" for name, new in self.change.items())
            parts.append(f"{self.account}: {changes}")
        if self.password:
            when = ", to be changed at the next logon" if self.must_change else ""
            whose = f"the password of {self.account}"
            parts.append(f"{whose} is changed elsewhere{when}")
        return f"In the directory: {'; '.join(parts)}."


class ScenarioCardFault(ScenarioStep, frozen=True, kw_only=True, tag="card_fault"):
    """Something will go wrong with the card in the reader."""

    fault: AnyCardFault

    def play(self, runtime: ScenarioRuntime) -> list[str]:
        runtime.here.readers.faults.set(self.fault)
        return []

    def told(self) -> str:
        return f"Something will go wrong with the card: {fault_told(self.fault)}."


class Meanwhile(ScenarioStep, frozen=True, kw_only=True, tag="meanwhile"):
    """Before or after a step of the authority, something happens.

    `act`: `die` (the process), or an event for `card` by an operator.
    """

    act: str
    before: str = ""
    after: str = ""
    card: str = ""

    def play(self, runtime: ScenarioRuntime) -> list[str]:
        def operate() -> None:
            runtime.world.operate(self.card, Event(self.act))

        act = die if self.act == "die" else operate
        if self.before:
            runtime.world.authority.before(self.before, act)
        if self.after:
            runtime.world.authority.after(self.after, act)
        return []

    def told(self) -> str:
        when = f"before {self.before}" if self.before else f"after {self.after}"
        dies = self.act == "die"
        what = "the process dies" if dies else f"{self.act} {self.card}"
        return f"Meanwhile, {when}: {what}."


class Wait(ScenarioStep, frozen=True, kw_only=True, tag="wait"):
    """Time passes."""

    seconds: float = 0.0
    days: float = 0.0

    def play(self, runtime: ScenarioRuntime) -> list[str]:
        runtime.world.clock.sleep(self.seconds + self.days * DAY)
        return []

    def told(self) -> str:
        if self.days:
            return f"{self.days:g} days pass."
        return f"{self.seconds:g} seconds pass."


class Restart(ScenarioStep, frozen=True, kw_only=True, tag="restart"):
    """The station's process starts anew."""

    def play(self, runtime: ScenarioRuntime) -> list[str]:
        runtime.restart()
        return []

    def told(self) -> str:
        return "The station starts again."
