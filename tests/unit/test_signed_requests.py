"""A request is a station's, whole and of now, or it is nobody's."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from kiosk.authority.errors import ClocksApart, NotSigned, StationUnknown
from kiosk.authority.stations.keys import (
    Algorithm,
    Ed25519Key,
    StationKey,
    StationPublicKey,
)
from kiosk.authority.stations.request import HttpRequest
from kiosk.authority.stations.signing import WINDOW, Proven, sign, verify
from kiosk.core.clock import ManualClock
from storage.errors import StorePoisoned

pytestmark = pytest.mark.slow

START = 1_767_261_600.0


class TpmLike:
    """`StationKey` on P-256, as a TPM signs."""

    def __init__(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())

    @property
    def public(self) -> StationPublicKey:
        raw = self._private.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return StationPublicKey(algorithm=Algorithm.ECDSA_P256, raw=raw)

    def sign(self, message: bytes) -> bytes:
        der = self._private.sign(message, ec.ECDSA(hashes.SHA256()))
        return b"".join(it.to_bytes(32, "big") for it in decode_dss_signature(der))


KEYS: Mapping[str, StationKey] = {
    "a1": Ed25519Key.made(),
    "b2": Ed25519Key.made(),
    "t3": TpmLike(),
}
CALL = HttpRequest(
    method="POST",
    authority="kiosk.example.org:8443",
    path="/v1/visit/prepare",
    query="",
    headers={"content-type": "application/json", "idempotency-key": "k-1"},
    body=b'{"card":"c"}',
)
LOOK = HttpRequest(
    method="GET",
    authority="kiosk.example.org:8443",
    path="/v1/desk",
    query="of=1",
    headers={"idempotency-key": "k-2"},
    body=b"",
)


def known(station: str) -> StationPublicKey | None:
    return KEYS[station].public if station in KEYS else None


def signed(
    request: HttpRequest = CALL, *, station: str = "a1", by: str = "", late: float = 0
) -> HttpRequest:
    clock = ManualClock(START + late)
    more = sign(request, station=station, key=KEYS[by or station], clock=clock)
    return replace(request, headers={**request.headers, **more})


def judged(request: HttpRequest) -> Proven:
    return verify(request, known, ManualClock(START))


def headed(request: HttpRequest, **headers: str | None) -> HttpRequest:
    """Change headers; None takes one away."""
    told = {**request.headers}
    for word, value in headers.items():
        name = word.replace("_", "-")
        told.pop(name, None)
        if value is not None:
            told[name] = value
    return replace(request, headers=told)


@pytest.mark.parametrize("request_", [CALL, LOOK], ids=["call", "look"])
@pytest.mark.parametrize("station", KEYS)
def test_what_a_station_has_signed_is_its_own(
    station: str, request_: HttpRequest
) -> None:
    assert judged(signed(request_, station=station)).station == station


def digest(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


ALTERED: Mapping[str, Callable[[HttpRequest], HttpRequest]] = {
    "method": lambda it: replace(it, method="PUT"),
    "for whom": lambda it: replace(it, authority="elsewhere.example.org:8443"),
    "port": lambda it: replace(it, authority="kiosk.example.org"),
    "path": lambda it: replace(it, path="/v1/visit/write"),
    "query": lambda it: replace(it, query="x=1"),
    "body": lambda it: replace(it, body=it.body + b" "),
    "body cut": lambda it: replace(it, body=it.body[:-1]),
    "no body": lambda it: replace(it, body=b""),
    "body and digest": lambda it: headed(
        replace(it, body=b"{}"), content_digest=digest(b"{}")
    ),
    "digest": lambda it: headed(it, content_digest=digest(b"{}")),
    "no digest": lambda it: headed(it, content_digest=None),
    "key": lambda it: headed(it, idempotency_key="k-9"),
    "no key": lambda it: headed(it, idempotency_key=None),
    "kind": lambda it: headed(it, content_type="text/plain"),
    "no kind": lambda it: headed(it, content_type=None),
    "no signature": lambda it: headed(it, signature=None),
    "no input": lambda it: headed(it, signature_input=None),
    "neither": lambda it: headed(it, signature=None, signature_input=None),
    "cut": lambda it: headed(it, signature=it.headers["signature"][:-9] + ":"),
    "nothing signed": lambda it: headed(it, signature="station=::"),
    "not even a field": lambda it: headed(it, signature="station=:?"),
    "other name in it": lambda it: headed(
        it, signature_input=it.headers["signature-input"].replace('"a1"', '"b2"')
    ),
    "later": lambda it: headed(
        it,
        signature_input=it.headers["signature-input"].replace(
            f"created={START:.0f}", f"created={START + 1:.0f}"
        ),
    ),
    "other tag": lambda it: headed(
        it, signature_input=it.headers["signature-input"].replace("pin-", "pan-")
    ),
    "a line more": lambda it: headed(it, idempotency_key='k-1\n"@method": GET'),
}


@pytest.mark.parametrize("what", ALTERED)
def test_nothing_that_was_signed_can_be_altered(what: str) -> None:
    altered = ALTERED[what](signed())
    assert altered != signed(), "the test alters nothing"
    with pytest.raises(NotSigned):
        judged(altered)


def test_what_another_key_has_signed_is_not_this_stations() -> None:
    for station in KEYS:
        for by in KEYS.keys() - {station}:
            with pytest.raises(NotSigned):
                judged(signed(station=station, by=by))


COVERED = (
    *("@method", "@authority", "@path", "@query"),
    *("content-digest", "idempotency-key", "content-type"),
)


@pytest.mark.parametrize("without", COVERED)
def test_a_signature_that_covers_less_is_none(
    without: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kiosk.authority.stations import signing

    less = tuple(it for it in COVERED if it != without)
    with monkeypatch.context() as patch:
        patch.setattr(signing, "_covered", lambda _: less)
        loose = signed()
    if without != "content-digest":  # the library adds that one itself
        assert f'"{without}"' not in loose.headers["signature-input"]
        with pytest.raises(NotSigned):
            judged(loose)


def test_a_signature_says_nothing_besides() -> None:
    told = signed().headers["signature-input"]
    more = headed(signed(), signature_input=f'{told};nonce="n"')
    with pytest.raises(NotSigned):
        judged(more)
    twice = signed().headers
    both = headed(
        signed(),
        signature=f"{twice['signature']}, x{twice['signature']}",
        signature_input=f"{twice['signature-input']}, x{twice['signature-input']}",
    )
    with pytest.raises(NotSigned):
        judged(both)


@pytest.mark.parametrize("late", [-WINDOW, -1.0, 0.0, 1.0, WINDOW])
def test_a_clock_that_is_a_little_wrong_does_no_harm(late: float) -> None:
    assert judged(signed(late=late)).signed_at == int(START + late)


@pytest.mark.parametrize("late", [-86_400.0, -WINDOW - 1, WINDOW + 1, 10.0**9])
def test_what_was_signed_at_another_time_says_which(late: float) -> None:
    with pytest.raises(ClocksApart) as caught:
        judged(signed(late=late))
    assert caught.value.data["authority"] == "2026-01-01 10:00:00"
    assert caught.value.data["station"] != caught.value.data["authority"]


def test_a_forged_time_is_no_matter_of_clocks() -> None:
    old = f"created={START - 3600:.0f}"
    told = signed().headers["signature-input"].replace(f"created={START:.0f}", old)
    with pytest.raises(NotSigned):
        judged(headed(signed(), signature_input=told))


def test_a_station_that_nobody_knows_is_named() -> None:
    with pytest.raises(StationUnknown) as caught:
        judged(signed(station="gone", by="a1"))
    assert caught.value.data == {"station": "gone"}


@pytest.mark.parametrize("name", ["", "x" * 65])
def test_what_is_no_name_is_not_looked_for(name: str) -> None:
    with pytest.raises(NotSigned):
        verify(
            signed(station=name, by="a1"),
            lambda _: pytest.fail("it was looked for"),
            ManualClock(START),
        )


def test_a_registry_that_is_away_is_not_a_bad_signature() -> None:
    def away(_: str) -> StationPublicKey | None:
        raise StorePoisoned

    with pytest.raises(StorePoisoned):
        verify(signed(), away, ManualClock(START))


@pytest.mark.parametrize("raw", [b"", b"\0" * 32, b"\4" + b"\1" * 64, b"x" * 31])
@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_key_that_is_none_judges_nothing(algorithm: Algorithm, raw: bytes) -> None:
    key = StationPublicKey(algorithm=algorithm, raw=raw)
    assert not key.has_signed(b"message", b"\0" * 64)
    with pytest.raises(NotSigned):
        verify(signed(), lambda _: key, ManualClock(START))


@given(
    st.dictionaries(
        st.sampled_from(["signature", "signature-input", "content-digest"]),
        st.text(st.characters(codec="latin-1"), max_size=200),
        min_size=1,
    )
)
def test_whatever_stands_in_the_headers_nobody_has_signed_it(
    said: dict[str, str],
) -> None:
    with pytest.raises(NotSigned):
        judged(replace(signed(), headers={**signed().headers, **said}))


@given(st.data())
def test_a_byte_that_is_another_is_seen(data: st.DataObject) -> None:
    good = signed()
    name = data.draw(st.sampled_from(["signature", "signature-input"]))
    told = good.headers[name]
    at = data.draw(st.integers(0, len(told) - 1))
    other = data.draw(st.characters(min_codepoint=32, max_codepoint=126))
    bad = told[:at] + other + told[at + 1 :]
    said = headed(good, **{name.replace("-", "_"): bad})
    try:
        found = judged(said)
    except (NotSigned, StationUnknown):
        return
    assert found == judged(good), "a label, a space or a spare bit: it says the same"
