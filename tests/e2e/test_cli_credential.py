"""Operators at work on real parts: a card in a real pcscd, a real domain controller."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lab.cards.events import Watch
from lab.cards.judges import opensc
from lab.cards.pcscd import Pcscd
from lab.desk.operators import Office
from lab.domain.samba import LabUser, SambaDomain

from kiosk.authority.office import templates
from kiosk.bootstrap import found_registry
from kiosk.cards.pcsc import PcscMonitor
from kiosk.cards.piv import objects
from kiosk.cards.values import KeySlot
from kiosk.certificates.local_ca import Issuer, new_issuer
from kiosk.certificates.ports import Applicant
from kiosk.core.entropy import SystemEntropy
from kiosk.simulation.cards.factory import make_card
from kiosk.simulation.cards.gids import SimulatedGidsCard
from kiosk.simulation.cards.piv import SimulatedPivCard
from storage.records import CardType, Template, UnblockMethod

pytestmark = [pytest.mark.pcscd, pytest.mark.samba]


@pytest.fixture
def office(tmp_path: Path, samba: SambaDomain, pcscd: Pcscd) -> Office:
    return Office(tmp_path / "station", samba, pcscd.environment)


@pytest.fixture
def ann(samba: SambaDomain) -> LabUser:
    return samba.add_user(display_name="Ann Example")


def shown_code(out: str) -> str:
    """Return what was shown once: the indented line."""
    return next(line.strip() for line in out.splitlines() if line.startswith("    "))


def test_an_officer_issues_a_blank_card_and_sees_its_transport_pin_once(
    office: Office, pcscd: Pcscd, ann: LabUser
) -> None:
    card = SimulatedPivCard(entropy=SystemEntropy())
    pcscd.readers[0].insert(card)
    issued = office.type(
        "credential", "issue", "--account", ann.name, "--template", "staff"
    )
    assert issued.code == 0, issued
    assert card.has_pin(shown_code(issued.out).encode())
    assert not card.has_puk(b"12345678")
    shown = office.type("credential", "show", ann.upn, "--json")
    page = json.loads(shown.out)
    assert page["state"] == "issued"
    assert page["account_guid"] == ann.guid
    assert page["authentication_key"] == "P-256"
    assert page["puk_in_escrow"]
    assert shown_code(issued.out) not in shown.out


def add_template(office: Office, template: Template) -> None:
    folder = office.layout.templates
    (folder / f"{template.name}.toml").write_text(templates.commented(template))
    found_registry(office.config)


def test_an_officer_issues_a_blank_gids_card(
    office: Office, pcscd: Pcscd, ann: LabUser
) -> None:
    methods = (UnblockMethod.ADMIN_KEY_ONLINE,)
    gids = Template(
        name="windows",
        card_type=CardType.GIDS,
        key_algorithm="RSA-2048",
        unblock=methods,
    )
    add_template(office, gids)
    card = SimulatedGidsCard(entropy=SystemEntropy())
    pcscd.readers[0].insert(card)
    issued = office.type(
        "credential", "issue", "--account", ann.name, "--template", "windows"
    )
    assert issued.code == 0, issued
    assert card.is_operational
    assert card.has_pin(shown_code(issued.out).encode())
    page = json.loads(office.type("credential", "show", ann.upn, "--json").out)
    assert page["state"] == "issued"
    assert page["authentication_key"] == "RSA-2048"
    assert page["card"].startswith("gids:cardid:")


def test_an_officer_issues_a_token_with_the_pin_that_it_came_with(
    office: Office, pcscd: Pcscd, ann: LabUser
) -> None:
    """By OpenSC's module, on a card that `gids-tool` has made empty."""
    token = Template(name="token", card_type=CardType.PKCS11, key_algorithm="RSA-2048")
    add_template(office, token)
    office.set("middleware", "module", opensc())
    card = SimulatedGidsCard(entropy=SystemEntropy())
    with Watch(PcscMonitor()) as watch:
        pcscd.readers[0].insert(card)
        watch.card().close()
    initialise = ("gids-tool", "--initialize", "--pin", "271828", "--admin-key")
    done = subprocess.run(
        [*initialise, "11" * 24, "--serial", "02" * 16],
        env=pcscd.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    issued = office.type_at_terminal(
        *("credential", "issue", "--account", ann.name, "--template", "token"),
        prompt="PIN that the token has now",
        answer=b"271828",
    )
    assert issued.code == 0, issued
    assert card.has_pin(shown_code(issued.out).encode())


def test_the_life_of_a_card_from_the_command_line(
    office: Office, pcscd: Pcscd, ann: LabUser
) -> None:
    card = SimulatedPivCard(entropy=SystemEntropy())
    pcscd.readers[0].insert(card)
    words = ("credential", "issue", "--account", ann.name, "--template", "staff")
    assert office.type(*words).code == 0
    for act, state in (
        ("suspend", "suspended"),
        ("resume", "issued"),
        ("revoke", "revoked"),
        ("retire", "retired"),
    ):
        done = office.type("credential", act, ann.upn, "--reason", "a test")
        assert done.code == 0, done
        assert f"now {state}" in done.out
    assert office.type(*words).code == 0, "a retired card can be issued again"
    refused = office.type(*words)
    assert refused.code == 1
    assert "on record already" in refused.err
    verified = office.type("audit", "verify")
    assert verified.code == 0, verified


def test_nobody_acts_on_their_own_card_by_any_name_of_theirs(
    office: Office, pcscd: Pcscd, samba: SambaDomain
) -> None:
    pcscd.readers[0].insert(SimulatedPivCard(entropy=SystemEntropy()))
    for name in (office.operator.name, office.operator.upn.upper()):
        refused = office.type(
            "credential", "issue", "--account", name, "--template", "staff"
        )
        assert refused.code == 1
        assert "Nobody handles their own card." in refused.err


def card_from_elsewhere(folder: Path, holder: LabUser) -> tuple[SimulatedPivCard, Path]:
    """Make a card as another issuer would, and the file of that issuer."""
    certificate, key = new_issuer("Elsewhere", now=time.time())
    anchor = folder / "elsewhere.pem"
    anchor.write_bytes(certificate)
    private = load_pem_private_key(key, password=None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    issuer = Issuer(x509.load_pem_x509_certificate(certificate), private, 30)
    made = make_card(SystemEntropy(), subject="Ann", pin=b"481516", puk=b"12345678")
    person = Applicant(display_name="Ann", account=holder.upn, guid="")
    der = issuer.certify(
        made.authentication.spki,
        person,
        KeySlot.AUTHENTICATION,
        guid=bytes(16),
        now=time.time(),
    )
    made.card.objects[objects.CERTIFICATE_9A] = objects.write_certificate(der)
    return made.card, anchor


def test_a_card_from_elsewhere_is_imported_with_the_pin_its_holder_types(
    office: Office, pcscd: Pcscd, ann: LabUser, tmp_path: Path
) -> None:
    card, anchor = card_from_elsewhere(tmp_path, ann)
    text = office.layout.config.read_text("utf-8")
    office.layout.config.write_text(
        text.replace("#trusted_ca_file = ", f'trusted_ca_file = "{anchor}"'), "utf-8"
    )
    pcscd.readers[0].insert(card)
    done = office.type_at_terminal(
        *("credential", "import", "--account", ann.name, "--template", "staff"),
        prompt="The holder types the card's PIN:",
        answer=b"481516",
    )
    assert done.code == 0, done
    assert "481516" not in done.out
    page = json.loads(office.type("credential", "show", ann.upn, "--json").out)
    assert page["authentication_key"] == "P-256"
    assert page["migrated"] is False


def test_a_sound_station_has_no_failing_line(
    office: Office, pcscd: Pcscd, ann: LabUser
) -> None:
    pcscd.readers[0].insert(SimulatedPivCard(entropy=SystemEntropy()))
    office.type("credential", "issue", "--account", ann.name, "--template", "staff")
    done = office.type("doctor", "--json", "--account", ann.name)
    report = json.loads(done.out)
    states = {finding["part"]: finding["state"] for finding in report["findings"]}
    assert done.code == 0, done.out
    assert report["sound"]
    dc = office.config.directory.dcs[0]
    for part in (
        "card service",
        "reader",
        "card",
        f"directory {dc}",
        f"tls {dc}",
        f"sign-in {dc}",
        f"clock {dc}",
        f"account {ann.name}",
        f"rights {ann.name}",
        "template staff",
        "registry",
        "evidence",
        "escrow",
        "core dumps",
    ):
        assert states[part] == "ok", part


def test_a_wrong_authority_is_found_before_any_password_is_sent(
    office: Office, samba: SambaDomain
) -> None:
    text = office.layout.config.read_text("utf-8")
    office.layout.config.write_text(
        text.replace(str(samba.ca_file), str(samba.foreign_ca_file)), "utf-8"
    )
    done = office.type("doctor", "--json")
    states = {
        finding["part"]: finding["state"]
        for finding in json.loads(done.out)["findings"]
    }
    dc = office.config.directory.dcs[0]
    assert done.code == 1
    assert states[f"tls {dc}"] == "fail"
    assert states[f"sign-in {dc}"] == "unknown"
