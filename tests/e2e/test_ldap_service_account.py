"""The service account: signs in from its file, and is never locked by our trying."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab.domain.samba import LabUser, SambaDomain

from kiosk.core.clock import ManualClock
from kiosk.directory.errors import ServiceBindRefused, ServicePasswordUnreadable
from kiosk.directory.ldap import LdapDirectory
from kiosk.directory.ldap.reluctance import RELUCTANCE_SECONDS

pytestmark = pytest.mark.samba

PASSWORD = "Another-Service-1"


@pytest.fixture
def account(samba: SambaDomain) -> LabUser:
    """An account of this test's own, locked by five wrong passwords."""
    return samba.add_user(password=PASSWORD)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "service.password"
    path.touch(mode=0o600)
    path.write_text(f"{PASSWORD}\n")
    return path


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def directory(
    samba: SambaDomain, account: LabUser, file: Path, clock: ManualClock
) -> LdapDirectory:
    """The same DC twice: what one refuses, the other would refuse again."""
    settings = samba.settings(
        dcs=(samba.address, f"{samba.address}:636"),
        service_account=account.upn,
        password_file=file,
    )
    return LdapDirectory(settings, clock)


def refusal(directory: LdapDirectory) -> ServiceBindRefused:
    with pytest.raises(ServiceBindRefused) as refused, directory.connect():
        pass
    return refused.value


def wrong_tries(samba: SambaDomain, account: LabUser) -> int:
    return int(samba.attribute(account, "badPwdCount"))


def test_it_signs_in_with_the_password_in_its_file(directory: LdapDirectory) -> None:
    with directory.connect():
        pass


def test_a_wrong_password_is_tried_once_however_often_it_is_needed(
    samba: SambaDomain, directory: LdapDirectory, account: LabUser, file: Path
) -> None:
    file.write_text("not the password")
    for _ in range(10):
        assert refusal(directory).data["reason"] == "wrong_password"
    assert wrong_tries(samba, account) == 1


def test_a_new_password_in_the_file_is_tried_at_once(
    directory: LdapDirectory, file: Path
) -> None:
    file.write_text("not the password")
    refusal(directory)
    file.write_text(PASSWORD)
    with directory.connect():
        pass


def test_a_password_that_was_put_right_in_the_domain_is_tried_again_later(
    samba: SambaDomain,
    directory: LdapDirectory,
    account: LabUser,
    file: Path,
    clock: ManualClock,
) -> None:
    file.write_text("Agreed-Later-1")
    refusal(directory)
    samba.set_password_elsewhere(account, "Agreed-Later-1")
    refusal(directory)
    clock.advance(RELUCTANCE_SECONDS)
    with directory.connect():
        pass


def test_each_state_of_the_account_is_told(
    samba: SambaDomain, directory: LdapDirectory, account: LabUser
) -> None:
    samba.must_change(account)
    assert refusal(directory).data["reason"] == "must_change"
    samba.expire(account)
    assert refusal(directory).data["reason"] == "account_expired"
    samba.disable(account)
    assert refusal(directory).data["reason"] == "disabled"
    samba.lock(account)
    assert refusal(directory).data["reason"] == "locked"


@pytest.mark.parametrize(
    ("mode", "content", "reason"),
    [
        (0o644, PASSWORD, "secret_exposed"),
        (0o640, PASSWORD, "secret_exposed"),
        (0o600, "", "secret_empty"),
        (0o600, "\n", "secret_empty"),
        (None, PASSWORD, "secret_unreadable"),
    ],
)
def test_a_password_file_that_is_not_private_and_full_is_not_used(
    directory: LdapDirectory, file: Path, mode: int | None, content: str, reason: str
) -> None:
    file.write_text(content)
    if mode is None:
        file.unlink()
    else:
        file.chmod(mode)
    error = refusal(directory)
    assert isinstance(error, ServicePasswordUnreadable)
    assert error.data["reason"] == reason
    assert error.data["file"] == str(file)
    assert PASSWORD not in f"{error!r} {error} {error.data}"
