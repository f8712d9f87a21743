"""Runs that are interrupted at random moments, again and again, until all reports are there."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from gemini_double import GeminiDouble
from workflow.conftest import ROOT, Project
from workflow.interruptions import WAYS, bought_again, left_over, wait_until

KILLS = ("kill -9 of Snakemake", "kill -9 of the gateway")


@dataclass
class Soak:
    """What was done to the runs, and what it cost."""

    interruptions: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    reports: int = 0
    billed: int = 0
    lost: int = 0
    """Answers that were on their way to a gateway that was killed, and so billed once more."""
    seconds: float = 0.0

    def __add__(self, other: "Soak") -> "Soak":
        return Soak(
            self.interruptions + other.interruptions,
            *(
                getattr(self, name) + getattr(other, name)
                for name in ("runs", "reports", "billed", "lost", "seconds")
            ),
        )


def soak(
    project: Project,
    double: GeminiDouble,
    chosen: Random,
    *,
    interruptions: int,
    longest_s: float,
    cores: int,
) -> Soak:
    """Interrupt and go on, at most so often, until all is there; then look at the bill.

    Half of the moments are counted from the start, the others from an answer, amid the calls.

    The gateway's death does not end a run, so the next moment may strike the same one.
    """
    done = Soak()
    began = time.monotonic()
    killed_at: list[float] = []
    process: subprocess.Popen[str] | None = None
    while done.interruptions.total() < interruptions:
        if process is None:
            process = project.start(cores=cores)
            done.runs += 1
        way = chosen.choice(list(WAYS))
        answers = chosen.choice([0, chosen.randint(1, 2 * cores)])
        moment_s = chosen.uniform(0.0, 1.0 if answers else longest_s)
        if _ends_before(process, double, answers, moment_s):
            if _ended(project, process, done) == 0:
                break
            process = None
            continue
        WAYS[way](process)
        done.interruptions[way] += 1
        sys.stderr.write(
            f"{done.interruptions.total()}: {way} after {answers} answers and {moment_s:.2f} s\n"
        )
        if way == "kill -9 of the gateway":
            killed_at.append(time.monotonic())
            continue
        _ended(project, process, done)
        process = None
        if way in KILLS:
            project.run("--unlock")
    _go_on_to_the_end(project, process, done, cores)
    _check(project, double, killed_at, done)
    done.seconds = time.monotonic() - began
    return done


def _ends_before(
    process: "subprocess.Popen[str]", double: GeminiDouble, answers: int, seconds: float
) -> bool:
    """Whether the run ends before so many more answers and then so many seconds."""
    wanted = double.ledger.sent() + answers
    wait_until(lambda: double.ledger.sent() >= wanted or process.poll() is not None, 120)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.01)
    return process.poll() is not None


def _ended(project: Project, process: "subprocess.Popen[str]", done: Soak) -> int:
    """Its exit code, once no process of it is left."""
    output, _ = process.communicate(timeout=120)
    # Python's own, when Ctrl-C strikes while Snakemake is imported; none of ours.
    assert f"{ROOT / 'scripts'}" not in output, output
    wait_until(lambda: not left_over(project.folder))
    return process.returncode


def _go_on_to_the_end(
    project: Project, process: "subprocess.Popen[str] | None", done: Soak, cores: int
) -> None:
    if process is not None:
        _ended(project, process, done)
    run = project.run(cores=cores)
    done.runs += 1
    assert run.code == 0, run.output
    assert project.run(cores=cores).had_nothing_to_do
    assert left_over(project.folder) == []


def _check(project: Project, double: GeminiDouble, killed_at: Sequence[float], done: Soak) -> None:
    videos = {path.stem for path in (project.folder / "videos").iterdir()}
    assert {row["video"] for row in project.rows("summary.tsv")} == videos
    assert all(row["status"] == "done" for row in project.rows("summary.tsv"))
    assert project.rows("failures.tsv") == []
    for name in videos:
        assert project.report(name).read_text(encoding="utf-8").startswith("---\n")
        assert project.analysis(name)["finish_reason"] == "STOP"
    assert bought_again(double, killed_at) == []
    done.reports = len(videos)
    done.billed = len(double.ledger.billed())
    done.lost = done.billed - len(videos)
    if not killed_at:
        assert done.lost == 0
