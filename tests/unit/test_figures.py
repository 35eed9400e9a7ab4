"""What is counted: what was committed, once; what is missing; nothing of anybody."""

from __future__ import annotations

import asyncio
import queue
import re
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from lab.desk.typed_commands import Terminal, _terminal  # noqa: F401 - a fixture
from lab.histories import STORIES, History, Story
from lab.liar import named
from lab.servers.served import by_header
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request
from starlette.responses import Response

from kiosk import bootstrap
from kiosk.authority.errors import NotUnderstood
from kiosk.authority.local import LocalAuthority
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.service.app import Endpoint, Service, answered
from kiosk.authority.service.threads import Threads
from kiosk.authority.values import StationFault
from kiosk.bootstrap import figures_of
from kiosk.config.sections.station import MetricsSettings
from kiosk.core.entropy import SystemEntropy
from kiosk.core.errors import Message
from kiosk.core.figures import UNTOLD
from kiosk.directory.errors import Unreachable
from kiosk.figures.listener import FiguresInPublic, FiguresListener, FiguresNotListening
from kiosk.figures.prometheus import PrometheusFigures
from kiosk.figures.watched import WatchedDirectory, WatchedRegistry
from kiosk.simulation.cards.reader import SimulatedReaders
from kiosk.simulation.domain_faults import DcDown
from kiosk.simulation.face_settings import SETTINGS
from kiosk.visit.station_of_parts import OpenedAuthority, StationOfParts
from storage.errors import RegistryError, StoreUnavailable
from storage.memory_registry import MemoryRegistry
from storage.records import AuditDraft
from storage.registry import Tx

pytestmark = pytest.mark.slow


def values(figures: PrometheusFigures) -> dict[str, float]:
    """Every sample by its name and labels, as a reader has them."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(figures.text().decode()):
        for sample in family.samples:
            labels = ",".join(
                f"{key}={it}" for key, it in sorted(sample.labels.items())
            )
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


@pytest.fixture
def figures() -> PrometheusFigures:
    return PrometheusFigures()


def watched(history: History, figures: PrometheusFigures) -> RequiredPorts:
    world = history.world
    world.registry = WatchedRegistry(world.registry, figures)
    world.restart()
    return world.parts


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_each_visit_is_counted_once_by_its_kind_and_end(
    figures: PrometheusFigures, story: Story
) -> None:
    history = History(story)
    watched(history, figures)
    history.attempt()
    told = {
        name: value
        for name, value in values(figures).items()
        if name.startswith("pin_kiosk_operations_total") and value
    }
    kind = history.story.kind
    assert told == {f"pin_kiosk_operations_total{{kind={kind},result=done}}": 1.0}


def test_a_transaction_that_is_run_again_counts_once(
    figures: PrometheusFigures,
) -> None:
    class RunsTwice(MemoryRegistry):
        def run(self, fn):  # type: ignore[no-untyped-def]  # as the port's
            def twice(tx: Tx) -> object:
                fn(tx)
                return fn(tx)

            return super().run(twice)

    registry = WatchedRegistry(RunsTwice(), figures)
    registry.run(lambda tx: tx.audit(ended()))
    assert values(figures)[DONE] == 1.0


def test_what_was_not_committed_is_not_counted(figures: PrometheusFigures) -> None:
    registry = WatchedRegistry(MemoryRegistry(), figures)

    def fails(tx: Tx) -> None:
        tx.audit(ended())
        raise StoreUnavailable(place="db")

    with pytest.raises(StoreUnavailable):
        registry.run(fails)
    told = values(figures)
    assert told[DONE] == 0.0
    assert told["pin_kiosk_store_up{}"] == 0.0
    error = "pin_kiosk_store_errors_total{code=registry.unavailable,step=write}"
    assert told[error] == 1.0
    registry.read(lambda view: view.heads())
    assert values(figures)["pin_kiosk_store_up{}"] == 1.0


def test_a_record_that_is_not_there_is_no_fault_of_the_store(
    figures: PrometheusFigures,
) -> None:
    registry = WatchedRegistry(MemoryRegistry(), figures)
    with pytest.raises(Exception, match=r"registry\.record_missing"):
        registry.read(lambda view: view.credential("nobody's"))
    assert values(figures)["pin_kiosk_store_up{}"] == 1.0


def test_a_directory_that_is_away_is_told_and_told_to_be_back(
    figures: PrometheusFigures,
) -> None:
    world = History(named("change")).world
    directory = WatchedDirectory(world.directory, figures)
    world.directory.fail(DcDown())
    with pytest.raises(Unreachable), directory.connect():
        pass
    told = values(figures)
    assert told["pin_kiosk_directory_up{}"] == 0.0
    code = "code=directory.unreachable,step=connect"
    assert told[f"pin_kiosk_directory_errors_total{{{code}}}"] == 1.0
    world.directory.heal()
    with directory.connect():
        pass
    assert values(figures)["pin_kiosk_directory_up{}"] == 1.0


def test_no_figure_has_a_person_a_card_an_account_or_a_station(
    figures: PrometheusFigures,
) -> None:
    for story in STORIES:
        history = History(story)
        watched(history, figures)
        history.attempt()
        text = figures.text().decode()
        for holder in history.world.holders.values():
            known = history.world.credential(holder.name)
            secret = (known.id, known.card, known.holder, known.account)
            assert not [it for it in secret if it in text]
        assert history.world.settings.station not in text
    labels = set(re.findall(r"(\w+)=\"", figures.text().decode()))
    assert labels <= {
        "kind",
        "result",
        "event",
        "step",
        "code",
        "part",
        "le",
        "version",
        "standing",
    }


def test_what_is_missing_at_a_station_is_told_by_its_part(
    figures: PrometheusFigures,
) -> None:
    figures.health(["reader", "directory"])
    figures.health(["directory"])
    told = values(figures)
    assert told["pin_kiosk_part_missing{part=directory}"] == 1.0
    assert told["pin_kiosk_part_missing{part=reader}"] == 0.0


# --- where they are read ---------------------------------------------------------


@pytest.fixture
def listener(figures: PrometheusFigures) -> Iterator[FiguresListener]:
    listener = FiguresListener("127.0.0.1:0", figures.text)
    yield listener
    listener.close()


def test_figures_are_read_at_a_loopback_port(listener: FiguresListener) -> None:
    address = f"http://127.0.0.1:{listener.port}"
    with urllib.request.urlopen(f"{address}/metrics", timeout=5) as answer:
        assert b"pin_kiosk_version" in answer.read()
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{address}/", timeout=5)


def test_figures_are_read_at_a_socket_that_others_may_not_open(
    figures: PrometheusFigures, tmp_path: Path
) -> None:
    file = tmp_path / "metrics.sock"
    for _ in range(2):
        listener = FiguresListener(f"unix:{file}", figures.text)
        assert file.stat().st_mode & 0o007 == 0
        with socket.socket(socket.AF_UNIX) as reader:
            reader.connect(str(file))
            reader.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            with reader.makefile("rb") as stream:
                assert b"pin_kiosk_version" in stream.read()
        listener.close()
        assert not file.exists()


def test_a_socket_that_a_dead_process_left_is_taken_over(
    figures: PrometheusFigures, tmp_path: Path
) -> None:
    file = tmp_path / "metrics.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(file))
    FiguresListener(f"unix:{file}", figures.text).close()


@pytest.mark.parametrize("place", ["0.0.0.0:0", "192.0.2.1:0", "[::]:0"])
def test_figures_are_never_read_from_another_machine(
    figures: PrometheusFigures, place: str
) -> None:
    with pytest.raises(FiguresInPublic):
        FiguresListener(place, figures.text)


def test_a_place_that_is_taken_is_told(
    listener: FiguresListener, figures: PrometheusFigures
) -> None:
    with pytest.raises(FiguresNotListening):
        FiguresListener(f"127.0.0.1:{listener.port}", figures.text)


DONE = "pin_kiosk_operations_total{kind=change,result=done}"


def ended() -> AuditDraft:
    return AuditDraft(
        at=1.0,
        station="kiosk-1",
        kind="operation.done",
        actor="holder",
        data={"kind": "change", "event": "1"},
    )


# --- who tells -------------------------------------------------------------------


def call(figures: PrometheusFigures, name: str, endpoint: Endpoint) -> int:
    """Let the service answer a call of that name; return the status."""
    service = Service(
        threads=Threads(
            lambda: History(named("change")).world.parts, count=1, waiting=1
        ),
        verify=by_header,
        authority_of=LocalAuthority,
        names=frozenset(),
        entropy=SystemEntropy(),
        figures=figures,
    )
    scope = {"type": "http", "headers": [], "path_params": {"call": name}}
    said = asyncio.run(_answer(answered(service, endpoint), Request(scope)))
    service.threads.close()
    return said.status_code


async def _answer(endpoint: Endpoint, request: Request) -> Response:
    return await endpoint(request)


async def refuses(_: Request) -> Response:
    raise NotUnderstood


async def breaks(_: Request) -> Response:
    raise RuntimeError


def test_calls_are_told_by_their_name_and_what_they_were_answered(
    figures: PrometheusFigures,
) -> None:
    assert call(figures, "open", refuses) == 400
    assert call(figures, "write", breaks) == 500
    assert call(figures, "made-up-1", refuses) == 400
    assert call(figures, "made-up-2", refuses) == 400
    told = values(figures)
    said = "result=authority.not_understood"
    assert told[f"pin_kiosk_calls_total{{call=open,{said}}}"] == 1.0
    broke = "result=authority.failed_inside"
    assert told[f"pin_kiosk_calls_total{{call=write,{broke}}}"] == 1.0
    assert told[f"pin_kiosk_calls_total{{call=unknown,{said}}}"] == 2.0
    assert told["pin_kiosk_call_seconds_count{call=open}"] == 1.0


def test_a_station_tells_what_its_screen_says_is_missing(
    figures: PrometheusFigures,
) -> None:
    def opened() -> OpenedAuthority:
        raise StoreUnavailable(place="db")

    station = StationOfParts(SETTINGS, SimulatedReaders(), opened, figures)
    done = threading.Event()

    def look() -> None:
        station.health()
        done.set()

    station.on_authority_worker(look)
    assert done.wait(10)
    station.stop()
    assert values(figures)["pin_kiosk_part_missing{part=store}"] == 1.0


@pytest.mark.parametrize("away", [False, True])
def test_an_authority_elsewhere_is_told_which_reader_there_is_if_it_is_there(
    away: bool,
) -> None:
    told: list[str] = []
    faults = (StationFault(part="authority", message=Message("authority.away")),)

    class Elsewhere:
        def health(self) -> tuple[StationFault, ...]:
            return faults if away else ()

    opened = OpenedAuthority(cast(Any, Elsewhere()), lambda: None, tell=told.append)
    readers = SimulatedReaders()
    station = StationOfParts(SETTINGS, readers, lambda: opened)
    seen: queue.SimpleQueue[object] = queue.SimpleQueue()
    station.health()
    station.start(seen.put)
    seen.get(timeout=10)
    station.health()
    station.stop()
    assert told == ([] if away else ["unknown", "ready"])


def test_a_place_that_cannot_be_had_keeps_nobody_waiting(
    listener: FiguresListener, caplog: pytest.LogCaptureFixture
) -> None:
    taken = MetricsSettings(listen=f"127.0.0.1:{listener.port}")
    with figures_of(taken) as nobody:
        assert nobody is UNTOLD
    assert "figures.not_read" in caplog.text


def test_each_process_of_a_machine_has_a_place_of_its_own(tmp_path: Path) -> None:
    told = MetricsSettings(listen=f"unix:{tmp_path}/{{port}}.sock")
    with figures_of(told, 8443) as one, figures_of(told, 8444) as other:
        assert isinstance(one, PrometheusFigures)
        assert isinstance(other, PrometheusFigures)
        assert {file.name for file in tmp_path.iterdir()} == {"8443.sock", "8444.sock"}
    assert not list(tmp_path.iterdir())


def test_where_nobody_wants_figures_nothing_listens() -> None:
    with figures_of(MetricsSettings()) as nobody:
        assert nobody is UNTOLD


def test_a_socket_at_which_somebody_listens_is_left_to_them(
    figures: PrometheusFigures, tmp_path: Path
) -> None:
    file = tmp_path / "metrics.sock"
    first = FiguresListener(f"unix:{file}", figures.text)
    with pytest.raises(FiguresNotListening):
        FiguresListener(f"unix:{file}", figures.text)
    with socket.socket(socket.AF_UNIX) as reader:
        reader.connect(str(file))
        reader.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        with reader.makefile("rb") as stream:
            assert b"pin_kiosk_version" in stream.read()
    first.close()
    assert not file.exists()


def test_a_socket_that_is_another_ones_by_now_is_left_there(
    figures: PrometheusFigures, tmp_path: Path
) -> None:
    file = tmp_path / "metrics.sock"
    first = FiguresListener(f"unix:{file}", figures.text)
    file.rename(tmp_path / "aside")  # so that its number is not given anew
    second = FiguresListener(f"unix:{file}", figures.text)
    first.close()
    assert file.exists()
    second.close()
    assert not file.exists()


@pytest.mark.parametrize("place", ["127.0.0.1:99464", "127.0.0:9464"])
def test_what_can_be_no_place_is_told(figures: PrometheusFigures, place: str) -> None:
    """The port of a process, put behind other digits, may be none."""
    with pytest.raises(FiguresNotListening):
        FiguresListener(place, figures.text)


@pytest.mark.parametrize("way", ["not there", "a folder"])
def test_a_store_that_cannot_be_opened_is_away(
    terminal: Terminal, figures: PrometheusFigures, way: str
) -> None:
    """As when a process is started, or told something new, while its store is away."""
    path = terminal.config.registry.path
    path.unlink()
    if way == "a folder":
        path.mkdir()
    figures.store("read", "ok", 0.1, is_up=True)
    with pytest.raises(RegistryError):
        bootstrap.witnessed_registry(terminal.config, figures=figures)
    told = values(figures)
    assert told["pin_kiosk_store_up{}"] == 0
    assert sum(told[key] for key in told if "store_errors_total" in key) == 1
