"""A station enrolls over HTTPS, and the answer is lost on its way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from lab.histories import STORIES, History
from lab.registries import IMPLEMENTATIONS, SHARED
from lab.servers.one_way import OneWay
from lab.servers.ports import free_port
from lab.servers.served import Serving, Site

from kiosk.authority.client import enrolling as client
from kiosk.authority.client.line import trusting
from kiosk.authority.client.lines import Lines
from kiosk.authority.local import LocalAuthority
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.service.app import Service, application
from kiosk.authority.service.threads import Threads
from kiosk.authority.stations import enrolling, signing
from kiosk.authority.stations.enroll_call import Enrolled, call_body
from kiosk.authority.stations.keys import Ed25519Key
from kiosk.authority.stations.request import HttpRequest
from kiosk.authority.stations.roster import Roster
from kiosk.authority.stations.tokens import token_id
from kiosk.core.clock import SystemClock
from kiosk.core.entropy import SystemEntropy
from kiosk.core.secret import Secret
from storage.records import EnrollmentToken

pytestmark = pytest.mark.slow

TOKEN = "0123-4567-89ab-cdef-0123-4567-89ab-cdef"
KIOSK = "self-service"


class Town:
    """An authority at two addresses, of which one may lose its answers."""

    def __init__(self, parts: RequiredPorts, line: OneWay, port: int) -> None:
        self.parts, self._line = parts, line
        self.addresses = [f"https://{line.address}", f"https://127.0.0.1:{port}"]
        self.heard: list[str] = []
        self.service = Service(
            threads=Threads(lambda: parts, count=1, waiting=8),
            verify=Roster().may_visit,
            authority_of=LocalAuthority,
            names=frozenset({line.address, f"127.0.0.1:{port}"}),
            entropy=SystemEntropy(),
            enroll=self._once,
        )

    def _once(self, parts: RequiredPorts, request: HttpRequest) -> bytes:
        """Enroll; the first answer is committed, and never arrives."""
        answer = enrolling.enroll(parts, request)
        self.heard.append(request.headers["idempotency-key"])
        self._line._whole.clear()
        return answer


@pytest.fixture(params=("memory", *SHARED))
def parts(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RequiredPorts]:
    registry = IMPLEMENTATIONS[request.param](tmp_path)
    made = History(STORIES[0], registry).world.parts
    token = EnrollmentToken(
        id=token_id(made.vault, TOKEN.encode()),
        station="kiosk-1",
        role=KIOSK,
        issued_by="ada",
        issued_at=made.clock.now(),
        expires_at=made.clock.now() + 900,
    )
    registry.run(lambda tx: tx.save_token(token))
    yield made
    registry.close()


def test_a_lost_answer_is_asked_for_with_the_same_key_and_nothing_happens_twice(
    parts: RequiredPorts, tmp_path: Path
) -> None:
    key, port, site = Ed25519Key.made(), free_port(), Site.founded(tmp_path)
    sign = partial(signing.sign, station="kiosk-1", key=key, clock=parts.clock)
    body = call_body(Secret(TOKEN.encode()), key.public, KIOSK)
    with OneWay.to("127.0.0.1", port) as line:
        town = Town(parts, line, port)
        lines = Lines(town.addresses, trusting(site.ca_file), sign, SystemClock())
        with Serving(application(town.service), site.listening(port)), closing(lines):
            heard = client.enroll(lines, body, SystemEntropy())
    assert heard == Enrolled(station="kiosk-1", name="kiosk-1", role=KIOSK)
    assert len(town.heard) == 2
    assert len(set(town.heard)) == 1
    told = [it for it in parts.registry.audit_events() if "enrolled" in it.kind]
    assert len(told) == 1
    assert parts.registry.read(lambda view: view.station("kiosk-1")).version == 1
    town.service.threads.close()
