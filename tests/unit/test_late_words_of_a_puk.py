"""What an ended operation says of a PUK comes too late: others are at it since.

A question that is held up on its way, or a process that stood still, is heard when the
next operation of the card has its own new PUK under way. It was said of another one.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lab.histories import History
from lab.liar import Liar, named
from msgspec.structs import replace

from kiosk.authority.errors import Refused
from kiosk.authority.escrow import puk_unblock, puks
from kiosk.authority.ports import Authority
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from statemachine.candidates import Label
from statemachine.operation import Kind
from statemachine.puk import Known
from storage.records import ApprovalKind

Word = Callable[[Authority, str], object]
LATE: dict[str, Word] = {
    "it was replaced": lambda it, which: it.puk_replaced(which),
    "the new one was taken": lambda it, which: it.puk_accepted(which, Label.PENDING),
    "the old one was taken": lambda it, which: it.puk_accepted(which, Label.CURRENT),
    "the new one was not taken as new": lambda it, which: it.puk_new_refused(
        which, Label.CURRENT
    ),
    "the old one was not what it had": lambda it, which: it.puk_not_replaced(
        which, Label.CURRENT, 2
    ),
    "the old one was wrong": lambda it, which: it.puk_wrong(which, Label.CURRENT, 2),
    "it compared nothing": lambda it, which: it.puk_unheard(which, Label.CURRENT),
}


class TwoOperations:
    """A PUK was replaced, unheard, in a change; an unblock replaces the next."""

    def __init__(self) -> None:
        self.history = History(named("unblock"))
        world = self.history.world
        self.card = self.history.holder.made.card
        escrow = world.credential("alice").escrow
        world.registry.run(
            lambda tx: tx.save_credential(
                replace(
                    tx.credential(self.history.holder.credential),
                    escrow=replace(escrow, known=Known.DUE),
                )
            )
        )
        self.first = Liar(self.history, Kind.UNBLOCK)
        self.first.prove_card()
        self.replace(self.first)
        self.first.port.refuse(self.first.id, Message("reason.interrupted"))
        self.second = Liar(self.history, Kind.UNBLOCK)
        self.second.redeem(ApprovalKind.RELEASE, world.release_code("alice"))
        released = self.second.port.release(
            self.second.id, *self.second.presence(), None
        ).puk
        assert released is not None
        with released.secret as puk:
            assert self.card.has_puk(bytes(puk.reveal()))
        self.second.port.puk_accepted(self.second.id, released.label)

    def replace(self, liar: Liar) -> None:
        """The card takes the new PUK; that it did is not told."""
        plan = liar.port.puk_plan(liar.id, None)
        assert plan is not None
        with plan.old, plan.new:
            assert self.card.has_puk(bytes(plan.old.reveal()))
            self.card.references.puk.replace(bytes(plan.new.reveal()))

    def is_kept(self) -> bool:
        """The card's PUK is among those that the registry holds for possible."""
        credential = self.history.world.credential("alice")
        found: list[Secret] = [
            puk_unblock.value(self.history.world.parts, credential, label)
            for label in puks.of(credential.escrow).remaining()
        ]
        return any(self.card.has_puk(bytes(each.reveal())) for each in found)


@pytest.mark.parametrize("word", LATE)
@pytest.mark.parametrize("arrived", [False, True], ids=["not there yet", "there"])
def test_what_an_ended_operation_says_of_a_puk_loses_no_other(
    word: str, *, arrived: bool
) -> None:
    both = TwoOperations()
    if arrived:
        both.replace(both.second)
    else:
        plan = both.second.port.puk_plan(both.second.id, None)
        assert plan is not None
        plan.old.wipe()
        plan.new.wipe()
    before = both.second.credential.escrow
    why = None
    try:
        LATE[word](both.first.port, both.first.id)
    except Refused as error:
        why = error.reason
    assert both.is_kept(), "the card's PUK is lost"
    assert both.second.credential.escrow == before
    assert why == Message("stop.operation_ended")
