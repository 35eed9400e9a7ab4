"""What is told, kept for Prometheus: one registry of figures to a process.

The only importer of prometheus-client. Several processes of an authority are scraped
one by one, each at its own place: a process that ended leaves nothing in a sum.
docs/operations.md says what each figure means and what to do about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from time import time

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from kiosk import __version__
from kiosk.figures.watched import CODES, ENDS, SIGN_INS
from statemachine.operation import Kind

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PARTS = ("authority", "clock", "directory", "reader", "store")
"""What may be missing at a station (`values.StationFault.part`)."""
_NOT_ASKED = float("nan")
"""Neither there nor away: nobody has looked, or there is none at this process."""
_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class PrometheusFigures:
    """`core.figures.Figures`. Any thread."""

    def __init__(self, calls: Iterable[str] = (), results: Iterable[str] = ()) -> None:
        """`calls`, `results`: of which it is told from the beginning that there were
        none, as of all else that is counted by words known before. A count that begins
        with its first event has not risen by it, to whoever asks Prometheus.
        """
        registry = self._registry = CollectorRegistry()
        ProcessCollector(namespace="pin_kiosk", registry=registry)
        self._operations = Counter(
            "pin_kiosk_operations",
            "Operations that ended, by kind and by how.",
            ("kind", "result"),
            registry=registry,
        )
        self._codes = Counter(
            "pin_kiosk_codes",
            "Release and activation codes: issued, redeemed, typed wrong, refused.",
            ("kind", "event"),
            registry=registry,
        )
        self._sign_ins = Counter(
            "pin_kiosk_sign_ins",
            "Operators who signed in, or were not let in.",
            ("result",),
            registry=registry,
        )
        self._calls = Counter(
            "pin_kiosk_calls",
            "Calls of stations, by the code of the problem they were answered with.",
            ("call", "result"),
            registry=registry,
        )
        self._call_seconds = Histogram(
            "pin_kiosk_call_seconds",
            "How long a call of a station took, from its last byte to the answer.",
            ("call",),
            registry=registry,
            buckets=_SECONDS,
        )
        self._inside = Gauge(
            "pin_kiosk_calls_inside",
            "Calls that are worked on or wait for a thread.",
            registry=registry,
        )
        self._store = Histogram(
            "pin_kiosk_store_seconds",
            "How long the registry took to read or to commit.",
            ("step",),
            registry=registry,
            buckets=_SECONDS,
        )
        self._store_errors = Counter(
            "pin_kiosk_store_errors",
            "What the registry said instead.",
            ("step", "code"),
            registry=registry,
        )
        self._store_up = Gauge(
            "pin_kiosk_store_up",
            "1: the registry did what it was asked last; 0: it could not.",
            registry=registry,
        )
        self._directory = Histogram(
            "pin_kiosk_directory_seconds",
            "How long it took to connect to a controller, and the work with it.",
            ("step",),
            registry=registry,
            buckets=_SECONDS,
        )
        self._directory_errors = Counter(
            "pin_kiosk_directory_errors",
            "What the directory said instead.",
            ("step", "code"),
            registry=registry,
        )
        self._directory_up = Gauge(
            "pin_kiosk_directory_up",
            "1: a controller took the service account last; 0: none did.",
            registry=registry,
        )
        self._missing = Gauge(
            "pin_kiosk_part_missing",
            "1: that part of this station is missing now.",
            ("part",),
            registry=registry,
        )
        self._stations = Gauge(
            "pin_kiosk_stations",
            "Stations of the fleet, by how they stand.",
            ("standing",),
            registry=registry,
        )
        self._expires = Gauge(
            "pin_kiosk_certificate_expires_seconds",
            "When the service's certificate ends, seconds since 1970.",
            registry=registry,
        )
        Gauge(
            "pin_kiosk_started_seconds",
            "When this process began, seconds since 1970.",
            registry=registry,
        ).set(time())
        Gauge(
            "pin_kiosk_version",
            "1, with the version of the program.",
            ("version",),
            registry=registry,
        ).labels(__version__).set(1)
        self._begin()
        for call, result in product(calls, results):
            self._calls.labels(call, result)

    def text(self) -> bytes:
        """Return everything as Prometheus reads it. Any thread."""
        return generate_latest(self._registry)

    def _begin(self) -> None:
        """Tell of everything that has not happened yet that it has not."""
        for gauge in (self._store_up, self._directory_up, self._expires):
            gauge.set(_NOT_ASKED)
        for kind in Kind:
            for result in ENDS.values():
                self._operations.labels(kind, result)
        for code in CODES.values():
            self._codes.labels(*code)
        for result in SIGN_INS.values():
            self._sign_ins.labels(result)

    # --- Figures ----------------------------------------------------------------

    def operation_ended(self, kind: str, result: str) -> None:
        self._operations.labels(kind, result).inc()

    def code(self, kind: str, event: str) -> None:
        self._codes.labels(kind, event).inc()

    def signed_in(self, result: str) -> None:
        self._sign_ins.labels(result).inc()

    def asked(self, call: str, result: str, seconds: float) -> None:
        self._calls.labels(call, result).inc()
        self._call_seconds.labels(call).observe(seconds)

    def inside(self, count: int) -> None:
        self._inside.set(count)

    def store(self, step: str, result: str, seconds: float, *, is_up: bool) -> None:
        self._store.labels(step).observe(seconds)
        self._store_up.set(is_up)
        if result != "ok":
            self._store_errors.labels(step, result).inc()

    def directory(self, step: str, result: str, seconds: float, *, is_up: bool) -> None:
        self._directory.labels(step).observe(seconds)
        if step == "connect" or not is_up:
            self._directory_up.set(is_up)
        if result != "ok":
            self._directory_errors.labels(step, result).inc()

    def health(self, missing: Iterable[str]) -> None:
        gone = frozenset(missing)
        for part in PARTS:
            self._missing.labels(part).set(part in gone)

    def stations(self, counts: Mapping[str, int]) -> None:
        for standing, count in counts.items():
            self._stations.labels(standing).set(count)

    def certificate_expires(self, at: float) -> None:
        self._expires.set(at)
