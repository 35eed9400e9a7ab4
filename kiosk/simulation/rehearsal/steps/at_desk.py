"""What operators do: at the desk, page by page, or in one word."""

from __future__ import annotations

from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.simulation.rehearsal.scenario_runtime import ScenarioRuntime
from kiosk.simulation.rehearsal.steps.step import PlayedLine, ScenarioStep, screen
from kiosk.texts import sentence
from statemachine.lifecycle import Event


class Operate(ScenarioStep, frozen=True, kw_only=True, tag="operate"):
    """An operator acts on a card."""

    card: str
    event: Event

    def play(self, runtime: ScenarioRuntime) -> list[str]:
        runtime.world.operate(self.card, self.event)
        return []

    def told(self) -> str:
        return f"The helpdesk: {self.event} “{self.card}”."


class HandOut(ScenarioStep, frozen=True, kw_only=True, tag="hand_out"):
    """The helpdesk gives a code, kept under a name."""

    card: str
    code: str
    """`release` or `activation`."""
    keep: str = "code"

    def play(self, runtime: ScenarioRuntime) -> list[str]:
        hand = {
            "release": runtime.world.release_code,
            "activation": runtime.world.activation_code,
        }
        runtime.keep(self.keep, hand[self.code](self.card))
        return []

    def told(self) -> str:
        return f"The helpdesk hands out a code: {self.code}."


class ScenarioSignIn(ScenarioStep, frozen=True, kw_only=True, tag="sign_in"):
    """An operator signs in at the desk: with the own card, or by account."""

    card: str = ""
    pin: str = ""
    account: str = ""
    password: str = ""

    def play(self, runtime: ScenarioRuntime) -> list[str]:
        if self.card:
            own = runtime.desk_readers.insert(runtime.chip(self.card), "operator")
            runtime.office.sign_in_by_card(own, Secret(self.pin.encode()))
        else:
            password = Secret(self.password.encode())
            runtime.office.sign_in_by_account(self.account, password)
        return []

    def told(self) -> str:
        how = "with a card" if self.card else "by account"
        return f"At the desk: {self.card or self.account} signs in {how}."

    def shown(self, runtime: ScenarioRuntime) -> list[PlayedLine]:
        return _page(runtime)


class AtDesk(ScenarioStep, frozen=True, kw_only=True, tag="desk"):
    """The operator at the desk, in this order: a card, a choice, fields, back."""

    insert: str = ""
    """A card of the scenario comes into the desk's second reader."""
    pull: bool = False
    choose: str = ""
    """The key of a choice; `first` is the first that is open."""
    fill: dict[str, str] = {}  # noqa: RUF012 - msgspec copies it
    """Fields and what is typed; the rest stays as it stands."""
    secrets: dict[str, str] = {}  # noqa: RUF012 - msgspec copies it
    """As `fill`, for fields that are not shown. `@name` was kept earlier."""
    submit: bool = False
    """The page's action, where nothing is filled in."""
    keep: str = ""
    """Keep what is to be read out under a name."""
    back: int = 0
    sign_out: bool = False

    def play(self, runtime: ScenarioRuntime) -> list[str]:
        desk = runtime.office
        if self.insert:
            chip = runtime.chip(self.insert)
            desk.card_came(runtime.desk_readers.insert(chip, "card"))
        if self.pull and desk.inserted is not None:
            runtime.desk_readers.pull("card")
            desk.card_left()
        desk.steps.clear()
        if self.choose:
            desk.choose(self.choose)
        if self.fill or self.secrets or self.submit:
            secrets = {name: runtime.typed(text) for name, text in self.secrets.items()}
            desk.submit(
                {k: runtime.read(text) for k, text in self.fill.items()}, secrets
            )
        kept = desk.read_out() if self.keep else ""
        for _ in range(self.back):
            desk.back()
        if self.sign_out:
            desk.sign_out()
        runtime.find_issued()
        if self.keep:
            runtime.keep(self.keep, Secret(kept.encode()))
        return []

    def told(self) -> str:
        parts = []
        if self.insert:
            parts.append(f"the card “{self.insert}” is inserted")
        if self.pull:
            parts.append("the card is taken out")
        if self.choose:
            parts.append(f"“{self.choose}” is chosen")
        typed = [*self.fill, *self.secrets]
        if typed:
            parts.append(f"typed: {', '.join(typed)}")
        elif self.submit:
            parts.append("it is confirmed")
        if self.keep:
            parts.append(f"“{self.keep}” is read out")
        if self.back:
            parts.append("back")
        if self.sign_out:
            parts.append("signed out")
        return f"At the desk: {', '.join(parts) or 'nothing'}."

    def shown(self, runtime: ScenarioRuntime) -> list[PlayedLine]:
        return _page(runtime)


def _page(runtime: ScenarioRuntime) -> list[PlayedLine]:
    page = runtime.office.page
    title = sentence(page.title) if isinstance(page.title, Message) else page.title
    lines = [PlayedLine("step", sentence(each)) for each in runtime.office.steps]
    lines.append(PlayedLine("screen", f"[{title}]"))
    if page.notice is not None:
        lines.append(screen(page.notice))
    return lines
