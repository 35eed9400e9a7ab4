"""A process that serves: how it begins, how it is told something new, how it ends."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from lab.servers.fleet import KIOSK
from lab.servers.serving import Authority, end, is_listening, until

from kiosk.authority.client.line import trusting
from kiosk.cli.typed import NoTerminal
from kiosk.core.errors import Message
from kiosk.texts import sentence

BODY = b'{"key":"k1","request":{"operation":"none"}}'


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


class Asked:
    """One kept connection to it."""

    def __init__(self, authority: Authority, port: int = 0) -> None:
        self._port = port or authority.ports[0]
        self._connection = http.client.HTTPSConnection(
            "127.0.0.1",
            self._port,
            context=trusting(authority.site.ca_file),
            timeout=30,
        )

    def __enter__(self) -> Asked:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def call(self, name: str = "", **headers: str) -> tuple[int, str]:
        given = {
            "host": name or f"127.0.0.1:{self._port}",
            "content-type": "application/json",
            "idempotency-key": "k1",
            "x-test-station": "kiosk-1",
            **{key.replace("_", "-"): value for key, value in headers.items()},
        }
        self._connection.request("POST", "/v1/visit/outcome", BODY, given)
        return self._answer()

    def look(self, path: str) -> tuple[int, str]:
        self._connection.request("GET", path)
        return self._answer()

    def _answer(self) -> tuple[int, str]:
        response = self._connection.getresponse()
        response.read()
        return response.status, response.headers.get("connection", "")

    def shown(self) -> int:
        """The serial number of the certificate that it shows."""
        if self._connection.sock is None:
            self._connection.connect()
        sock = self._connection.sock
        assert isinstance(sock, ssl.SSLSocket)
        der = sock.getpeercert(binary_form=True)
        assert der is not None
        return x509.load_der_x509_certificate(der).serial_number


def is_ready(authority: Authority, port: int = 0) -> bool:
    try:
        with Asked(authority, port) as asked:
            return asked.look("/ready")[0] == 200
    except OSError:
        return False


@pytest.fixture
def serving(authority: Authority) -> Iterator[subprocess.Popen[bytes]]:
    with authority.process() as process:
        until(lambda: is_ready(authority))
        yield process


def test_it_serves_and_ends(
    authority: Authority, serving: subprocess.Popen[bytes]
) -> None:
    with Asked(authority) as asked:
        assert asked.call() == (404, "")
    assert end(serving) == 0
    assert not is_ready(authority)


def test_what_is_under_way_is_answered_before_it_ends(
    authority: Authority, serving: subprocess.Popen[bytes]
) -> None:
    go_on = authority.folder / "go on"
    answers: list[tuple[int, str]] = []

    def ask() -> None:
        with Asked(authority) as asked:
            answers.append(asked.call(x_test_hold=str(go_on)))

    asking = threading.Thread(target=ask)
    asking.start()
    until(Path(f"{go_on}.held").exists)
    serving.send_signal(signal.SIGTERM)
    until(lambda: not is_ready(authority))
    assert serving.poll() is None
    go_on.touch()
    asking.join(30)
    assert answers == [(404, "close")]
    assert serving.wait(30) == 0


def test_a_slow_client_does_not_keep_it_from_ending(
    authority: Authority, serving: subprocess.Popen[bytes]
) -> None:
    plain = socket.create_connection(("127.0.0.1", authority.ports[0]))
    context = trusting(authority.site.ca_file)
    with context.wrap_socket(plain, server_hostname="127.0.0.1") as line:
        line.sendall(b"POST /v1/visit/outcome HTTP/1.1\r\ncontent-length: 40\r\n")
        assert end(serving) == 0


def test_while_a_balancer_has_not_noticed_it_answers(tmp_path: Path) -> None:
    authority = Authority(tmp_path, drain=2.0)
    with authority.process() as process:
        until(lambda: is_ready(authority))
        process.send_signal(signal.SIGTERM)
        until(lambda: not is_ready(authority))
        with Asked(authority) as asked:
            assert asked.call() == (404, "close")
        assert process.wait(30) == 0


def test_the_service_manager_hears_how_it_stands(
    authority: Authority, tmp_path: Path
) -> None:
    heard: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        place = str(tmp_path / "notify")
        manager.bind(place)
        manager.settimeout(30)
        told = {"NOTIFY_SOCKET": place, "WATCHDOG_USEC": "100000"}
        with authority.process(environment=told) as process:
            while "READY=1" not in heard or heard.count("WATCHDOG=1") < 3:
                heard.append(manager.recv(4096).decode())
            assert is_ready(authority), "said so before it was true"
            process.send_signal(signal.SIGTERM)
            while heard[-1] != "STOPPING=1":
                heard.append(manager.recv(4096).decode())
            assert process.wait(30) == 0


def test_a_new_certificate_is_shown_without_a_restart(
    authority: Authority, serving: subprocess.Popen[bytes]
) -> None:
    with Asked(authority) as before:
        old = before.shown()
        assert before.call()[0] == 404
        authority.configure()
        serving.send_signal(signal.SIGHUP)

        def is_new() -> bool:
            with Asked(authority) as asked:
                return asked.shown() != old

        until(is_new)
    with Asked(authority) as after:
        assert after.call()[0] == 404
    assert end(serving) == 0


def test_what_the_configuration_says_anew_counts_at_once(
    authority: Authority, serving: subprocess.Popen[bytes]
) -> None:
    with Asked(authority) as asked:
        assert asked.call("kiosk.example.org")[0] == 400
    authority.configure("kiosk.example.org")
    serving.send_signal(signal.SIGHUP)
    until(lambda: "service.reloaded" in authority.log)
    with Asked(authority) as asked:
        assert asked.call("kiosk.example.org")[0] == 404


SPOILED: dict[str, Callable[[Authority], object]] = {
    "no TOML": lambda it: it.config.write_text("[station\n"),
    "a key that means nothing": lambda it: it.config.write_text(
        it.config.read_text().replace("drain_seconds", "drain")
    ),
    "a certificate that is not there": lambda it: it.site.listening(
        it.ports[0]
    ).certificate_file.unlink(),
    "a key that others can read": lambda it: it.site.listening(
        it.ports[0]
    ).key_file.chmod(0o644),
    "a certificate of another key": lambda it: it.site.listening(
        it.ports[0]
    ).certificate_file.write_bytes(it.site.authority.pem),
    "a home of nobody": lambda it: it.config.write_text(
        re.sub('(?m)^folder = ".*"$', 'folder = "~no-such/x"', it.config.read_text())
    ),
    "no vault": lambda it: (it.folder / "vault.key").unlink(),
}


@pytest.mark.parametrize("how", SPOILED)
def test_what_is_wrong_with_it_leaves_all_as_it_was(
    authority: Authority, serving: subprocess.Popen[bytes], how: str
) -> None:
    SPOILED[how](authority)
    serving.send_signal(signal.SIGHUP)
    until(lambda: "service.reload_refused" in authority.log)
    with Asked(authority) as asked:
        assert asked.call()[0] == 404
    assert serving.poll() is None
    assert end(serving) == 0


def test_it_begins_without_its_store_and_is_ready_when_that_is_back(
    authority: Authority,
) -> None:
    lock = authority.folder / "registry.journal.lock"
    lock.unlink(missing_ok=True)
    lock.mkdir()  # nobody can take it
    with authority.process():
        until(lambda: _is_alive(authority))
        assert not is_ready(authority)
        lock.rmdir()
        until(lambda: is_ready(authority))


def _is_alive(authority: Authority) -> bool:
    try:
        with Asked(authority) as asked:
            return asked.look("/live")[0] == 200
    except OSError:
        return False


def test_a_port_that_is_taken_is_said(authority: Authority) -> None:
    taken = socket.create_server(("127.0.0.1", authority.ports[0]))
    with taken, authority.process() as process:
        _, said = process.communicate(timeout=30)
    assert process.returncode != 0
    assert b"ListenUnusable" in said


def test_one_that_cannot_listen_does_not_say_that_it_serves(
    authority: Authority,
) -> None:
    """Another is at its port."""
    port = authority.ports[0]
    with authority.process():
        until(lambda: is_listening(port))
        done = subprocess.run(
            [KIOSK, "serve", "--config", str(authority.config), "--port", str(port)],
            capture_output=True,
            text=True,
        )
    assert done.returncode == 1
    assert done.stdout == ""
    assert "cannot be listened at" in done.stderr


def test_it_ends_without_taking_the_interpreter_apart(authority: Authority) -> None:
    """The server's own threads may still want it then, and abort the process."""
    taken_apart = authority.folder / "taken-apart"
    (authority.folder / "sitecustomize.py").write_text(
        "import atexit, pathlib\n"
        f"atexit.register(pathlib.Path({str(taken_apart)!r}).touch)"
    )
    port = authority.ports[0]
    own = {**os.environ, "PYTHONPATH": str(authority.folder)}
    kiosk = [sys.executable, "-m", "kiosk"]
    typed = [*kiosk, "serve", "--config", str(authority.config), "--port", str(port)]
    with subprocess.Popen(typed, env=own, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert b"Serving" in process.stdout.readline()
        assert end(process) == 0
    assert not taken_apart.exists()
    subprocess.run([*kiosk, "--version"], env=own, check=True)
    assert taken_apart.exists(), "nothing would have told"


def test_a_token_is_not_called_a_pin_where_there_is_no_terminal() -> None:
    assert "token" in sentence(Message(NoTerminal.code))
