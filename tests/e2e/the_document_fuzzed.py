"""The service asked whatever its document allows, and what it does not: signed, and by
nobody. It answers everything, as its document says, and never with a defect.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from hypothesis import HealthCheck, settings
from lab.histories import STORIES, History
from lab.servers.ports import free_port
from lab.servers.served import Enrolled, Serving, Site
from requests.auth import AuthBase
from schemathesis import checks
from schemathesis.specs.openapi import checks as openapi_checks

from kiosk.authority.local import LocalAuthority
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.service.app import Service, application
from kiosk.authority.service.openapi import document
from kiosk.authority.service.threads import Threads
from kiosk.authority.stations.enrolling import enroll
from kiosk.authority.stations.reporting import Reports
from kiosk.authority.stations.request import HttpRequest
from kiosk.authority.stations.signing import Proven
from kiosk.core.entropy import SystemEntropy
from storage.records import StationRecord

TOLD = json.loads(document())
FOR_NOBODY = schemathesis.openapi.from_dict(TOLD)
FOR_A_STATION = schemathesis.openapi.from_dict({**TOLD, "security": []})
"""The signature is not among what is varied: every request is signed as it is."""
# Nobody is refused before anything is read: each bound of each value is for stations.
FOR_NOBODY.config.phases.coverage.enabled = False
CHECKS = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.negative_data_rejection,
]
EXAMPLES = settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)

pytestmark = pytest.mark.slow


class Signed(AuthBase):
    """Signs whatever is about to be sent, as an enrolled station."""

    def __init__(self, enrolled: Enrolled) -> None:
        self._sign = enrolled.signer("kiosk-1")

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        where = urlsplit(request.url or "")
        body: Any = request.body or b""  # Any: whatever a fuzzer sends
        headers = {name.lower(): _text(it) for name, it in request.headers.items()}
        asked = HttpRequest(
            method=request.method or "",
            authority=where.netloc,
            path=where.path,
            query=where.query,
            headers=headers,
            body=body.encode() if isinstance(body, str) else body,
        )
        with suppress(HTTPMessageSignaturesException):  # what is signed is left out
            request.headers.update(self._sign(asked))
        return request


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


class KnownToAll:
    """`reporting.KnownStations`: who has a key here."""

    def __init__(self, enrolled: Enrolled) -> None:
        self._enrolled = enrolled

    def may_report(self, parts: RequiredPorts, request: HttpRequest) -> Proven:
        proven = self._enrolled.verify(parts, request)
        assert isinstance(proven, Proven)
        return proven


class Served:
    """A service with a card on record, and what is needed to ask it."""

    def __init__(self, folder: Path) -> None:
        self.site, self.port = Site.founded(folder), free_port()
        self.enrolled = Enrolled()
        parts = History(STORIES[0]).world.parts
        parts.registry.run(
            lambda tx: tx.save_station(
                StationRecord(
                    id="kiosk-1",
                    name="kiosk-1",
                    role="self-service",
                    algorithm="ed25519",
                    public_key=b"",
                    enrolled_at=0.0,
                    enrolled_by="ada",
                )
            )
        )
        self.service = Service(
            threads=Threads(lambda: parts, count=1, waiting=8),
            verify=self.enrolled.verify,
            authority_of=LocalAuthority,
            names=frozenset({f"127.0.0.1:{self.port}"}),
            entropy=SystemEntropy(),
            enroll=enroll,
            report=Reports(KnownToAll(self.enrolled)).take,
        )

    def ask(
        self, case: schemathesis.Case[Any], auth: AuthBase | None
    ) -> requests.Response:
        """Ask, and hold the answer against the document."""
        told: dict[str, Any] = {"verify": str(self.site.ca_file), "auth": auth}
        address = f"https://127.0.0.1:{self.port}"
        answer = case.call(base_url=address, **told)
        case.validate_response(answer, checks=CHECKS, transport_kwargs=told)
        return answer  # type: ignore[return-value]  # schemathesis wraps it


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(tmp_path_factory.mktemp("served"))
    app = application(made.service)
    with Serving(app, made.site.listening(made.port)):
        yield made
    made.service.threads.close()


@FOR_A_STATION.parametrize()
@EXAMPLES
def test_a_station_is_answered_as_the_document_says(
    case: schemathesis.Case[Any], served: Served
) -> None:
    served.ask(case, Signed(served.enrolled))


@FOR_NOBODY.include(path_regex="^/v1/visit/").parametrize()
@EXAMPLES
def test_nobody_is_answered_nothing(
    case: schemathesis.Case[Any], served: Served
) -> None:
    answer = served.ask(case, None)
    assert answer.status_code >= 400
