"""What stations do with an authority that the stories of `histories` leave out."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from kiosk.authority.errors import CodeRefused, NotProven, ProofFailed, Refused
from kiosk.core.entropy import SeededEntropy
from kiosk.core.secret import Secret
from kiosk.pin.codes import new_code
from kiosk.simulation.cards.faults import PullAfter
from kiosk.simulation.domain_faults import WriteNo
from kiosk.simulation.world import World
from lab.cards.admin_key_person import ONLINE, Person
from lab.histories import NEW, History
from lab.liar import LIMITS, Liar, named
from statemachine.candidates import Label
from statemachine.operation import Kind
from statemachine.puk import Known
from storage.records import ApprovalKind, PinPolicy, Sync
from storage.registry import Tx

CHANGE, UNBLOCK = named("change"), named("unblock")


def another_code(code: Secret) -> Secret:
    """A code as well formed as the right one, and another."""
    entropy = SeededEntropy(99)
    while True:
        made = new_code(entropy)
        if not made.matches(code):
            return made


def card_only(history: History) -> History:
    """Let the template leave the password alone."""

    def commit(tx: Tx) -> None:
        policy = PinPolicy(update_ad_password=False)
        saved = tx.save_template(replace(tx.template("staff"), pin_policy=policy))
        known = tx.credential(history.holder.credential)
        kept = {"sync": Sync.NOT_SYNCHRONISED, "template_version": saved.version}
        tx.save_credential(replace(known, **kept))

    history.world.registry.run(commit)
    return history


def due(history: History) -> History:
    """Let the card's PUK be due."""

    def commit(tx: Tx) -> None:
        known = tx.credential(history.holder.credential)
        escrow = replace(known.escrow, known=Known.DUE)
        tx.save_credential(replace(known, escrow=escrow))

    history.world.registry.run(commit)
    return history


def wrong_pin() -> World:
    history = History(CHANGE)
    assert history.visit_with(b"999111", NEW) == "card.wrong_pin"
    return history.world


def directory_says_no() -> World:
    history = History(CHANGE)
    history.attempt(lambda world: world.directory.fail(WriteNo()))
    return history.world


def pulled() -> World:
    history = History(CHANGE)
    fault = PullAfter(at=6)
    history.attempt(lambda world: world.readers.faults.set(fault))
    return history.world


def the_card_alone() -> World:
    history = card_only(History(CHANGE))
    history.attempt()
    return history.world


def unblocks_the_card_alone() -> World:
    history = card_only(History(UNBLOCK))
    history.attempt()
    return history.world


def wrong_codes() -> World:
    liar = Liar(History(UNBLOCK), Kind.UNBLOCK)
    code = liar.history.world.release_code("alice")
    wrong = another_code(code)
    _raises(NotProven, lambda: liar.port.redeem(liar.id, ApprovalKind.RELEASE, wrong))
    liar.prove_card()
    _raises(CodeRefused, lambda: liar.port.redeem(liar.id, ApprovalKind.RELEASE, wrong))
    liar.port.redeem(liar.id, ApprovalKind.RELEASE, code)
    return liar.history.world


def proves_nothing() -> World:
    liar = Liar(History(UNBLOCK), Kind.UNBLOCK)
    liar.redeem(ApprovalKind.RELEASE, liar.history.world.release_code("alice"))
    nonce, _ = liar.presence()
    _raises(ProofFailed, lambda: liar.port.release(liar.id, nonce, b"0", None))
    nonce, _ = liar.presence()
    _raises(ProofFailed, lambda: liar.port.prove_card(liar.id, nonce, b"0"))
    return liar.history.world


def forged() -> World:
    liar = Liar(History(CHANGE), Kind.CHANGE)
    challenge = liar.prepared.challenge
    assert challenge is not None
    sealed = liar.sealed()
    _raises(
        ProofFailed,
        lambda: liar.port.authorise(
            liar.id, challenge.nonce, b"0", sealed, going_on=True
        ),
    )
    return liar.history.world


def puk_answers() -> World:
    liar = Liar(History(UNBLOCK), Kind.UNBLOCK)
    liar.reset_card()
    liar.port.puk_unheard(liar.id, Label.CURRENT)
    liar.port.puk_wrong(liar.id, Label.CURRENT, 2)
    _raises(Refused, lambda: liar.port.puk_next(liar.id, (Label.CURRENT,), None))
    return liar.history.world


def puk_accepted() -> World:
    liar = Liar(History(UNBLOCK), Kind.UNBLOCK)
    liar.reset_card()
    liar.port.puk_accepted(liar.id, Label.CURRENT)
    return liar.history.world


def new_puks_refused() -> World:
    liar = Liar(due(History(CHANGE)), Kind.CHANGE)
    liar.prove_card()
    for _ in range(2):
        plan = liar.port.puk_plan(liar.id, None)
        assert plan is not None
        with plan.old, plan.new:
            liar.port.puk_new_refused(liar.id, plan.label)
    plan = liar.port.puk_plan(liar.id, None)
    assert plan is not None
    with plan.old, plan.new:
        liar.port.puk_replaced(liar.id)
    assert liar.port.puk_plan(liar.id, None) is None
    return liar.history.world


def old_puk_refused() -> World:
    liar = Liar(due(History(CHANGE)), Kind.CHANGE)
    liar.prove_card()
    plan = liar.port.puk_plan(liar.id, None)
    assert plan is not None
    with plan.old, plan.new:
        liar.port.puk_not_replaced(liar.id, plan.label, 2)
    return liar.history.world


def two_puks() -> World:
    """The new one was sent and never confirmed: it is tried first, then the old one."""
    history = due(History(UNBLOCK))
    liar = Liar(history, Kind.UNBLOCK)
    liar.prove_card()
    plan = liar.port.puk_plan(liar.id, None)
    assert plan is not None
    with plan.old, plan.new:
        liar = Liar(history, Kind.UNBLOCK)
    liar.redeem(ApprovalKind.RELEASE, history.world.release_code("alice"))
    first = liar.port.release(liar.id, *liar.presence(), None).puk
    assert first is not None
    with first.secret:
        liar.port.puk_wrong(liar.id, first.label, 2)
    second = liar.port.puk_next(liar.id, (first.label,), None)
    with second.secret:
        assert (first.label, second.label) == (Label.PENDING, Label.CURRENT)
        assert second.secret.matches(history.puk)
    return history.world


def admin_key() -> World:
    person = Person(ONLINE)
    person.unblock_online()
    assert person.is_in_step()
    return person.world


def admin_key_of_another_card() -> World:
    person = Person(ONLINE, key=bytes(24))
    person.unblock_online()
    return person.world


def held() -> World:
    from statemachine.lifecycle import Event

    liar = Liar(History(CHANGE), Kind.CHANGE)
    liar.authorise(liar.sealed())
    liar.history.world.operate("alice", Event.SUSPEND)
    _raises(Refused, lambda: liar.port.card_changing(liar.id))
    return liar.history.world


def prepared_again() -> World:
    history = History(CHANGE)
    history.home_screen()
    for _ in range(2):
        history.prepare(Kind.CHANGE, LIMITS)
    return history.world


VISITS: dict[str, Callable[[], World]] = {
    visit.__name__: visit
    for visit in (
        wrong_pin,
        directory_says_no,
        pulled,
        the_card_alone,
        unblocks_the_card_alone,
        wrong_codes,
        proves_nothing,
        forged,
        puk_answers,
        puk_accepted,
        new_puks_refused,
        old_puk_refused,
        two_puks,
        admin_key,
        admin_key_of_another_card,
        held,
        prepared_again,
    )
}


def _raises(kind: type[Exception], call: Callable[[], object]) -> None:
    try:
        call()
    except kind:
        return
    raise AssertionError(f"no {kind.__name__}")
