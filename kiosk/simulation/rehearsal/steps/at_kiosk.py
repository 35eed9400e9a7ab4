"""What people do at a kiosk: a card comes and goes, an action, a form."""

from __future__ import annotations

from kiosk.core.errors import KioskError, Message
from kiosk.core.secret import Secret
from kiosk.simulation.rehearsal.scenario_runtime import ScenarioRuntime
from kiosk.simulation.rehearsal.station_state import RehearsedState
from kiosk.simulation.rehearsal.steps.step import PlayedLine, ScenarioStep, at, screen
from kiosk.texts import sentence
from kiosk.visit.views import Answers, FieldName, StepState
from statemachine.operation import Kind


class NothingAsked(KioskError):
    """A step types, and no form is there."""

    code = "rehearsal.nothing_asked"


class Insert(ScenarioStep, frozen=True, kw_only=True, tag="insert"):
    """Somebody inserts a card; the kiosk recognises it."""

    card: str
    at: str = ""
    """The station; silent: where the last step was."""

    def play(self, runtime: ScenarioRuntime) -> list[str]:
        here = runtime.go_to(self.at)
        here.readers.pull()
        here.home = here.form = here.result = here.error = None
        here.last = self.card
        card = here.readers.insert(runtime.chip(self.card))
        visit = here.visit = runtime.world.visit(card, station=here.station)

        def recognise() -> None:
            here.home = visit.recognise()

        here.guard(recognise)
        return []

    def told(self) -> str:
        return f"{at(self.at)}The card “{self.card}” is inserted."

    def shown(self, runtime: ScenarioRuntime) -> list[PlayedLine]:
        home, error = runtime.here.home, runtime.here.error
        if home is None:
            return [screen(error)] if error else []
        offered = [offer.kind for offer in home.actions if offer.allowed]
        lines = [PlayedLine("screen", f"{home.person}: {sentence(home.headline)}")]
        lines += [screen(notice) for notice in home.notices]
        offers = ", ".join(offered) or "nothing"
        lines.append(PlayedLine("screen", f"Offered: {offers}."))
        if not offered:
            said = (sentence(each.reason) for each in home.actions if each.reason)
            lines += [PlayedLine("screen", each) for each in dict.fromkeys(said)]
        return lines


class Pull(ScenarioStep, frozen=True, kw_only=True, tag="pull"):
    """The card is taken out."""

    at: str = ""

    def play(self, runtime: ScenarioRuntime) -> list[str]:
        here = runtime.go_to(self.at)
        here.readers.pull()
        here.clear()
        return []

    def told(self) -> str:
        return f"{at(self.at)}The card is taken out."


class Choose(ScenarioStep, frozen=True, kw_only=True, tag="choose"):
    """Somebody chooses an action on the home screen."""

    action: Kind
    at: str = ""

    def play(self, runtime: ScenarioRuntime) -> list[str]:
        here = runtime.go_to(self.at)
        here.guard(lambda: self._begin(here))
        return []

    def _begin(self, here: RehearsedState) -> None:
        here.result = here.error = None
        if here.visit is not None:
            here.form = here.visit.begin(self.action)

    def told(self) -> str:
        return f"{at(self.at)}“{self.action.capitalize()}” is chosen."

    def shown(self, runtime: ScenarioRuntime) -> list[PlayedLine]:
        here = runtime.here
        if here.error is not None:
            return [screen(here.error)]
        if here.form is None:
            return []
        confirm = (here.form.confirm,) if here.form.confirm else ()
        return [screen(each) for each in (*here.form.notices, *confirm)]


class Type(ScenarioStep, frozen=True, kw_only=True, tag="type"):
    """Somebody fills in the form and goes on. `@name` is a code kept earlier."""

    values: dict[FieldName, str]
    confirm: bool = False
    at: str = ""

    def play(self, runtime: ScenarioRuntime) -> list[str]:
        here = runtime.go_to(self.at)
        here.guard(lambda: self._submit(runtime, here))
        return []

    def _submit(self, runtime: ScenarioRuntime, here: RehearsedState) -> None:
        if here.visit is None or here.form is None:
            raise NothingAsked
        here.error = None
        answers = Answers(
            {name: runtime.typed(text) for name, text in self.values.items()},
            confirmed=self.confirm,
        )
        here.progress.clear()
        here.result = here.visit.submit(here.form, answers, here.progress.append)

    def told(self) -> str:
        fields = ", ".join(name.replace("_", " ") for name in self.values)
        sure = " It is confirmed." if self.confirm else ""
        return f"{at(self.at)}Typed: {fields}.{sure}"

    def shown(self, runtime: ScenarioRuntime) -> list[PlayedLine]:
        here = runtime.here
        if here.error is not None:
            return [screen(here.error)]
        if here.result is None:
            return [PlayedLine("screen", "(nothing: the process is gone)")]
        done = [
            PlayedLine("step", sentence(Message(f"step.{each.step}")))
            for each in here.progress
            if each.state is StepState.DONE
        ]
        result = here.result
        said = (result.headline, *result.facts, *result.advice)
        return done + [screen(each) for each in said]


class ShowChallenge(ScenarioStep, frozen=True, kw_only=True, tag="read_challenge"):
    """The holder reads the challenge on the form; it is kept under a name."""

    keep: str
    at: str = ""

    def play(self, runtime: ScenarioRuntime) -> list[str]:
        here = runtime.go_to(self.at)
        shown = here.form.challenge if here.form else None
        spoken = shown.spoken if shown else ""
        runtime.keep(self.keep, Secret(spoken.encode()))
        return []

    def told(self) -> str:
        return "The holder reads the challenge out."
