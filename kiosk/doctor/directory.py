"""Every domain controller by itself: reached, trusted, signed in to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kiosk.authority.rules import effective
from kiosk.directory.ports import (
    Directory,
    DirectoryError,
    ServiceBindRefused,
    TlsRefused,
    Unreachable,
)
from kiosk.doctor import Finding, Health, fail, ok, unknown, warn
from kiosk.errors import Message
from kiosk.pinrules import contradiction
from kiosk.templates import limits_of
from storage.records import Template


def controller(directory: Directory, dc: str) -> Iterator[Finding]:
    """Connect to one domain controller as the kiosk does, and let go."""
    reach, tls, bind = f"directory {dc}", f"tls {dc}", f"sign-in {dc}"
    try:
        with directory.connect(dc):
            pass
    except Unreachable as error:
        yield _refused(reach, error, "unreachable_advice")
        yield unknown(tls, "not_reached")
        yield unknown(bind, "not_reached")
    except TlsRefused as error:
        yield ok(reach, "reached")
        yield _refused(tls, error, "tls_refused_advice")
        yield unknown(bind, "not_trusted")
    except ServiceBindRefused as error:
        yield ok(reach, "reached")
        yield ok(tls, "trusted")
        yield _refused(bind, error, "bind_refused_advice")
    else:
        yield ok(reach, "reached")
        yield ok(tls, "trusted")
        yield ok(bind, "signed_in")


def _refused(part: str, error: DirectoryError, advice: str) -> Finding:
    """Say what it means for an administrator, who can read more than a holder."""
    meaning = error.detail or error.message
    return Finding(part, Health.FAIL, meaning, Message(f"doctor.{advice}"))


def account(
    directory: Directory, name: str, templates: Sequence[Template]
) -> Iterator[Finding]:
    """Look at one account as the kiosk would: found, changeable, its password policy.

    Which templates could ever give it a PIN that the directory takes.
    """
    part = f"account {name}"
    with directory.connect() as dc:
        found = dc.find(name)
        if found.privileged or not found.enabled or found.expired:
            yield warn(part, "account_untouchable")
        else:
            yield ok(part, "account_found")
        policy = dc.password_policy(found)
    yield ok(f"policy {name}", "policy_read", source=policy.source)
    for template in templates:
        if not template.pin_policy.update_ad_password:
            continue
        broken = contradiction(effective(limits_of(template), template, found, policy))
        if broken is not None:
            yield fail(
                f"template {template.name}", f"impossible_{broken}", account=name
            )
        else:
            yield ok(f"template {template.name}", "possible", account=name)
