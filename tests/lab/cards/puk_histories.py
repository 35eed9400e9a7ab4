"""Histories of one card's PUK: visits with faults, judged by what the card has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from msgspec.structs import replace

from kiosk.authority.escrow import approvals, puk_unblock, puks
from kiosk.core.secret import Secret
from kiosk.simulation.cards.faults import (
    AnyCardFault,
    PullAfter,
    PullBefore,
    WrongStatus,
)
from kiosk.simulation.cards.options import PivOptions
from kiosk.simulation.interference import die
from kiosk.simulation.world import World
from lab.histories import OLD, PASSWORD_BEFORE, TRANSPORT, History, Story
from statemachine.lifecycle import State
from statemachine.operation import Kind
from statemachine.puk import Known
from storage.records import ApprovalKind, Escrow, ImportedPuk, PinPolicy, Sync
from storage.registry import Tx

Spoil = Callable[[World], None]
FACTORY = b"12345678"


@dataclass(frozen=True, slots=True)
class PukStory:
    """What is known of the PUK at first, and what the visits are."""

    name: str
    kinds: tuple[Kind, ...]
    known: Known = Known.CURRENT
    options: PivOptions = field(default_factory=PivOptions)
    follows: bool = True
    """The password follows; else only the card changes."""


U, C, A = Kind.UNBLOCK, Kind.CHANGE, Kind.ACTIVATE
DIGITS = PivOptions(digits_only_puk=True)
TELLS = PivOptions(version=b"\x05\x04\x03", serial=b"\x00\x12\xd6\x87")
STORIES = (
    PukStory("unblocked twice", (U, U)),
    PukStory("unblocked twice, digits alone", (U, U), options=DIGITS),
    PukStory("unblocked twice, the card tells", (U, U), options=TELLS),
    PukStory("unblocked twice, card only", (U, U), follows=False),
    PukStory("imported with the factory's, changed", (C, C), Known.FACTORY),
    PukStory("imported, activated, unblocked", (A, U), Known.FACTORY),
    PukStory("imported, digits alone", (A, U), Known.FACTORY, DIGITS),
    PukStory("due, changed, card only", (C, U), Known.DUE, follows=False),
)


class PukHistory(History):
    """One card, from what is known at first, through visits."""

    def __init__(self, story: PukStory) -> None:
        is_new = story.kinds[0] is A
        super().__init__(
            Story(
                story.name,
                story.kinds[0],
                State.ISSUED if is_new else State.ACTIVE,
                Sync.NEVER if is_new else Sync.IN_STEP,
                TRANSPORT if is_new else OLD,
                PASSWORD_BEFORE if is_new else OLD,
                options=story.options,
            )
        )
        self.puk_story = story
        if not story.follows:
            policy = PinPolicy(update_ad_password=False)
            self._write(template_policy=policy)
        self._begin(story.known)

    def _write(self, template_policy: PinPolicy) -> None:
        def commit(tx: Tx) -> None:
            template = tx.template("staff")
            saved = tx.save_template(replace(template, pin_policy=template_policy))
            credential = tx.credential(self.holder.credential)
            tx.save_credential(
                replace(
                    credential,
                    template_version=saved.version,
                    sync=Sync.NOT_SYNCHRONISED,
                )
            )

        self.world.registry.run(commit)

    def _begin(self, known: Known) -> None:
        if known is Known.FACTORY:
            self.holder.made.card.references.puk.replace(FACTORY)
            self.keep(puks.said(ImportedPuk.FACTORY, None))
        else:
            self.keep(replace(self.escrow, known=known))

    # --- acting -----------------------------------------------------------------

    def visit(self, kind: Kind, spoil: Spoil | None = None) -> None:
        """One visit; an unblock is of a blocked card, and of whoever has a code."""
        card = self.holder.made.card
        if kind is U:
            card.set_tries(pin=0)
        if self.why_not(kind):
            return
        self.world.authority.calls.clear()
        self._visit(kind, spoil)
        self.world.restart()
        self.world.directory.heal()
        self.world.readers.faults.set()
        self.world.clock.sleep(200.0)

    def come_to_rest(self) -> bool:
        """Unblock with nothing going wrong; say whether the helpdesk had to know."""
        self.visit(A if self.state() is State.ISSUED else U)
        if self.is_at_rest():
            return False
        self.world.release_code = self.last_try_code  # type: ignore[method-assign]  # as an operator who was warned
        for _ in range(2):
            self.visit(A if self.state() is State.ISSUED else U)
        return True

    def last_try_code(self, name: str) -> Secret:
        return approvals.issue_code(
            self.world.parts,
            credential=self.world.holders[name].credential,
            kind=ApprovalKind.RELEASE,
            operator="helpdesk",
            station="desk-1",
            valid_for=approvals.RELEASE_SECONDS,
            last_try=True,
        )

    # --- observing --------------------------------------------------------------

    @property
    def escrow(self) -> Escrow:
        return self.world.credential("alice").escrow

    def keep(self, escrow: Escrow) -> None:
        self.world.registry.run(
            lambda tx: tx.save_credential(
                replace(tx.credential(self.holder.credential), escrow=escrow)
            )
        )

    def state(self) -> State:
        return self.world.credential("alice").state

    def kept(self) -> list[bytes]:
        """Every value that the registry holds for possible."""
        credential = self.world.credential("alice")
        return [
            bytes(puk_unblock.value(self.world.parts, credential, label).reveal())
            for label in puks.of(credential.escrow).remaining()
        ]

    def is_kept(self) -> bool:
        return any(self.holder.made.card.has_puk(each) for each in self.kept())

    def is_at_rest(self) -> bool:
        """The card has the one PUK that is kept, and nobody has seen it."""
        known = puks.of(self.escrow).known
        return known is Known.CURRENT and len(self.kept()) == 1 and self.is_kept()

    def violations(self) -> list[str]:
        """What must never be, looked at from outside."""
        found = []
        puk, card = puks.of(self.escrow), self.holder.made.card
        if not self.is_kept():
            found.append("the card's PUK is kept no more")
        if card.puk_tries_left < 1:
            found.append("the last try is spent")
        if card.puk_tries_left < puk.left:
            found.append(f"{card.puk_tries_left} left, not {puk.left}")
        return found


# --- what may go wrong ---------------------------------------------------------


def boundaries(story: PukStory, visit: int = 0) -> list[tuple[str, Spoil]]:
    """Everything that may happen once in a visit, at each APDU and each commit."""
    history = PukHistory(story)
    for kind in story.kinds[:visit]:
        history.visit(kind)
    counted: list[int] = []
    steps: list[str] = []
    kind = story.kinds[visit]
    if kind is U:
        history.holder.made.card.set_tries(pin=0)
    history._visit(kind)
    counted.append(history.world.readers.faults.count)
    calls = history.world.authority.calls
    last = len(calls) - 1 - calls[::-1].index("prepare")
    steps.extend(dict.fromkeys(calls[last:]))
    return [*_pulls(counted[0]), *_noes(), *_deaths(steps)]


def _pulls(count: int) -> Iterator[tuple[str, Spoil]]:
    for at in range(1, count + 1):
        for fault in (PullBefore(at=at), PullAfter(at=at)):
            yield repr(fault), partial(_spoil, fault)


def _noes() -> Iterator[tuple[str, Spoil]]:
    for ins, sw in (
        (0x24, 0x6A80),
        (0x24, 0x6985),
        (0x24, 0x6D00),
        (0x24, 0x6F00),
        (0x2C, 0x6A80),
        (0x2C, 0x6F00),
        (0x87, 0x6F00),
    ):
        fault = WrongStatus(ins=ins, sw=sw)
        yield repr(fault), partial(_spoil, fault)


def _spoil(fault: AnyCardFault, world: World) -> None:
    world.readers.faults.set(fault)


def _deaths(steps: list[str]) -> Iterator[tuple[str, Spoil]]:
    for step in steps:
        yield f"before {step}", partial(_die_before, step)
        yield f"after {step}", partial(_die_after, step)


def _die_before(step: str, world: World) -> None:
    world.authority.before(step, die)


def _die_after(step: str, world: World) -> None:
    world.authority.after(step, die)
