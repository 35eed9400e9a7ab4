"""A scenario: what is given, what people do, what must be true then.

A scenario is a TOML file, strict: an unknown key is an error that names file, place
and the nearest right key. PINs in it are test data. docs/rehearsals.md explains it
with examples.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from kiosk.core import regular_files
from kiosk.core.errors import KioskError, reason_of
from kiosk.simulation.rehearsal.given import Given
from kiosk.simulation.rehearsal.steps import Step
from storage.known_types import known


class ScenarioError(KioskError):
    """A scenario file cannot be understood: `file`, `problem`."""

    code = "rehearsal.scenario_error"


class Scenario(Given, frozen=True, kw_only=True):
    """One story."""

    title: str
    story: str
    steps: tuple[Step, ...]


_LARGEST = 1 << 20
"""Bytes of a scenario."""


def read(path: Path) -> Scenario:
    """Read one scenario file. ScenarioError."""
    try:
        with regular_files.opened(path) as stream:
            return msgspec.toml.decode(stream.read(_LARGEST), type=known(Scenario))
    except OSError as error:
        problem = reason_of(error)
        raise ScenarioError(file=str(path), problem=problem) from error
    except RecursionError:
        raise ScenarioError(file=str(path), problem="nested too deeply") from None
    except UnicodeDecodeError as error:
        problem = f"no UTF-8 at byte {error.start}"
        raise ScenarioError(file=str(path), problem=problem) from None
    except msgspec.DecodeError as error:
        raise ScenarioError(file=str(path), problem=str(error)) from error


def shipped() -> list[Path]:
    """Return the scenarios that come with the product, in the order of their names."""
    return sorted((Path(__file__).parent / "scenarios").glob("*.toml"))
