"""A run is followed: on a terminal, in a pipe, in run.json, and by whoever is notified."""

import json
import os
import pty
import signal
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from gemini_double import Fault, GeminiDouble
from workflow.conftest import Project, add_video, asking
from workflow.interruptions import calls_begun, left_over, wait_until

CANARY = "canary-of-an-address"
CHINESE = "光合作用 第一讲"


@pytest.fixture
def project(double: GeminiDouble, tmp_path: Path) -> Project:
    project = asking(double, tmp_path / "project")
    project.config["gemini"] = {"max_attempts": 2}
    for number, name in enumerate([CHINESE, "second", "third"]):
        add_video(project, name, (number * 60, 90, 90))
    return project


class Receiver(HTTPServer):
    """Takes the notifications of a run."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.taken: list[dict[str, Any]] = []

    @property
    def address(self) -> str:
        return f"json://me:{CANARY}@127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.taken.append(json.loads(self.rfile.read(length)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  its name there
        """Nothing is said."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        yield receiver
        receiver.shutdown()


def record_of(project: Project) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((project.results / "run.json").read_text("utf-8"))
    return content


def test_in_a_pipe_are_plain_lines(project: Project, double: GeminiDouble) -> None:
    double.faults.add(Fault("rate_limited", retry_delay=0.1, times=1))
    double.faults.add(Fault("finish", reason="SAFETY", nth=2, times=1))
    run = project.run(cores=1)
    assert run.code == 1
    assert "\x1b" not in run.output
    for chatter in ("Select jobs", "Error in rule", "in_gateway", "localrule", "Provided cores"):
        assert chatter not in run.output
    assert run.output.count("(blocked): the service stopped the answer: SAFETY") == 1
    assert "/3] " in run.output
    assert "2 of 3 reports are there: 2 built; 1 failed." in run.output
    assert "1 × answer_blocked (blocked): The service refuses this content." in run.output

    record = record_of(project)
    assert record["ending"] == "failures"
    assert record["failures"] == {"blocked": 1}
    gemini = record["gemini"]
    assert (gemini["asked"], gemini["retries"], gemini["rate_limited"]) == (3, 1, 1)
    assert gemini["bought"] == len(double.ledger.billed())
    assert gemini["limit_changes"] >= 1
    assert (
        0
        < gemini["usd"]
        == pytest.approx(sum(record.usd for record in double.ledger.billed()), rel=0.01)
    )

    # The answers are there: another layout finds them in the store.
    (project.results / "reports/summary_report").rename(project.folder / "gone")
    for path in project.results.glob("analyses/summary_report/*.json"):
        path.unlink()
    run = project.run(cores=1)
    assert record_of(project)["gemini"]["found"] == 2
    assert "2 from the store" in run.output
    assert "nothing" not in run.output


def test_a_run_with_nothing_to_do_says_so_and_leaves_the_record(project: Project) -> None:
    assert project.run().code == 0
    before = record_of(project)
    run = project.run()
    assert run.had_nothing_to_do
    assert record_of(project) == before


def test_one_that_is_to_end_before_the_reports_does_not_say_that_they_are_there(
    project: Project,
) -> None:
    run = project.run("--until", "analyze_video")
    assert run.code == 0
    assert "3 of 3 reports are as far as was asked: 3 built." in run.output
    assert run.output.rstrip().endswith(
        "The reports themselves are made by a run without `--until`."
    )
    assert "3 of 3 reports are there: 3 built." in project.run().output


def test_quiet_shows_failures_and_how_it_ended(project: Project, double: GeminiDouble) -> None:
    double.faults.add(Fault("finish", reason="SAFETY", times=1))
    lines = project.run("--quiet").output.splitlines()
    told = [line for line in lines if not line.startswith(("Using workflow", "Assuming"))]
    assert len(told) == 3
    assert told[0].startswith("✗ ")
    assert told[1].startswith("2 of 3 reports are there: 2 built; 1 failed.")


def test_verbose_shows_snakemakes_own_lines_too(project: Project) -> None:
    output = project.run("--printshellcmds").output
    assert "rule analyze_video:" in output
    assert "3 of 3 reports are there" in output


def on_a_terminal(project: Project, *arguments: str) -> tuple["subprocess.Popen[bytes]", int]:
    screen, end = pty.openpty()
    process = subprocess.Popen(
        project.command(*arguments, cores=3),
        cwd=project.folder,
        env={**os.environ, **project.environment, "TERM": "xterm-256color", "COLUMNS": "100"},
        stdin=end,
        stdout=end,
        stderr=end,
        start_new_session=True,
    )
    os.close(end)
    return process, screen


def all_of(screen: int) -> str:
    shown = b""
    try:
        while part := os.read(screen, 65536):
            shown += part
    except OSError:  # its other end is closed
        pass
    os.close(screen)
    return shown.decode(errors="replace")


def test_on_a_terminal_is_one_view(project: Project, double: GeminiDouble) -> None:
    double.settings.update({"latency": 2.0})
    process, screen = on_a_terminal(project)
    shown = all_of(screen)
    assert process.wait() == 0
    assert "of 3 reports" in shown
    assert "3 calls in flight (limit 64)" in shown
    assert f"longest: {CHINESE}" in shown or f", {CHINESE} 00:0" in shown
    assert "3 of 3 reports are there: 3 built." in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")  # the cursor is back


def test_ctrl_c_leaves_a_clean_screen_and_a_record(project: Project, double: GeminiDouble) -> None:
    double.settings.update({"latency": 3.0})
    process, screen = on_a_terminal(project)
    wait_until(lambda: calls_begun(project) == 3)
    os.killpg(process.pid, signal.SIGINT)
    shown = all_of(screen)
    assert process.wait() == 1
    wait_until(lambda: not left_over(project.folder))
    assert "Traceback" not in shown
    assert "0 of 3 reports are there: 0 built; 3 not reached." in shown
    assert "it goes on from here, and nothing is paid twice" in shown
    record = record_of(project)
    assert (record["ending"], record["gemini"]["bought"]) == ("interrupted", 3)
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")


def test_whoever_wants_to_know_is_told_and_the_address_stays_secret(
    project: Project, double: GeminiDouble, receiver: Receiver
) -> None:
    project.config["notify"] = [receiver.address, "env:WHERE", f"json://{CANARY}@127.0.0.1:9"]
    project.environment["WHERE"] = receiver.address
    double.faults.add(Fault("finish", reason="SAFETY", times=1))
    project.run("--dry-run")
    assert receiver.taken == []

    run = project.run("--verbose")
    assert "`notify[2] (json)` did not take the message" in run.output
    assert len(receiver.taken) == 2
    title, message = receiver.taken[0]["title"], receiver.taken[0]["message"]
    assert title.startswith("reelmake: 2 of 3 reports are there: 2 built; 1 failed.")
    assert "answer_blocked (blocked): The service refuses" in message
    assert "USD 0.0" in message
    assert str(project.results / "index.html") in message
    assert CANARY not in run.output
    kept = [path for path in project.folder.rglob("*") if path.is_file()]
    assert [path.name for path in kept if CANARY.encode() in path.read_bytes()] == ["my.yaml"]


def test_a_bad_key_is_told(project: Project, receiver: Receiver) -> None:
    project.environment["GEMINI_API_KEY"] = "wrong"
    project.config["notify"] = [receiver.address]
    run = project.run()
    assert run.code == 1
    assert run.output.count("API key not valid") == 1
    assert record_of(project)["stopped_by"] == "key_invalid"
    (told,) = receiver.taken
    assert told["title"] == "reelmake could not begin"


def test_a_variable_that_is_missing_is_said_before_anything_runs(project: Project) -> None:
    project.config["notify"] = ["env:REELMAKE_NOWHERE"]
    run = project.run("--dry-run")
    assert run.code == 1
    assert "notify[0]: the environment variable REELMAKE_NOWHERE is not set" in run.output


def test_another_logger_of_snakemakes_may_be_asked_for(project: Project) -> None:
    assert "3 of 3 reports are there: 3 built." in project.run("--logger", "rich").output
    assert record_of(project)["reports"]["done"] == 3
