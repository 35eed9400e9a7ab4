"""The service's document: what is served is what is kept, and what is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from kiosk.authority.service.openapi import document
from kiosk.authority.wire.calls import CALLS

KEPT = Path(__file__).parents[2] / "docs" / "openapi.json"


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    read: dict[str, Any] = msgspec.json.decode(document())
    return read


def test_the_document_that_is_kept_is_the_one_that_is_served() -> None:
    """Write it anew: `python -m scripts.openapi`."""
    assert KEPT.read_bytes() == document()


def test_every_call_of_the_port_stands_in_it(told: dict[str, Any]) -> None:
    calls = {path.removeprefix("/v1/visit/") for path in told["paths"]}
    assert set(CALLS) <= calls


def test_a_station_that_enrolls_finds_its_form_in_it(told: dict[str, Any]) -> None:
    call = told["paths"]["/v1/enroll"]["post"]
    asked = call["requestBody"]["content"]["application/json"]["schema"]
    assert asked == {"$ref": "#/components/schemas/EnrollCall"}
    schema = told["components"]["schemas"]["EnrollCall"]
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {"token", "algorithm", "public_key", "role"}


def test_every_secret_is_said_to_be_sealed(told: dict[str, Any]) -> None:
    schemas = told["components"]["schemas"]
    secrets = [schemas["PukPlan"]["properties"][it] for it in ("old", "new")]
    secrets.append(schemas["RedeemCall"]["properties"]["code"])
    assert all(it["writeOnly"] for it in secrets)


def test_what_is_asked_for_besides_is_refused(told: dict[str, Any]) -> None:
    body = told["paths"]["/v1/visit/write"]["post"]["requestBody"]
    schema = body["content"]["application/json"]["schema"]
    assert schema["additionalProperties"] is False
    assert told["components"]["schemas"]["WriteCall"]["additionalProperties"] is False


def test_every_reference_leads_somewhere(told: dict[str, Any]) -> None:
    text = document().decode()
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(told["components"]["schemas"])


def test_what_is_no_call_is_open_to_anybody(told: dict[str, Any]) -> None:
    for path in ("/live", "/ready", "/v1/openapi.json"):
        assert told["paths"][path]["get"]["security"] == []
