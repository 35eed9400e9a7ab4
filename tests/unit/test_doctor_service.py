"""What serves a fleet is looked at before its stations refuse it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from lab.servers.served import write_pair
from lab.servers.tls_servers import Wish, issue
from msgspec.structs import replace

from kiosk import bootstrap
from kiosk.config import Config, load
from kiosk.config.sections.fleet import ServiceSettings
from kiosk.doctor import Finding, Health, examine, service
from kiosk.doctor.station import checks_of
from kiosk.setup.new_station import Layout, create
from kiosk.texts import sentence

NAMES = ("kiosk.example.org:8443", "192.0.2.7")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    layout = Layout.below(tmp_path, tmp_path)
    create(layout, bootstrap.found_registry)
    return load(layout.config)


def served(
    config: Config, folder: Path, wish: Wish, names: Sequence[str] = NAMES
) -> Config:
    """Return it with a certificate for the service, signed by another authority."""
    made = issue(wish, issue(Wish(is_authority=True, common_name="site")))
    certificate, key = write_pair(folder, made, "service")
    told = ServiceSettings(
        names=tuple(names), certificate_file=certificate, key_file=key
    )
    return replace(config, service=told)


def found(config: Config) -> list[Finding]:
    """Return what the doctor says of the service."""
    checks = [each for each in checks_of(config) if each[0] == service.PART]
    findings = list(examine(checks))
    assert all(sentence(each.meaning) for each in findings)
    assert all(each.advice is None or sentence(each.advice) for each in findings)
    return findings


GOOD = Wish(names=("kiosk.example.org",), addresses=("192.0.2.7",), ends=90)


def test_a_certificate_for_every_name_that_lasts_is_good(
    config: Config, tmp_path: Path
) -> None:
    said = found(served(config, tmp_path, GOOD))
    assert [each.health for each in said] == [Health.OK, Health.OK]
    assert said[0].meaning.data["names"] == ", ".join(NAMES)


def test_a_machine_that_serves_nobody_is_not_asked(config: Config) -> None:
    assert found(config) == []


def test_each_name_that_it_does_not_stand_for_is_told(
    config: Config, tmp_path: Path
) -> None:
    names = (*NAMES, "other.example.org", "192.0.2.8", "[2001:db8::1]:8443")
    first, _ = found(served(config, tmp_path, GOOD, names))
    assert first.health is Health.FAIL
    assert first.meaning.data["names"] == ", ".join(names[2:])


def test_without_names_it_must_stand_for_where_it_listens(
    config: Config, tmp_path: Path
) -> None:
    first, _ = found(served(config, tmp_path, GOOD, ()))
    assert first.meaning.data["names"] == "127.0.0.1:8443"


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        (dataclasses.replace(GOOD, begins=-9, ends=-1), "expired"),
        (dataclasses.replace(GOOD, begins=2), "not yet valid"),
        (
            dataclasses.replace(GOOD, purposes=[ExtendedKeyUsageOID.CLIENT_AUTH]),
            "purpose",
        ),
    ],
)
def test_what_every_station_will_refuse_is_told_with_the_reason(
    config: Config, tmp_path: Path, wish: Wish, why: str
) -> None:
    (said,) = found(served(config, tmp_path, wish))
    assert said.health is Health.FAIL
    assert why in sentence(said.meaning)


def test_its_end_is_announced(config: Config, tmp_path: Path) -> None:
    _, lasts = found(served(config, tmp_path, dataclasses.replace(GOOD, ends=20)))
    assert lasts.health is Health.WARN


def test_a_key_that_others_may_read_and_one_that_is_missing_are_failures(
    config: Config, tmp_path: Path
) -> None:
    told = served(config, tmp_path, GOOD)
    assert told.service.key_file is not None
    told.service.key_file.chmod(0o644)
    assert [each.health for each in found(told)] == [Health.FAIL]
    half = replace(told, service=replace(told.service, key_file=None))
    (said,) = found(half)
    assert said.health is Health.FAIL
    assert "key_file" in sentence(said.meaning)
