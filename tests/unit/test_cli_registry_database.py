"""`kiosk registry` and `kiosk doctor` where the registry is a database."""

from __future__ import annotations

import re
import subprocess
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from lab.desk.typed_commands import Terminal, _terminal  # noqa: F401 - a fixture
from lab.registries import credential, draft, operation
from lab.servers import postgres

from kiosk import bootstrap
from kiosk.bootstrap import PasswordInConfiguration, RegistryElsewhere, database_of
from kiosk.config import load
from kiosk.core.clock import SystemClock
from kiosk.core.exit_codes import ExitCode
from kiosk.doctor import Health
from kiosk.doctor.database import database
from storage import checkpoints
from storage.postgres.facts import DatabaseFacts
from storage.postgres.schema import NEEDS
from storage.postgres_registry import PostgresRegistry

pytestmark = pytest.mark.slow

MANUAL = Path(__file__).parents[2] / "docs" / "postgresql.md"


@pytest.fixture
def shared(terminal: Terminal) -> Terminal:
    """A station whose registry is a database with something in it."""
    conninfo = postgres.server().database()
    terminal.configure("registry", f'postgresql = "{conninfo}"')
    terminal.sign_in("helpdesk")
    registry = bootstrap.registry_of(load(terminal.file), SystemClock())
    registry.run(lambda tx: tx.save_credential(credential()))
    registry.run(lambda tx: tx.save_operation(operation()))
    registry.run(lambda tx: tx.audit(draft()))
    registry.close()
    return terminal


def conninfo(station: Terminal) -> str:
    return load(station.file).registry.postgresql


def test_it_is_looked_at_and_whole(shared: Terminal) -> None:
    code, out, err = shared.type("registry", "info")
    assert code == 0, err
    assert f"tables of version {NEEDS}" in out
    assert "1 in 1 lanes" in out
    assert "checkpoint      none yet" in out
    code, out, err = shared.type("registry", "check")
    assert code == 0, err
    assert "3 records" in out
    code, out, err = shared.type("registry", "compact")
    assert code == 0, err


def test_how_old_the_last_checkpoint_is_is_said(shared: Terminal) -> None:
    config = load(shared.file)
    with closing(database_of(config)) as registry:
        signer, now = bootstrap.vault_of(config).signer(), SystemClock().now()
        registry.run(lambda tx: checkpoints.sign(tx, signer, now - 200_000.0))
    code, out, err = shared.type("registry", "info")
    assert code == 0, err
    assert "checkpoint      1, signed 2 d ago: 20" in out


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE evidence SET document = replace(document, '\"a\"', '\"b\"')",
        "UPDATE evidence SET document = 'nothing'",
        "DELETE FROM evidence",
        "UPDATE credential SET holder_fold = 'bob'",
        "UPDATE credential SET document = '{}'",
        "UPDATE operation SET live_of = NULL",
    ],
)
def test_what_is_damaged_is_named(shared: Terminal, damage: str) -> None:
    registry = PostgresRegistry(conninfo(shared))
    database = registry.place.rpartition("/")[2]
    registry.close()
    postgres.server().ask(damage, database)
    code, _, err = shared.type("registry", "check")
    assert code == 1
    assert damage.split()[damage.startswith("DELETE") + 1] in err


def test_tables_are_made_by_their_owner(terminal: Terminal) -> None:
    empty = postgres.server().conninfo(postgres.server().empty_database())
    code, out, err = terminal.type_bare("registry", "upgrade", empty)
    assert code == 0, err
    assert "step 1" in out
    assert "Goes without" not in err
    code, out, _ = terminal.type_bare("registry", "upgrade", empty)
    assert "nothing" in out
    code, out, _ = terminal.type_bare("registry", "roles", 'ki"osk')
    assert code == 0
    assert 'TO "ki""osk";' in out


def test_what_the_manual_types_makes_a_registry_and_an_account_for_it(
    terminal: Terminal,
) -> None:
    steps = MANUAL.read_text("utf-8").partition("## High availability")[0]
    sql, commands = re.findall(r"^   ```text\n(.*?)^   ```", steps, re.M | re.S)[:2]
    upgrade, roles = (re.findall(r'"(.*?)"', line)[0] for line in commands.splitlines())
    server = postgres.Server()

    def here(told: str) -> str:
        own = told.replace("host=db1,db2,db3", f"host={server.folder}")
        return own.replace("user=postgres", "user=owner")  # the superuser of the tests

    try:
        for statement in sql.split(";")[:-1]:
            server.ask(statement)
        code, _, err = terminal.type_bare("registry", "upgrade", here(upgrade))
        assert code == 0, err
        told = terminal.type_bare("registry", "roles", "pin_kiosk")[1]
        psql = [str(postgres.programs() / "psql"), "-vON_ERROR_STOP=1", here(roles)]
        done = subprocess.run(
            psql, input=told, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        account = server.conninfo("pin_kiosk", "pin_kiosk")
        with closing(PostgresRegistry(account)) as registry:
            registry.run(lambda tx: tx.audit(draft()))
            assert registry.asked("SHOW lock_timeout") == [("3s",)]
    finally:
        server.remove()


def test_a_database_that_cannot_be_opened_is_told_with_its_reason(
    terminal: Terminal,
) -> None:
    nobody = "host=127.0.0.1 port=1 dbname=r user=u password=geheim"
    code, _, said = terminal.type_bare("registry", "upgrade", nobody)
    assert code == ExitCode.FAILED
    assert "postgresql://127.0.0.1:1/r cannot be opened" in said
    assert "Connection refused" in said
    assert "geheim" not in said
    code, _, said = terminal.type_bare("registry", "upgrade", "geheim")
    assert code == ExitCode.FAILED
    assert "no connection string" in said
    assert "geheim" not in said


@pytest.mark.parametrize(
    "string", ["host=db password=geheim", "postgresql://u:geheim@db/r"]
)
def test_a_password_has_no_place_in_a_configuration(
    terminal: Terminal, string: str
) -> None:
    terminal.configure("registry", f'postgresql = "{string}"')
    terminal.sign_in("helpdesk")
    with pytest.raises(PasswordInConfiguration) as refused:
        database_of(load(terminal.file))
    assert "geheim" not in repr(refused.value)


def test_a_backup_of_the_file_is_refused(shared: Terminal) -> None:
    with pytest.raises(RegistryElsewhere):
        bootstrap.places_of(shared.file)


SOUND = DatabaseFacts(
    place="postgresql://db/r",
    version="15.18",
    schema=1,
    size=1,
    events=1,
    lanes=1,
    unsafe="",
    is_alone=False,
    finds_parts=True,
    ahead=0.2,
)


def test_doctor_names_what_a_database_lacks() -> None:
    assert [each.health for each in database(SOUND)] == [Health.OK]
    lacking = {
        "doctor.database_unsafe": replace(SOUND, unsafe="fsync"),
        "doctor.database_alone": replace(SOUND, is_alone=True),
        "doctor.database_clock": replace(SOUND, ahead=-3.0),
        "doctor.database_slow_search": replace(SOUND, finds_parts=False),
    }
    for key, facts in lacking.items():
        assert key in [each.meaning.key for each in database(facts)]


def test_doctor_asks_the_database_itself(shared: Terminal) -> None:
    _, out, _ = shared.type("doctor")
    assert "fsync" in out  # the tests' server is quick, and says so
    assert "one host only" in out


def test_a_registry_is_moved_to_a_database_and_back(terminal: Terminal) -> None:
    terminal.card()
    place, back = postgres.server().database(), str(terminal.folder / "back.journal")
    own = str(terminal.config.registry.path)
    code, out, err = terminal.type(
        "registry", "migrate", "--from", own, "--to", place, "--dry-run"
    )
    assert code == 0, err
    assert "Would move 1 credentials" in out
    for source, target in ((own, place), (place, back)):
        code, out, err = terminal.type(
            "registry", "migrate", "--from", source, "--to", target
        )
        assert code == 0, err
        assert "Moved 1 credentials" in out
    code, _, err = terminal.type(
        "registry", "migrate", "--from", f"{own}.nowhere", "--to", place
    )
    assert code != 0
    assert "nowhere" in err
    code, _, err = terminal.type(
        "registry", "migrate", "--from", own, "--to", f"{place} password=geheim"
    )
    assert code != 0
    assert "geheim" not in err


def test_a_database_that_somebody_works_with_is_not_moved(shared: Terminal) -> None:
    target = shared.folder / "back.journal"
    words = ("registry", "migrate", "--from", conninfo(shared), "--to", str(target))
    with closing(PostgresRegistry(conninfo(shared))) as other:
        ((process,),) = other.asked("SELECT pg_backend_pid()")
        code, out, err = shared.type(*words, "--dry-run")
        assert code == 0, err
        code, out, err = shared.type(*words)
        assert code == ExitCode.USAGE
        assert str(process) in err
        assert not target.exists()
    code, out, err = shared.type(*words)
    assert code == 0, err
    assert "Moved 1 credentials" in out
