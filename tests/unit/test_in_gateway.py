"""The thin client: it waits for a gateway that is started again, and else does the job itself."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import in_gateway

Connection = socket.socket


class DoneHereError(Exception):
    """Instead of the program that would take this process's place."""


@pytest.fixture
def listening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    def execv(program: str, arguments: list[str]) -> None:
        raise DoneHereError(*arguments[1:])

    monkeypatch.setattr(os, "execv", execv)
    monkeypatch.setattr(in_gateway, "RESTART_S", 0.5)
    address = tmp_path / "gateway"
    monkeypatch.setenv("REELMAKE_GATEWAY", str(address))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(address))
        server.listen()
        yield server


def serve(server: socket.socket, *replies: Callable[[Connection], None]) -> list[bytes]:
    """Answer one connection after the other; what was asked is listed."""
    asked: list[bytes] = []

    def run() -> None:
        for reply in replies:
            connection, _ = server.accept()
            with connection:
                while part := connection.recv(65536):
                    asked.append(part)
                reply(connection)

    threading.Thread(target=run, daemon=True).start()
    return asked


def dies_after(seconds: float) -> Callable[[Connection], None]:
    def die(_: Connection) -> None:
        time.sleep(seconds)

    return die


def test_what_was_said_is_passed_on(
    listening: socket.socket, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = serve(listening, lambda connection: connection.sendall(b"\1no such video\n"))
    assert in_gateway.main(["render_report", "--target=a b", "--x="]) == 1
    assert b"".join(asked) == b"render_report\0--target=a b\0--x=\0"
    assert capsys.readouterr().err == "no such video\n"


def test_a_job_that_waited_long_still_waits_for_the_gateway_to_come_back(
    listening: socket.socket,
) -> None:
    serve(listening, dies_after(1.0), lambda connection: connection.sendall(b"\0"))
    assert in_gateway.main(["render_report"]) == 0


def test_when_it_does_not_come_back_the_job_is_done_here(listening: socket.socket) -> None:
    listening.close()
    with pytest.raises(DoneHereError, match=r"scripts/render_report\.py.*--x=1"):
        in_gateway.main(["render_report", "--x=1"])


def test_without_a_gateway_the_job_is_done_here(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REELMAKE_GATEWAY")
    with pytest.raises(DoneHereError, match=r"scripts/render_report\.py"):
        in_gateway.main(["render_report"])
