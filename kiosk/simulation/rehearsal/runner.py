"""Running a scenario: step by step, noting what was shown and what did not hold."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.core.errors import Message
from kiosk.simulation.rehearsal import scenario as language
from kiosk.simulation.rehearsal.backends import Domain, RehearsalReaders
from kiosk.simulation.rehearsal.expectations import mismatches
from kiosk.simulation.rehearsal.scenario import Scenario
from kiosk.simulation.rehearsal.scenario_runtime import ScenarioRuntime
from kiosk.simulation.rehearsal.site_rules import SiteRules
from kiosk.simulation.world import Reach
from kiosk.texts import sentence
from kiosk.visit.views import StepState


@dataclass(slots=True)
class PlayedLine:
    """One line of the story as it was played. `kind` says how to show it."""

    kind: str
    """`act`, `screen`, `step`, `holds`, `fails`."""
    text: str


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
    """Run one scenario file, on simulated grounds where none are given.

    ScenarioError, NotHere.
    """
    return play(language.read(path), path.name, readers, domain, rules, reach)


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
    stage = ScenarioRuntime(scenario, readers, domain, rules, reach)
    for number, step in enumerate(scenario.steps, 1):
        if isinstance(step, language.Expect):
            failures = [f"step {number}: {each}" for each in mismatches(stage, step)]
            outcome.failures += failures
            outcome.lines += [PlayedLine("fails", each) for each in failures]
            if failures:
                break
            outcome.lines.append(PlayedLine("holds", _named(step)))
            continue
        outcome.lines.append(PlayedLine("act", _told(step)))
        stage.play(step)
        outcome.lines += _shown(stage, step)
    outcome.seconds = time.monotonic() - started
    return outcome


def _named(step: language.Expect) -> str:
    """Say what was checked, by name."""
    default = language.Expect()
    checked = [
        name.replace("_", " ")
        for name in language.Expect.__struct_fields__
        if name not in ("card", "at") and getattr(step, name) != getattr(default, name)
    ]
    return ", ".join(checked)


def _told(step: language.Step) -> str:
    """Tell one step as a person would."""
    match step:
        case language.Insert():
            return f"{_at(step.at)}The card “{step.card}” is inserted."
        case language.Pull():
            return f"{_at(step.at)}The card is taken out."
        case language.Choose():
            return f"{_at(step.at)}“{step.action.capitalize()}” is chosen."
        case language.Type():
            fields = ", ".join(name.replace("_", " ") for name in step.values)
            sure = " It is confirmed." if step.confirm else ""
            return f"{_at(step.at)}Typed: {fields}.{sure}"
        case language.ShowChallenge():
            return "The holder reads the challenge out."
        case language.ScenarioSignIn():
            how = "with a card" if step.card else "by account"
            return f"At the desk: {step.card or step.account} signs in {how}."
        case language.AtDesk():
            return f"At the desk: {_at_desk(step)}."
        case language.Operate():
            return f"The helpdesk: {step.event} “{step.card}”."
        case language.HandOut():
            return f"The helpdesk hands out a code: {step.code}."
        case language.ScenarioDirectory():
            return f"In the directory: {_in_directory(step)}."
        case language.ScenarioCardFault():
            return f"Something will go wrong with the card: {_fault(step.fault)}."
        case language.Meanwhile():
            when = f"before {step.before}" if step.before else f"after {step.after}"
            what = (
                "the process dies" if step.act == "die" else f"{step.act} {step.card}"
            )
            return f"Meanwhile, {when}: {what}."
        case language.Wait():
            if step.days:
                return f"{step.days:g} days pass."
            return f"{step.seconds:g} seconds pass."
        case language.Restart():
            return "The station starts again."
        case _:
            return ""


def _at(station: str) -> str:
    return f"At {station}: " if station else ""


def _at_desk(step: language.AtDesk) -> str:
    """Tell what an operator does; never what is typed unseen."""
    parts = []
    if step.insert:
        parts.append(f"the card “{step.insert}” is inserted")
    if step.pull:
        parts.append("the card is taken out")
    if step.choose:
        parts.append(f"“{step.choose}” is chosen")
    typed = [*step.fill, *step.secrets]
    if typed:
        parts.append(f"typed: {', '.join(typed)}")
    elif step.submit:
        parts.append("it is confirmed")
    if step.keep:
        parts.append(f"“{step.keep}” is read out")
    if step.back:
        parts.append("back")
    if step.sign_out:
        parts.append("signed out")
    return ", ".join(parts) or "nothing"


def _in_directory(step: language.ScenarioDirectory) -> str:
    parts = []
    if step.heal:
        parts.append("all is well again")
    if step.fault is not None:
        parts.append(_fault(step.fault))
    if step.change:
        changes = ", ".join(f"{name} = {value}" for name, value in step.change.items())
        parts.append(f"{step.account}: {changes}")
    if step.password:
        when = ", to be changed at the next logon" if step.must_change else ""
        parts.append(f"the password of {step.account} is changed elsewhere{when}")
    return "; ".join(parts)


def _fault(fault: object) -> str:
    tag = str(type(fault).__struct_config__.tag).replace("_", " ")  # type: ignore[attr-defined]  # every fault is a tagged struct
    fields = [
        f"{name} {getattr(fault, name)}"
        for name in type(fault).__struct_fields__  # type: ignore[attr-defined]  # same
        if getattr(fault, name) not in ("", b"")
    ]
    return f"{tag} ({', '.join(fields)})" if fields else tag


def _shown(stage: ScenarioRuntime, step: language.Step) -> list[PlayedLine]:
    """Return what the screen said after a step."""
    match step:
        case language.Insert():
            return _home(stage)
        case language.Choose() | language.Type() if stage.error is not None:
            return [_screen(stage.error)]
        case language.Choose() if stage.form is not None:
            messages = stage.form.notices
            confirm = (stage.form.confirm,) if stage.form.confirm else ()
            return [_screen(each) for each in (*messages, *confirm)]
        case language.Type() if stage.result is not None:
            done = [
                PlayedLine("step", sentence(Message(f"step.{each.step}")))
                for each in stage.progress
                if each.state is StepState.DONE
            ]
            result = stage.result
            said = (result.headline, *result.facts, *result.advice)
            return done + [_screen(each) for each in said]
        case language.Type():
            return [PlayedLine("screen", "(nothing: the process is gone)")]
        case language.ScenarioSignIn() | language.AtDesk():
            return _page(stage)
    return []


def _page(stage: ScenarioRuntime) -> list[PlayedLine]:
    page = stage.office.page
    title = sentence(page.title) if isinstance(page.title, Message) else page.title
    lines = [PlayedLine("step", sentence(each)) for each in stage.office.steps]
    lines.append(PlayedLine("screen", f"[{title}]"))
    if page.notice is not None:
        lines.append(_screen(page.notice))
    return lines


def _home(stage: ScenarioRuntime) -> list[PlayedLine]:
    if stage.home is None:
        return [_screen(stage.error)] if stage.error else []
    home = stage.home
    offered = [offer.kind for offer in home.actions if offer.allowed]
    lines = [PlayedLine("screen", f"{home.person}: {sentence(home.headline)}")]
    lines += [_screen(notice) for notice in home.notices]
    lines.append(PlayedLine("screen", f"Offered: {', '.join(offered) or 'nothing'}."))
    if not offered:
        said = (sentence(each.reason) for each in home.actions if each.reason)
        lines += [PlayedLine("screen", each) for each in dict.fromkeys(said)]
    return lines


def _screen(message: Message) -> PlayedLine:
    return PlayedLine("screen", sentence(message))
