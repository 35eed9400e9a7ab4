"""The service's document (OpenAPI 3.1), made from the records that are sent.

A call that is added to the port stands in it at once. It is served, and kept in
docs/openapi.json, which a test compares.
"""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

import msgspec

from kiosk.authority.ports import Authority
from kiosk.authority.service.bounds import LARGEST_BODY
from kiosk.authority.service.problems import MEDIA_TYPE, Problem
from kiosk.authority.stations import report_call
from kiosk.authority.stations.enroll_call import PATH, EnrollCall, Enrolled
from kiosk.authority.stations.report_call import ReportCall, Reported
from kiosk.authority.wire.calls import CALLS, Call
from kiosk.core.secret import Secret

Schema = dict[str, Any]
_REFERENCE = "#/components/schemas/{name}"
_PROBLEM = "#/components/responses/Problem"
_JSON = "application/json"
_KEY = {"type": "string", "pattern": "^[!-~]+$", "maxLength": 64}
_DESCRIPTION = (
    "What a station asks its authority, one call for each step of a visit. A change is"
    " open, prepare, authorise, write. The card signs in between: nothing is written"
    " without the signature of the card on record.\n\n"
    "Every call has a key of the station's own making. A call that writes may come"
    " again under its key, here or at another process, and its answer is the same."
)
_SEALED = "A secret, sealed for this one call (HPKE, RFC 9180): never bare."
_SIGNED = (
    "A station's signature over the request (RFC 9421), in the headers Signature-Input"
    " and Signature; Content-Digest (RFC 9530) binds the body to it."
)
_STATUSES = {
    "400": "It does not have its form.",
    "401": "Nobody that is known has signed it.",
    "403": "Whoever signed it may not, or what was to be proven is not.",
    "404": "The card, or the operation, is not on record.",
    "408": "The body did not come in time.",
    "409": "Refused: the reason is in `error`.",
    "413": f"Headers or body are too large ({LARGEST_BODY} bytes).",
    "422": "What was typed is not taken.",
    "429": "Too much was asked or typed at this station; wait.",
    "500": "The authority has a defect; its log has more under the event's number.",
    "502": "The directory is away, or refuses.",
    "503": "Not now: the store is away, or this process is full or about to end.",
}


@cache
def document() -> bytes:
    """Return the document as JSON, the same each time."""
    types: list[Any] = [Problem, EnrollCall, Enrolled, ReportCall, Reported]
    for call in CALLS.values():
        types += [call.request, call.answer]
    schemas, components = msgspec.json.schema_components(
        types, schema_hook=_hook, ref_template=_REFERENCE
    )
    pairs = iter(schemas[5:])
    paths = {
        f"/v1/visit/{name}": {"post": _operation(call, next(pairs), next(pairs))}
        for name, call in CALLS.items()
    }
    text = msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Pin Kiosk: the authority of a fleet",
                "version": "1",
                "description": _DESCRIPTION,
            },
            "security": [{"station": []}],
            "paths": paths
            | {PATH: {"post": _enrolling(schemas[1], schemas[2])}}
            | {report_call.PATH: {"post": _reporting(schemas[3], schemas[4])}}
            | _PLAIN,
            "components": {
                "schemas": components,
                "responses": _problems(),
                "securitySchemes": {
                    "station": {
                        "type": "apiKey",
                        "in": "header",
                        "name": "Signature",
                        "description": _SIGNED,
                    }
                },
            },
        }
    )
    return msgspec.json.format(text, indent=1) + b"\n"


def _operation(call: Call, request: Schema, answer: Schema) -> Schema:
    method = getattr(Authority, call.name)
    said = inspect.getdoc(method) or ""
    summary, _, rest = said.partition("\n\n")
    return {
        "operationId": call.name,
        "summary": " ".join(summary.split()),
        "description": rest,
        "parameters": [_key("As `key` in the body: the same call, the same answer.")],
        **_exchange(_asked(call, request), _answered(answer)),
    }


def _enrolling(request: Schema, answer: Schema) -> Schema:
    """Return the operation by which a station becomes one of the fleet."""
    return {
        "operationId": "enroll",
        "summary": "Make a station one of the fleet, by the token that it was given.",
        "description": "The request is signed with the key that it names. A token"
        " works once, for one station and role; an answer that was lost may be asked"
        " for again with the same token and key.",
        "parameters": [_key("The station's own name for this request.")],
        **_exchange(request, answer),
    }


def _reporting(request: Schema, answer: Schema) -> Schema:
    """Return the operation by which a station says how it is."""
    return {
        "operationId": "report",
        "summary": "Say how this station is.",
        "description": "Its own words, kept beside when it was last heard, shown and"
        " counted; nothing is decided by them. What comes sooner than a third of a"
        " minute after the last one is not kept.",
        "parameters": [_key("The station's own name for this request.")],
        **_exchange(request, answer),
    }


def _key(said: str) -> Schema:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": said,
        "schema": _KEY,
    }


def _exchange(asked: Schema, answered: Schema) -> Schema:
    """Return what is sent, and everything that may be answered."""
    return {
        "requestBody": {"required": True, "content": {_JSON: {"schema": asked}}},
        "responses": {
            "200": {
                "description": "The answer.",
                "content": {_JSON: {"schema": answered}},
            },
            **{status: {"$ref": _PROBLEM + status} for status in _STATUSES},
        },
    }


def _asked(call: Call, request: Schema) -> Schema:
    properties: Schema = {"key": _KEY, "request": request}
    required = ["key", "request"]
    properties["seal_to"] = {
        "type": "string",
        "contentEncoding": "base64",
        "description": "The X25519 key (raw) to which secrets in the answer are sealed;"
        " empty where there can be none.",
    }
    if call.hands_out:
        required.append("seal_to")
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _answered(answer: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {"answer": answer, "error": {"type": "null"}},
        "required": ["answer"],
    }


def _problems() -> Schema:
    content = {MEDIA_TYPE: {"schema": {"$ref": _REFERENCE.format(name="Problem")}}}
    return {
        f"Problem{status}": {"description": said, "content": content}
        for status, said in _STATUSES.items()
    }


def _hook(kind: type) -> Schema:
    if kind is Secret:
        return {
            "type": "string",
            "contentEncoding": "base64",
            "writeOnly": True,
            "description": _SEALED,
        }
    raise NotImplementedError  # a bug: no value of the port is that


def _text(said: str, *statuses: str) -> Schema:
    content = {"text/plain": {"schema": {"type": "string"}}}
    return {
        "get": {
            "summary": said,
            "security": [],
            "responses": {
                status: {"description": said, "content": content} for status in statuses
            },
        }
    }


_PLAIN: Schema = {
    "/v1/openapi.json": {
        "get": {
            "summary": "This document.",
            "security": [],
            "responses": {
                "200": {
                    "description": "This document.",
                    "content": {_JSON: {"schema": {"type": "object"}}},
                }
            },
        }
    },
    "/live": _text("This process hears.", "200"),
    "/ready": _text("This process wants to be asked, or does not.", "200", "503"),
}
