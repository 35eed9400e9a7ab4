"""Once a write was sent, nobody says that nothing changed, and no code writes twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lab.histories import PLAIN, STORIES, History, Story
from msgspec.structs import replace

from kiosk.directory.values import BindResult
from kiosk.simulation.domain_faults import BindSays, Frozen
from kiosk.simulation.world import World
from kiosk.visit.views import Answers, FieldName, Outcome
from statemachine.operation import Kind
from storage.errors import RegistryError, StoreFull, StorePoisoned
from storage.records import Keyless, Sync
from storage.registry import Tx
from storage.vault import UnknownKey

CHANGE, FINISH = STORIES[0], STORIES[4]


class Failing:
    """A registry whose commits fail from the moment that the write was sent."""

    def __init__(self, world: World, error: RegistryError) -> None:
        self._registry = world.parts.registry
        self._domain: Any = world.directory
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._registry, name)

    def run(self, fn: Callable[[Tx], Any]) -> Any:
        if self._domain.writes:
            raise self._error
        return self._registry.run(fn)


@pytest.mark.parametrize(
    "error",
    [StoreFull(path="/x"), StorePoisoned(path="/x"), UnknownKey(key="k")],
    ids=lambda error: error.code,
)
@pytest.mark.parametrize("story", STORIES[:PLAIN], ids=lambda story: story.name)
def test_a_last_commit_that_fails_never_says_that_nothing_changed(
    story: Story, error: RegistryError
) -> None:
    history = History(story)

    def spoil(world: World) -> None:
        object.__setattr__(world.parts, "registry", Failing(world, error))

    result = history.attempt(spoil)
    assert result is not None
    assert len(history.domain.writes) == 1
    assert result.outcome is Outcome.OUT_OF_STEP
    keys = {result.headline.key, *(fact.key for fact in result.facts)}
    assert "reason.not_recorded" in keys
    assert "result.fact.nothing_changed" not in keys
    history.look()
    assert history.sync() is Sync.OUT_OF_STEP
    history.come_home()
    assert history.is_in_step()


def test_a_vault_that_lacks_the_key_of_the_history_is_recorded_as_out_of_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    history = History(FINISH)

    def unknown(*_: object) -> str:
        raise UnknownKey(key="k")

    monkeypatch.setattr("kiosk.authority.rules.pin_history.with_pin", unknown)
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.OUT_OF_STEP
    assert history.sync() is Sync.OUT_OF_STEP
    assert history.world.credential("alice").sync_reason == "reason.not_recorded"


def test_an_authority_that_is_lost_in_the_write_leaves_a_finish_open() -> None:
    history = History(FINISH)

    def spoil(world: World) -> None:
        def lost() -> None:
            raise StoreFull(path="/x")

        world.authority.after("write", lost)

    result = history.attempt(spoil)
    assert result is not None
    assert result.outcome is Outcome.OUT_OF_STEP
    assert "result.fact.nothing_changed" not in {fact.key for fact in result.facts}


# --- one code, one write --------------------------------------------------------------


@pytest.mark.parametrize("kind", [Kind.FINISH, Kind.CHANGE])
def test_a_release_code_that_stands_for_the_signature_writes_once(kind: Kind) -> None:
    history = History(STORIES[0])

    def keyless(tx: Tx) -> None:
        saved = tx.save_template(
            replace(tx.template("staff"), keyless=Keyless.WITH_RELEASE)
        )
        credential = tx.credential(history.holder.credential)
        tx.save_credential(
            replace(
                credential,
                template_version=saved.version,
                authentication_key=None,
                migrated=True,
                sync=Sync.OUT_OF_STEP,
            )
        )

    history.world.registry.run(keyless)
    code = history.world.release_code("alice")
    outcomes = []
    for _ in range(3):
        history.world.readers.pull()
        card = history.world.readers.insert(history.holder.made.card)
        visit = history.world.visit(card)
        visit.recognise()
        form = visit.begin(kind)
        values = {
            name: code.copy()
            if name is FieldName.RELEASE_CODE
            else history._typed(name)
            for name in form.fields
        }
        answers = Answers(values, confirmed=True)
        outcomes.append(visit.submit(form, answers, lambda progress: None).outcome)
        history.world.registry.run(
            lambda tx: tx.save_credential(
                replace(tx.credential(history.holder.credential), sync=Sync.OUT_OF_STEP)
            )
        )
    assert outcomes == [Outcome.DONE, Outcome.REFUSED, Outcome.REFUSED]
    assert len(history.domain.writes) == 1


@pytest.mark.parametrize(
    "said",
    [
        BindResult.MUST_CHANGE,
        BindResult.EXPIRED_PASSWORD,
        BindResult.DISABLED,
        BindResult.LOCKED,
        BindResult.LOGON_HOURS,
        BindResult.NO_ANSWER,
    ],
)
def test_a_lost_answer_is_done_only_if_the_new_value_binds(said: BindResult) -> None:
    """Whatever else a bind says is no yes, and nobody has heard the write's own."""
    history = History(CHANGE)
    history.domain.fail(Frozen(applied=True))
    history.domain.fail(BindSays(result=said))
    result = history.attempt()
    assert result is not None
    assert result.outcome is Outcome.OUT_OF_STEP
    assert history.sync() is Sync.OUT_OF_STEP
