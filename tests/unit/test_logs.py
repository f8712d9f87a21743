"""Lines of logs: without secrets, whatever they quote, and readable by whom they are for."""

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reelmake.logs import RUN_LOG, begin_run_log, logging_to, show_warnings

KEY = "not-a-key-of-anybody"
HOSTILE = [
    'the service said "https://host/v1beta/files/abc" twice',
    'a \\ before upload_id=abc\\" and after',
    f"it quoted {KEY}",
    "讲座\udcff.mp4 can't be read",
    "two\nlines",
]

IDS = ["address", "backslash", "key", "no text", "two lines"]

log = logging.getLogger("reelmake.anything")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    package = logging.getLogger("reelmake")
    before, level = package.handlers[:], package.level
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    monkeypatch.setenv(RUN_LOG, "")
    yield tmp_path
    package.handlers, package.level = before, level
    os.environ.pop(RUN_LOG, None)


def warn(message: str) -> None:
    """Say it past pytest, whose processes can't tell each other of what is no text."""
    record = logging.LogRecord(log.name, logging.WARNING, __file__, 1, "%s", (message,), None)
    for handler in logging.getLogger("reelmake").handlers:
        handler.handle(record)


def run_log() -> str:
    (path,) = Path("logs").glob("run-*")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("message", HOSTILE, ids=IDS)
def test_every_line_for_programs_is_json_without_secrets(
    message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    begin_run_log("json")
    warn(message)
    (line,) = run_log().splitlines()
    said = json.loads(line)["message"]
    assert said == message or ("***" in said and KEY not in said and "abc" not in said)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("message", HOSTILE, ids=IDS)
def test_whatever_a_name_is_made_of_its_line_is_in_both_logs(
    message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    begin_run_log("text")
    with logging_to(Path("logs/job.log")):
        warn(message)
    for text in (run_log(), Path("logs/job.log").read_text(encoding="utf-8")):
        assert text.count(" WARNING ") == 1
        assert KEY not in text
    assert capsys.readouterr().err == ""


def test_only_what_belongs_to_no_job_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    show_warnings()
    begin_run_log("text")
    log.warning("key 2 is left aside, and %s", KEY)
    log.info("nothing to worry about")
    with logging_to(Path("logs/job.log")):
        log.warning("try 1 failed")
    assert capsys.readouterr().err == "key 2 is left aside, and ***\n"
    assert "key 2 is left aside" in run_log()


def test_a_log_that_nobody_writes_to_is_not_there() -> None:
    with logging_to(Path("logs/batches.log")):
        pass
    assert list(Path("logs").iterdir()) == []
