"""A run that is followed: what it shows, records and tells."""

import io
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from reelmake.config import Config
from reelmake.errors import ReelmakeError
from reelmake.jobs import keep_failure, read_failure
from reelmake.meter import Meter
from reelmake.results import Results
from reelmake.runs.notify import Notifier, Tone
from reelmake.runs.progress import Job, Key
from reelmake.runs.run import Run

LONG = "Introduction to Thermodynamics and Statistical Mechanics, Lecture 07 (hall B)"
NAMES = ["光合作用 第一讲", LONG, "three", "four"]
KEYS: list[Key] = [("t", name) for name in NAMES]


class Told(Notifier):
    """A notifier that only remembers."""

    def __init__(self) -> None:
        super().__init__([])
        self.messages: list[tuple[str, str, str]] = []

    def send(self, title: str, body: str, tone: Tone) -> None:
        self.messages.append((title, body, tone))


class Followed:
    """A run of four reports, and what was seen of it."""

    def __init__(self, root: Path, **options: Any) -> None:
        self.results = Results(root / "results")
        self.told = Told()
        self.output = io.StringIO()
        terminal = options.pop("terminal", False)
        width = options.pop("width", 100)
        jobs = {number: self.job(number, key) for number, key in enumerate(KEYS)}
        jobs[9] = Job("build_index", "build_index", log="logs/build_index.log")
        self.run = Run(
            Config(videos="videos", results=str(self.results.root), **options.pop("config", {})),
            jobs | options.pop("jobs", {}),
            asked=[*KEYS, ("t", "old")],
            cores=4,
            console=Console(file=self.output, force_terminal=terminal, width=width),
            notifier=self.told,
            **options,
        )
        self.run.begin()

    def job(self, number: int, key: Key) -> Job:
        return Job("analyze_video", key[1], (key,), key, log=f"logs/{number}.log")

    def fail(self, number: int, code: str, message: str = "it did not work") -> None:
        self.run.start(number)
        keep_failure(self.results, ReelmakeError(code, message), KEYS[number], f"logs/{number}.log")
        self.run.fail(number)

    def finish(self, *numbers: int) -> None:
        for number in numbers:
            self.run.start(number)
            self.run.finish(number)

    def end(self) -> str:
        self.run.settle()
        self.run.end()
        return self.output.getvalue()

    @property
    def record(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.results.newest_run.read_text(encoding="utf-8"))
        return content


@pytest.fixture
def follow(tmp_path: Path) -> Callable[..., Followed]:
    return lambda **options: Followed(tmp_path, **options)


def test_a_run_that_built_everything(follow: Callable[..., Followed]) -> None:
    run = follow()
    run.results.meter.write_text(
        Meter(bought=3, found=1, lost=1, usd=0.25, asked=3, tries=4).model_dump_json()
    )
    run.finish(0, 1, 2, 3, 9)
    output = run.end()
    assert "[1/4] 光合作用 第一讲\n" in output
    assert "5 of 5 reports are there: 4 built, 1 up to date." in output
    assert "3 answers bought · 1 from the store" in output
    assert "1 lost that may be billed" in output
    assert "USD 0.2500" in output
    assert "1 retry" in output
    assert f"All reports: {run.results.root / 'index.html'}" in output
    assert "\x1b" not in output
    assert run.record["ending"] == "complete"
    assert run.record["gemini"]["bought"] == 3
    ((title, body, tone),) = run.told.messages
    assert (title[:20], tone) == ("reelmake: 5 of 5 rep", "success")
    assert "index.html" in body


def test_a_failure_is_one_line_with_what_to_do_said_once(follow: Callable[..., Followed]) -> None:
    run = follow()
    run.fail(0, "answer_blocked", "the service stopped the answer: SAFETY")
    run.fail(1, "answer_blocked", "the service stopped the answer: RECITATION")
    first, second = run.output.getvalue().splitlines()
    assert first.startswith(
        "✗ 光合作用 第一讲 (blocked): the service stopped the answer: SAFETY → "
    )
    assert second == f"✗ {LONG} (blocked): the service stopped the answer: RECITATION"
    run.finish(2, 3)
    output = run.end()
    assert "2 × answer_blocked (blocked): " in output
    assert "logs/1.log" in output
    assert "unless you set `gemini.retry_blocked: true`" in output
    assert run.record["failures"] == {"blocked": 2}
    assert run.told.messages[-1][2] == "warning"


def test_an_interrupted_run_goes_on_also_when_the_service_refused_something(
    follow: Callable[..., Followed],
) -> None:
    run = follow()
    run.fail(0, "answer_blocked", "the service stopped the answer: SAFETY")
    output = run.end()
    assert "1 failed, 3 not reached" in output
    assert "it goes on from here" in output


def test_a_spent_account_is_told_once_and_at_once(follow: Callable[..., Followed]) -> None:
    run = follow()
    for number in range(3):
        run.fail(number, "quota_per_day", "the requests of the day are spent")
    assert run.output.getvalue().count("the requests of the day are spent") == 1
    assert [title for title, *_ in run.told.messages] == ["reelmake: no more can be asked"]
    run.finish(3)
    output = run.end()
    assert "3 × quota_per_day (quota): the requests of the day are spent\n" in output
    assert "run the same command again after 2" in output
    assert (run.record["ending"], run.record["stopped_by"]) == ("failures", "quota_per_day")
    assert len(run.told.messages) == 2


def test_a_budget_that_is_reached_says_what_to_raise(follow: Callable[..., Followed]) -> None:
    run = follow(config={"budget_usd": 1.0})
    run.fail(0, "budget_reached", "`budget_usd: 1` is reached")
    assert "Raise `budget_usd` and run the same command again" in run.end()


def test_a_run_that_can_not_begin(follow: Callable[..., Followed]) -> None:
    run = follow()
    run.run.refuse(ReelmakeError("key_invalid", "API key not valid"))
    assert "API key not valid" in run.output.getvalue()
    assert (run.record["ending"], run.record["stopped_by"]) == ("refused", "key_invalid")
    assert run.record["reports"]["unfinished"] == 4
    ((_, body, tone),) = run.told.messages
    assert tone == "failure"
    assert "Check GEMINI_API_KEY" in body


def test_what_was_interrupted_has_not_failed(
    follow: Callable[..., Followed], tmp_path: Path
) -> None:
    log = tmp_path / "interrupted.log"
    log.write_text("2026-11-25 10:00:00 ERROR interrupted (transient): the run was stopped\n")
    run = follow(jobs={0: Job("analyze_video", NAMES[0], (KEYS[0],), KEYS[0], str(log))})
    run.finish(1)
    run.run.start(0)
    run.run.fail(0)
    output = run.end()
    assert "✗" not in output
    assert "3 not reached" in output
    assert "it goes on from here" in output
    assert run.record["ending"] == "interrupted"


def test_a_job_that_was_killed_has_a_failure_all_the_same(follow: Callable[..., Followed]) -> None:
    run = follow()
    run.run.start(0)
    run.run.fail(0)
    run.finish(1, 2, 3)
    assert "its job ended before it could say why" in run.end()
    failure = read_failure(run.results.failure(*KEYS[0]))
    assert failure
    assert (failure.code, failure.log) == ("job_killed", "logs/0.log")


def test_a_failure_of_an_earlier_run_is_not_told_again(tmp_path: Path) -> None:
    keep_failure(Results(tmp_path / "results"), ReelmakeError("crashed", "old"), KEYS[0], "old.log")
    record = Results(tmp_path / "results").failure(*KEYS[0])
    os.utime(record, (0, 0))
    run = Followed(tmp_path)
    run.finish(1, 2, 3)
    assert "old" not in run.end()


def test_a_failure_is_told_though_the_clock_was_set_back_meanwhile(
    follow: Callable[..., Followed],
) -> None:
    run = follow()
    run.run.start(0)
    keep_failure(run.results, ReelmakeError("overloaded", "503"), KEYS[0], "0.log")
    os.utime(run.results.failure(*KEYS[0]), (0, 0))
    run.run.fail(0)
    run.finish(1, 2, 3)
    assert "overloaded" in run.end()


def test_a_job_of_no_report_fails(follow: Callable[..., Followed]) -> None:
    run = follow()
    run.finish(0, 1, 2, 3)
    run.run.start(9)
    run.run.fail(9)
    assert "build_index failed: see logs/build_index.log" in run.end()
    assert (run.record["ending"], run.record["other_failures"]) == ("failures", ["build_index"])


def test_quiet_shows_failures_and_how_it_ended(follow: Callable[..., Followed]) -> None:
    run = follow(quiet=True)
    run.finish(0, 1, 2)
    run.fail(3, "overloaded")
    lines = run.end().splitlines()
    assert [line[:9] for line in lines] == ["✗ four (t", "4 of 5 re", "Run the s"]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_terminal_shows_a_view_that_fits(follow: Callable[..., Followed], width: int) -> None:
    run = follow(terminal=True, width=width)
    meter = Meter(usd=0.5, limit=8, in_flight=3, waiting=2)
    run.results.meter.write_text(meter.model_dump_json())
    for number in range(4):
        run.run.start(number)
    run.fail(1, "answer_blocked")
    console = Console(file=io.StringIO(), width=width)
    console.print(run.run._screen._view())  # type: ignore[attr-defined]
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 3
    shown = "\n".join(lines)
    assert "0 of 4 reports, 1 failed" in shown or width == 40
    assert "3 in progress" in shown
    assert "3 calls in flight, 2 waiting (limit 8)" in shown or width == 40
    run.run.settle()
    output = run.output.getvalue()
    assert output.rindex("\x1b[?25h") > output.rindex("\x1b[?25l")  # the cursor is back


def test_names_can_not_steer_a_terminal(follow: Callable[..., Followed]) -> None:
    name = "\x1b[2J[red]evil\r\n\u202e"
    run = follow(jobs={0: Job("analyze_video", name, (("t", name),), ("t", "x"))})
    keep_failure(run.results, ReelmakeError("overloaded", "\x1b[31m503"), ("t", "x"), "x.log")
    run.run.fail(0)
    run.run.tell(f"{name}\x07")
    output = run.output.getvalue()
    assert "[red]evil" in output
    assert not set(output) & {"\x1b", "\r", "\x07", "\u202e"}


def test_lines_of_many_threads_stay_whole(follow: Callable[..., Followed]) -> None:
    run = follow(terminal=True)
    threads = [
        threading.Thread(target=run.run.tell, args=[f"line {number} is whole"])
        for number in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.run.settle()
    for number in range(20):
        assert f"line {number} is whole\n" in run.output.getvalue()


def test_after_a_run_that_was_killed_the_next_one_says_so(tmp_path: Path) -> None:
    Followed(tmp_path).run.settle()
    assert "ended without saying how" in Followed(tmp_path).output.getvalue()
