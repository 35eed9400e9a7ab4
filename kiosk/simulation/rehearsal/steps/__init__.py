"""The steps of a scenario: each is one class that can play, tell and show itself."""

from kiosk.simulation.rehearsal.steps.around import (
    Meanwhile,
    Restart,
    ScenarioCardFault,
    ScenarioDirectory,
    Wait,
)
from kiosk.simulation.rehearsal.steps.at_desk import (
    AtDesk,
    HandOut,
    Operate,
    ScenarioSignIn,
)
from kiosk.simulation.rehearsal.steps.at_kiosk import (
    Choose,
    Insert,
    Pull,
    ShowChallenge,
    Type,
)
from kiosk.simulation.rehearsal.steps.expect import Expect
from kiosk.simulation.rehearsal.steps.step import PlayedLine, ScenarioStep

Step = (
    Insert
    | Pull
    | Choose
    | Type
    | Operate
    | HandOut
    | ScenarioSignIn
    | AtDesk
    | ShowChallenge
    | ScenarioDirectory
    | ScenarioCardFault
    | Meanwhile
    | Wait
    | Restart
    | Expect
)

__all__ = [
    "AtDesk",
    "Choose",
    "Expect",
    "HandOut",
    "Insert",
    "Meanwhile",
    "Operate",
    "PlayedLine",
    "Pull",
    "Restart",
    "ScenarioCardFault",
    "ScenarioDirectory",
    "ScenarioSignIn",
    "ScenarioStep",
    "ShowChallenge",
    "Step",
    "Type",
    "Wait",
]
