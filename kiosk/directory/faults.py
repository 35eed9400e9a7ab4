"""Ways a domain can fail, as data: for rehearsals, simulation and tests.

A fault waits until the simulated domain meets it, then happens once, unless it is
`DcDown` or `ServiceAccountRefused`, which last until cleared.
"""

from __future__ import annotations

import msgspec


class Fault(msgspec.Struct, frozen=True, kw_only=True, tag_field="fault"):
    """Base of all faults."""


class DcDown(Fault, frozen=True, kw_only=True, tag="dc_down"):
    """A DC does not answer at all; `dc` empty: none does."""

    dc: str = ""


class ServiceAccountRefused(Fault, frozen=True, kw_only=True, tag="service_refused"):
    """The service account cannot sign in."""

    reason: str = "wrong_password"


class TlsWrong(Fault, frozen=True, kw_only=True, tag="tls_wrong"):
    """The server's certificate does not convince."""

    reason: str = "expired"


class Frozen(Fault, frozen=True, kw_only=True, tag="frozen"):
    """The next write gets no answer; `applied`: it happened all the same."""

    applied: bool = False


class WriteNo(Fault, frozen=True, kw_only=True, tag="write_refused"):
    """The next write is refused; `why` is a value of `WriteRefusal`."""

    why: str = "policy"


class BindSays(Fault, frozen=True, kw_only=True, tag="bind_says"):
    """The next verifying bind answers this; a value of `BindResult`."""

    result: str = "wrong_password"


class PolicyHidden(Fault, frozen=True, kw_only=True, tag="policy_hidden"):
    """Fine-grained policies may not be read."""


AnyFault = (
    DcDown
    | ServiceAccountRefused
    | TlsWrong
    | Frozen
    | WriteNo
    | BindSays
    | PolicyHidden
)
LASTING = (DcDown, ServiceAccountRefused, TlsWrong, PolicyHidden)
