"""The line to PostgreSQL is cut at every commit of every kind of operation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lab.histories import PLAIN, STORIES, History, Story
from lab.servers import postgres
from lab.servers.postgres_line import Line

from kiosk.simulation.world import World
from kiosk.visit.views import Result
from storage.postgres_registry import PostgresRegistry

pytestmark = [pytest.mark.slow]

by_story = pytest.mark.parametrize(
    "story", STORIES[:PLAIN], ids=lambda story: story.name
)


class Connected:
    """A history on a database of its own, at the end of a line."""

    def __init__(self, story: Story, patience: float) -> None:
        server = postgres.server()
        folder = postgres.own_folder("line")
        self.line = Line(server.folder / ".s.PGSQL.5432", folder / ".s.PGSQL.5432")
        conninfo = server.database().replace(str(server.folder), str(folder))
        self.registry = PostgresRegistry(conninfo, patience=patience)
        self.history = History(story, self.registry)
        self.result: Result | None = None

    def close(self) -> None:
        self.registry.close()
        self.line.close()


def commits_of(story: Story) -> int:
    """How often the operation commits when nothing goes wrong."""
    whole = Connected(story, 5.0)
    before = 0

    def count(world: World) -> None:
        nonlocal before
        before = whole.line.commits

    whole.history.attempt(count)
    whole.close()
    return whole.line.commits - before


def cut_at_each(
    story: Story, when: str, *, patience: float, stays_cut: bool
) -> Iterator[Connected]:
    for at in range(commits_of(story)):
        connected = Connected(story, patience)
        line = connected.line

        def arm(world: World, line: Line = line, at: int = at) -> None:
            line.spared, line.stays_cut = at, stays_cut
            setattr(line, f"cut_{when}", b"COMMIT")

        connected.result = connected.history.attempt(arm)
        yield connected
        connected.close()


@by_story
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_line_that_is_there_again_at_once_is_not_noticed(
    story: Story, when: str
) -> None:
    for connected in cut_at_each(story, when, patience=5.0, stays_cut=False):
        assert connected.line.connections == 2
        assert connected.history.is_in_step()
        connected.history.assert_invariants(connected.result)


@by_story
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_database_that_goes_away_at_any_commit_leaves_no_silent_difference(
    story: Story, when: str
) -> None:
    for connected in cut_at_each(story, when, patience=0.1, stays_cut=True):
        connected.line.mended()
        connected.history.look()
        connected.history.assert_invariants(connected.result)
        connected.history.come_home()
        assert connected.history.is_in_step()
