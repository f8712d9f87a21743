"""Telling somebody: real messages over HTTP and SMTP, and services that misbehave."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from reelmake.errors import ReelmakeError
from reelmake.runs.notify import Notifier, addresses

# A library of Apprise's, which is on its way out of Python.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
SCRIPTS = Path(__file__).parents[2] / "scripts"


class Receiver(HTTPServer):
    """Takes what is posted, or refuses it."""

    def __init__(self, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = status
        self.taken: list[dict[str, Any]] = []

    @property
    def address(self) -> str:
        return f"json://user:canary@127.0.0.1:{self.server_port}/canary"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.taken.append(json.loads(self.rfile.read(length)))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  its name there
        """Nothing is said."""


@contextmanager
def receiving(status: int = 200) -> Iterator[Receiver]:
    with Receiver(status) as receiver:
        thread = threading.Thread(target=receiver.serve_forever, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join()


class Mailbox:
    """What a mail server hands over to."""

    def __init__(self) -> None:
        self.mails: list[Message] = []

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: N802
        self.mails.append(message_from_bytes(envelope.content))
        return "250 OK"


def test_a_message_arrives_over_http() -> None:
    with receiving() as receiver:
        notifier = Notifier([receiver.address])
        notifier.send("3 of 4 are there", "1 failed\n光合作用: refused", "warning")
        assert notifier.wait() == []
    (taken,) = receiver.taken
    assert (taken["title"], taken["type"]) == ("3 of 4 are there", "warning")
    assert taken["message"] == "1 failed\n光合作用: refused"


def test_a_message_arrives_as_a_mail() -> None:
    mailbox = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        query = "from=me@example.org&to=you@example.org&mode=insecure&format=text"
        notifier = Notifier([f"mailto://127.0.0.1:{port}?smtp=127.0.0.1&{query}"])
        notifier.send("done", "光合作用", "success")
        assert notifier.wait() == []
    finally:
        controller.stop()
    (mail,) = mailbox.mails
    assert mail["To"] == "you@example.org"
    parts = [part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart()]
    assert "光合作用".encode() in b"".join(part for part in parts if isinstance(part, bytes))


@pytest.mark.parametrize("status", [403, 500])
def test_a_service_that_refuses_is_said_without_its_address(status: int) -> None:
    with receiving(status) as receiver, receiving() as other:
        notifier = Notifier([receiver.address, other.address])
        notifier.send("title", "body", "failure")
        (problem,) = notifier.wait()
    assert "notify[0] (json)" in problem
    assert "canary" not in problem
    assert len(other.taken) == 1


def test_a_service_that_hangs_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"json://canary@127.0.0.1:{silent.getsockname()[1]}"
        notifier = Notifier([address, address], patience_s=0.2)
        notifier.send("title", "body", "success")
        problems = notifier.wait()
    assert len(problems) == 2
    assert all("did not answer" in problem and "canary" not in problem for problem in problems)


@pytest.mark.parametrize("address", ["canary", "nosuch://canary", "json://", "mailto://canary:x@"])
def test_an_address_that_is_none_is_told(
    address: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    notifier = Notifier([address])
    notifier.send("title", "body", "success")
    (problem,) = notifier.wait()
    assert "notify[0]" in problem
    assert "canary" not in problem + "".join(capfd.readouterr()) + caplog.text


def test_addresses_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHERE", "json://canary")
    assert addresses(["env:WHERE", "json://other"]) == ["json://canary", "json://other"]
    monkeypatch.setenv("WHERE", " ")
    with pytest.raises(ReelmakeError) as raised:
        addresses(["json://canary", "env:WHERE", "env:NOWHERE"])
    assert "notify[1]: the environment variable WHERE is not set" in raised.value.message
    assert "notify[2]: the environment variable NOWHERE" in raised.value.message
    assert "canary" not in raised.value.message


@pytest.mark.parametrize("address", ["canary", "nosuch://canary", "json://", "mailto://canary:x@"])
def test_an_address_that_is_none_is_told_before_the_run(
    address: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ReelmakeError) as raised:
        addresses(["json://there", address])
    assert "notify[1]: no service takes such an address" in raised.value.message
    assert "notify[0]" not in raised.value.message
    assert "canary" not in raised.value.message + "".join(capfd.readouterr()) + caplog.text


def test_nobody_to_tell_loads_nothing() -> None:
    program = """
import sys
from reelmake.runs.notify import Notifier
notifier = Notifier([])
notifier.send("title", "body", "success")
assert notifier.wait() == []
assert "apprise" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], cwd=SCRIPTS, check=True)
