"""Ways a domain can fail, as data: for rehearsals, simulation and tests.

A fault waits until the simulated domain meets it, then happens once; those in
`LASTING` happen until they are cleared. `dc` narrows a fault to one domain
controller; empty: whichever meets it. In a scenario file:

    fault = { fault = "frozen", applied = true }
"""

from __future__ import annotations

import msgspec


class DomainFault(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="fault",
    forbid_unknown_fields=True,
):
    """Base of all faults."""

    dc: str = ""


class DcDown(DomainFault, frozen=True, kw_only=True, tag="dc_down"):
    """The DC does not answer at all."""


class ServiceAccountRefused(
    DomainFault, frozen=True, kw_only=True, tag="service_refused"
):
    """The service account cannot sign in; `reason` is a value of `BindResult`."""

    reason: str = "wrong_password"


class TlsWrong(DomainFault, frozen=True, kw_only=True, tag="tls_wrong"):
    """The certificate does not convince; `reason` is a value of `WhyNoTrust`."""

    reason: str = "expired"


class Frozen(DomainFault, frozen=True, kw_only=True, tag="frozen"):
    """The next write gets no answer.

    `applied`: it happened all the same. `stays`: nothing is answered afterwards,
    either, until the fault that follows (`DcDown`) is cleared.
    """

    applied: bool = False
    stays: bool = False


class WriteNo(DomainFault, frozen=True, kw_only=True, tag="write_refused"):
    """The next write is refused; `why` is a value of `WriteRefusal`."""

    why: str = "policy"


class BindSays(DomainFault, frozen=True, kw_only=True, tag="bind_says"):
    """The next verifying bind answers this; a value of `BindResult`."""

    result: str = "wrong_password"


class PolicyHidden(DomainFault, frozen=True, kw_only=True, tag="policy_hidden"):
    """Fine-grained policies may not be read."""


class AttributeHidden(DomainFault, frozen=True, kw_only=True, tag="attribute_hidden"):
    """One attribute of accounts may not be read: its name in LDAP."""

    attribute: str = "replPropertyMetaData"


AnyFault = (
    DcDown
    | ServiceAccountRefused
    | TlsWrong
    | Frozen
    | WriteNo
    | BindSays
    | PolicyHidden
    | AttributeHidden
)
LASTING = (DcDown, ServiceAccountRefused, TlsWrong, PolicyHidden, AttributeHidden)
