"""A run that is stopped, or broken, at any moment loses no answer that had arrived.

The long form, with more videos and moments, is `benchmarks/interruptions.py`.
"""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from gemini_double import TEST_KEY, Fault, GeminiDouble, Settings
from sample_videos import many_videos
from workflow.conftest import SUMMARY, Project
from workflow.interruptions import (
    WAYS,
    calls_begun,
    ctrl_c,
    gateways,
    interrupt_and_go_on,
    kill_gateway,
    left_over,
    wait_until,
)

VIDEOS = 6


@pytest.fixture
def double() -> Iterator[GeminiDouble]:
    with GeminiDouble(Settings(latency=1.0)) as service:
        yield service


@pytest.fixture
def project(double: GeminiDouble, tmp_path: Path) -> Project:
    many_videos(tmp_path / "project/videos", VIDEOS)
    key = {"GEMINI_API_KEY": TEST_KEY, "GOOGLE_GEMINI_BASE_URL": double.url}
    return Project(tmp_path / "project", dict(SUMMARY), key)


@pytest.mark.parametrize("answers", [0, 3])
@pytest.mark.parametrize("way", WAYS)
def test_after_an_interruption_the_next_run_goes_on_and_buys_nothing_twice(
    project: Project, double: GeminiDouble, way: str, answers: int
) -> None:
    interrupt_and_go_on(project, double, way, answers, cores=3)


def test_ctrl_c_waits_for_what_is_being_paid_for_and_says_so(
    project: Project, double: GeminiDouble
) -> None:
    double.settings.update({"latency": 5.0})
    process = project.start(cores=3)
    wait_until(lambda: calls_begun(project) == 3)
    ctrl_c(process)
    output, _ = process.communicate(timeout=60)
    assert "Waiting for 3 answers that are being paid for" in output
    assert "Traceback" not in output
    assert len(double.ledger.billed()) == 3
    assert left_over(project.folder) == []
    assert project.run(cores=3).code == 0
    assert len(double.ledger.billed()) == VIDEOS


def test_ctrl_c_before_the_first_job_is_told_without_a_traceback(project: Project) -> None:
    links = [f"https://videos.example.org/{number}.mp4" for number in range(3000)]
    (project.folder / "table.txt").write_text("\n".join(links))
    project.config["videos"] = "table.txt"
    process = project.start("--dry-run")
    with process:
        assert process.stdout
        planning = any("Building DAG of jobs" in line for line in process.stdout)
        time.sleep(0.3)  # Snakemake's handler of logs swallows what comes while it says a line
        ctrl_c(process)
        said = process.stdout.read()
    assert process.returncode != 0
    assert planning
    assert said.strip() == "Stopped. Run the same command again: nothing is paid twice."


def test_a_gateway_that_dies_is_started_again_and_the_run_goes_on(
    project: Project, double: GeminiDouble
) -> None:
    process = project.start(cores=3)
    wait_until(lambda: len(double.ledger.billed()) >= 1)
    kill_gateway(process)
    output, _ = process.communicate(timeout=90)
    assert process.returncode == 0, output
    assert "The gateway died (-9) and is started again." in output
    assert project.rows("failures.tsv") == []


def test_two_runs_with_the_same_results_buy_each_answer_once(
    project: Project, double: GeminiDouble
) -> None:
    other = Project(project.folder.parent / "other", dict(project.config), project.environment)
    other.folder.mkdir()
    other.config |= {
        "videos": str(project.folder / "videos"),
        "results": str(project.folder / "results"),
    }
    processes = [each.start(cores=3) for each in (project, other)]
    wait_until(lambda: all(gateways(process.pid) for process in processes))
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert len(double.ledger.billed()) == VIDEOS


def test_without_hooks_each_job_does_the_same_by_itself(
    project: Project, double: GeminiDouble
) -> None:
    double.faults.add(Fault("overloaded", times=1))
    run = project.run("--no-hooks", cores=3)
    assert run.code == 0, run.output
    assert len(double.ledger.billed()) == VIDEOS
    assert project.run(cores=3).had_nothing_to_do


@pytest.mark.parametrize("way", ["Ctrl-C", "SIGTERM", "kill -9 of Snakemake"])
def test_the_tables_say_how_things_stand_after_an_interruption(
    project: Project, double: GeminiDouble, way: str
) -> None:
    double.settings.update({"latency": 0.0})
    double.faults.add(Fault("blocked", nth=2, times=1), Fault("latency", seconds=6.0, nth=4))
    process = project.start(cores=1)
    wait_until(lambda: calls_begun(project) == 4 and _reports(project))
    WAYS[way](process)
    process.communicate(timeout=60)
    wait_until(lambda: not left_over(project.folder))
    if way == "kill -9 of Snakemake":
        assert project.telling("status").code == 0  # in spite of the lock that is left
    rows = project.rows("summary.tsv")
    done = {row["video"] for row in rows if row["status"] == "done"}
    assert done == _reports(project)
    assert Counter(row["status"] for row in rows) == {
        "done": len(done),
        "failed": 1,
        "missing": VIDEOS - 1 - len(done),
    }
    (failure,) = project.rows("failures.tsv")
    assert failure["kind"] == "blocked"
    assert (project.folder / failure["log"]).exists()


def _reports(project: Project) -> set[str]:
    return {path.stem for path in project.results.glob("reports/*/*.md")}
