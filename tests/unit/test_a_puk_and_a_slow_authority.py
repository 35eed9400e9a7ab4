"""Once its PIN is set, a card is not kept for its PUK where the authority is slow.

Each question of the replacement would wait for an answer with the card in the reader's
hands, and its holder before it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from lab.histories import History
from lab.liar import named

from kiosk.authority.errors import AuthorityAway
from kiosk.authority.escrow import puks
from kiosk.core.workers import PendingJob
from kiosk.visit.run import AUTHORISE_SECONDS, HELD_SECONDS
from kiosk.visit.views import Outcome, Result
from statemachine.puk import Known
from storage.errors import StoreLocked
from storage.records import Sync

T = TypeVar("T")


class Answer(PendingJob[T]):
    """One that comes after so many seconds."""

    __slots__ = ("after",)

    def __init__(self) -> None:
        super().__init__()
        self.after = 0.0

    def wait(self, seconds: float | None = None) -> bool:
        return (seconds is None or seconds >= self.after) and super().wait(seconds)


class Judge:
    """The authority's worker, which judges a proof for longer than is waited for."""

    def __init__(self, history: History) -> None:
        self._history = history

    def submit(self, job: Callable[[], T]) -> PendingJob[T]:
        answer: Answer[T] = Answer()
        answer.run(job)
        if self._history.world.authority.calls[-1] == "authorise":
            answer.after = (AUTHORISE_SECONDS + HELD_SECONDS) / 2
        return answer


def unblocked(history: History, *before_proof: Callable[[], Any]) -> Result:
    for act in before_proof:
        history.world.authority.before("authorise", act)
    result = history.attempt()
    assert result is not None
    assert history.card_pin() != history.story.pin
    return result


def known(history: History) -> Known | None:
    return puks.of(history.world.credential("alice").escrow).known


def after_proof(history: History) -> list[str]:
    """What the authority was asked once it had the proof."""
    calls = history.world.authority.calls
    return calls[calls.index("authorise") + 1 :]


def away() -> NoReturn:
    raise AuthorityAway


def locked() -> NoReturn:
    raise StoreLocked(path="/registry", seconds=1)


def test_a_proof_that_is_judged_slowly_leaves_the_puk_due() -> None:
    """The password follows all the same, and the PUK's turn is at the next visit."""
    history = History(named("unblock"))
    history.world._authority_worker = Judge(history)
    result = unblocked(history)
    assert result.outcome is Outcome.DONE
    assert after_proof(history) == ["write"]
    assert "result.fact.puk_due" in {fact.key for fact in result.facts}
    assert known(history) is Known.DUE


def test_who_has_not_heard_of_the_proof_is_asked_nothing_more_of_the_puk() -> None:
    history = History(named("unblock"))
    result = unblocked(history, away)
    assert result.outcome is Outcome.OUT_OF_STEP
    assert "puk_plan" not in after_proof(history)
    assert known(history) is Known.DUE
    assert history.home_screen() is not None
    assert history.sync() is Sync.OUT_OF_STEP


def test_who_has_not_heard_of_the_puk_waits_for_nothing_more() -> None:
    """The card was waited for once: what else is to be written down is not asked."""
    history = History(named("unblock"))
    history.domain.change_account(history.holder.account_guid, enabled=False)
    history.world.authority.before("puk_plan", away)
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.OUT_OF_STEP
    assert "card_changed" not in history.world.authority.calls


def test_a_no_to_the_proof_comes_from_somebody_who_hears_of_the_puk() -> None:
    """The card has shown who it is: it leaves with a PUK that nobody has seen."""
    history = History(named("unblock"))
    result = unblocked(history, locked)
    assert result.outcome is Outcome.OUT_OF_STEP
    assert known(history) is Known.CURRENT
    assert not history.holder.made.card.has_puk(bytes(history.puk.reveal()))
