"""`kiosk ca`: an authority is made once, shown, and its key never leaves."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lab.cards.requests import ANN, card

from kiosk import bootstrap
from kiosk.certificates import ca_key
from kiosk.certificates.card_certificates import accounts, read
from kiosk.certificates.local_ca import CannotIssue, Issuer
from kiosk.cli import main
from kiosk.config import Config, load
from kiosk.core.exit_codes import ExitCode
from kiosk.setup.new_station import Layout, create
from storage.vault import Tampered

pytestmark = pytest.mark.slow

NOW = 1_767_261_600.0


class Station:
    """A station whose configuration names where its authority shall be."""

    def __init__(self, folder: Path) -> None:
        layout = Layout.below(folder, folder)
        create(layout, bootstrap.found_registry)
        self.file = layout.config
        self.certificate, self.key = folder / "own-ca.pem", folder / "own-ca.key"
        text = self.file.read_text("utf-8")
        for name, file in (
            ("ca_certificate_file", self.certificate),
            ("ca_key_file", self.key),
        ):
            text = text.replace(f"#{name} = ", f'{name} = "{file}"')
        self.file.write_text(text, "utf-8")

    @property
    def config(self) -> Config:
        return load(self.file)

    def type(self, *words: str) -> int:
        return main([*words, "--config", str(self.file)])

    @property
    def issuer(self) -> Issuer:
        return bootstrap.issuer_of(self.config)


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return Station(tmp_path)


def certifies(station: Station) -> bool:
    request = card().request()
    own = station.issuer
    made = read(own.obtain(request, now=_now()).chain[0])
    made.verify_directly_issued_by(own.certificate)
    return accounts(made) == [ANN.account]


def _now() -> float:
    import time

    return time.time()


def test_an_authority_is_made_with_its_key_in_the_vault(
    station: Station, capsys: pytest.CaptureFixture[str]
) -> None:
    assert station.type("ca", "init", "--name", "Example CA") == ExitCode.OK
    told = capsys.readouterr()
    assert "CN=Example CA" in told.out
    assert "encrypted with the vault's key" in told.out
    for file in (station.certificate, station.key):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert str(file) in told.out
    assert b"PRIVATE KEY" not in station.key.read_bytes()
    assert certifies(station)


def test_its_name_is_cut_to_the_bytes_that_a_name_may_have(station: Station) -> None:
    named = "Ausgabestelle für Ausweise, Außenstelle Göttingen, Gebäude Süd, 3. Stock"
    assert station.type("ca", "init", "--name", named) == ExitCode.OK
    (name,) = station.issuer.certificate.subject
    assert len(str(name.value).encode()) <= 64
    assert named.startswith(str(name.value))
    assert certifies(station)


def test_its_key_can_be_a_private_file_instead(station: Station) -> None:
    assert station.type("ca", "init", "--plain-key") == ExitCode.OK
    assert b"PRIVATE KEY" in station.key.read_bytes()
    assert certifies(station)


def test_it_is_never_overwritten(
    station: Station, capsys: pytest.CaptureFixture[str]
) -> None:
    station.type("ca", "init")
    before = station.certificate.read_bytes(), station.key.read_bytes()
    assert station.type("ca", "init") == ExitCode.FAILED
    assert "never overwritten" in capsys.readouterr().err
    station.certificate.unlink()
    assert station.type("ca", "init") == ExitCode.FAILED
    assert station.key.read_bytes() == before[1]


def test_without_a_place_for_it_the_command_says_what_to_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layout = Layout.below(tmp_path, tmp_path)
    create(layout, bootstrap.found_registry)
    for word in ("init", "show"):
        code = main(["ca", word, "--config", str(layout.config)])
        assert code == ExitCode.USAGE
        assert "enrollment.ca_key_file" in capsys.readouterr().err


def test_it_is_shown_without_its_key(
    station: Station, capsys: pytest.CaptureFixture[str]
) -> None:
    station.type("ca", "init", "--years", "3", "--name", "Example CA")
    capsys.readouterr()
    assert station.type("ca", "show") == ExitCode.OK
    told = capsys.readouterr().out
    own = station.issuer.certificate
    assert f"{own.serial_number:x}" in told
    assert f"{own.not_valid_after_utc:%Y-%m-%d}" in told
    assert station.type("ca", "show", "--pem") == ExitCode.OK
    pem = capsys.readouterr().out
    assert x509.load_pem_x509_certificate(pem.encode()) == own
    assert "PRIVATE" not in told + pem


def test_a_key_that_is_not_its_own_is_told(
    station: Station, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    station.type("ca", "init", "--plain-key")
    (tmp_path / "other").mkdir()
    other = Station(tmp_path / "other")
    other.type("ca", "init", "--plain-key")
    station.key.write_bytes(other.key.read_bytes())
    with pytest.raises(CannotIssue):
        _ = station.issuer
    capsys.readouterr()
    assert station.type("ca", "show") == ExitCode.FAILED
    assert "BEGIN" not in capsys.readouterr().err


def test_an_envelope_opens_only_for_its_own_certificate(
    station: Station, tmp_path: Path
) -> None:
    station.type("ca", "init")
    vault = bootstrap.vault_of(station.config)
    (tmp_path / "other").mkdir()
    other = Station(tmp_path / "other")
    other.type("ca", "init")
    with pytest.raises(Tampered):
        ca_key.read(station.key, other.issuer.certificate, vault)
    with pytest.raises(ca_key.KeyInVault):
        ca_key.read(station.key, station.issuer.certificate, None)


def test_a_new_vault_key_protects_the_authority_too(
    station: Station, capsys: pytest.CaptureFixture[str]
) -> None:
    station.type("ca", "init")
    before = station.key.read_bytes()
    assert station.type("vault", "rotate") == ExitCode.OK
    assert "1 secrets were encrypted" in capsys.readouterr().out
    assert station.key.read_bytes() != before
    lines = station.config.vault.key_file.read_text().splitlines()
    station.config.vault.key_file.write_text(lines[-1] + "\n")
    assert certifies(station), "the old key is no longer needed"


def test_an_authority_with_a_plain_key_is_left_alone_by_a_new_vault_key(
    station: Station,
) -> None:
    station.type("ca", "init", "--plain-key")
    before = station.key.read_bytes()
    assert station.type("vault", "rotate") == ExitCode.OK
    assert station.key.read_bytes() == before


def test_the_certificate_is_one_of_an_authority(station: Station) -> None:
    station.type("ca", "init")
    own = station.issuer.certificate
    assert own.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert own.public_bytes(Encoding.PEM) == station.certificate.read_bytes()
