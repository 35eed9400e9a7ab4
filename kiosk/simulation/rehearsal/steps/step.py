"""What every step of a scenario can: be played, be told, show what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from kiosk.core.errors import Message
from kiosk.simulation.rehearsal.given import Part
from kiosk.simulation.rehearsal.scenario_runtime import ScenarioRuntime
from kiosk.texts import sentence

LineKind = Literal["act", "screen", "step", "holds", "fails"]


@dataclass(frozen=True, slots=True)
class PlayedLine:
    """One line of the story as it was played. `kind` says how to show it."""

    kind: LineKind
    text: str


class ScenarioStep(Part, frozen=True, kw_only=True, tag_field="do"):
    """Base of all steps."""

    kind: ClassVar[LineKind] = "act"
    """How the line that tells it is shown."""

    def play(self, runtime: ScenarioRuntime) -> list[str]:
        """Carry it out; return what does not hold, one line each. NotHere."""
        raise NotImplementedError

    def told(self) -> str:
        """Tell it as a person would; never what is typed unseen."""
        raise NotImplementedError

    def shown(self, runtime: ScenarioRuntime) -> list[PlayedLine]:  # noqa: ARG002 - most steps change no screen
        """Return what the screen said after it."""
        return []


def screen(message: Message) -> PlayedLine:
    """Return a line that a screen showed."""
    return PlayedLine("screen", sentence(message))


def at(station: str) -> str:
    """Say where, if the scenario says so."""
    return f"At {station}: " if station else ""


def fault_told(fault: object) -> str:
    """Tell a fault by its name and what is given of it."""
    tag = str(type(fault).__struct_config__.tag).replace("_", " ")  # type: ignore[attr-defined]  # every fault is a tagged struct
    fields = [
        f"{name} {getattr(fault, name)}"
        for name in type(fault).__struct_fields__  # type: ignore[attr-defined]  # same
        if getattr(fault, name) not in ("", b"")
    ]
    return f"{tag} ({', '.join(fields)})" if fields else tag
