"""The warm process of a run: private, shared by nobody, and not broken by what breaks in it."""

import os
from pathlib import Path

import pytest

from gemini_double import Fault, GeminiDouble
from sample_videos import many_videos
from workflow.conftest import Project, asking
from workflow.interruptions import calls_begun, gateways, processes, wait_until


@pytest.fixture
def project(double: GeminiDouble, tmp_path: Path) -> Project:
    many_videos(tmp_path / "project/videos", 4)
    return asking(double, tmp_path / "project")


def test_waiting_jobs_are_no_processes_and_one_process_holds_the_sdk(
    project: Project, double: GeminiDouble
) -> None:
    double.settings.update({"latency": 3.0})
    process = project.start(cores=2)
    wait_until(lambda: calls_begun(project) == 2)
    children = [line for _, ppid, line in processes() if ppid == process.pid]
    assert len(children) == len(gateways(process.pid)) == 1, children
    # While answers are waited for, the next videos are uploaded, and no more is asked.
    wait_until(lambda: len(double.ledger.uploads()) == 4)
    assert calls_begun(project) == 2
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert double.ledger.peak_in_flight() == 2


@pytest.mark.traced
def test_without_hooks_each_job_is_a_process_of_its_own(
    project: Project, double: GeminiDouble
) -> None:
    # It is told its settings: two segments a video, and then the whole.
    project.config["gemini"] = {"max_attempts": 1, "segment_minutes": 0.2, "segment_overlap_s": 2}
    double.settings.update({"latency": 0.5})
    double.faults.add(Fault("overloaded", times=1))
    run = project.run("--no-hooks", cores=2)
    assert run.code == 1
    assert len(double.ledger.billed()) == 3 * 3 + 1
    assert len(list(project.folder.glob("results/reports/*/*.html"))) == 3
    # On nodes so many calls are in flight as jobs: that is what `gemini_calls` counts.
    assert double.ledger.peak_in_flight() <= 2


def test_the_day_s_requests_are_counted_and_the_rest_is_told_when_to_go_on(
    project: Project, double: GeminiDouble
) -> None:
    project.config["gemini"] = {"rpd": 3}
    assert project.run().code == 1
    assert len(double.ledger.billed()) == 3
    (failure,) = project.rows("failures.tsv")
    assert failure["kind"] == "quota"
    assert "00:00 P" in failure["message"]
    assert project.run().code == 1  # the same day
    assert len(double.ledger.billed()) == 3
    project.config["gemini"] = {"rpd": 4}
    assert project.run().code == 0
    assert len(double.ledger.billed()) == 4


def test_a_run_that_would_cost_more_than_its_budget_does_not_start(
    project: Project, double: GeminiDouble
) -> None:
    project.config["budget_usd"] = 0.001
    run = project.run()
    assert run.code == 1
    assert "`budget_usd: 0.001`" in run.output
    assert "Traceback" not in run.output
    assert double.ledger.uploads() == []
    assert double.ledger.billed() == []


def test_a_run_that_reaches_its_budget_stops_and_goes_on_with_a_larger_one(
    project: Project, double: GeminiDouble
) -> None:
    """Answers that run on to the token limit cost far more than anybody could expect."""
    double.faults.add(Fault("repetition"))
    project.config["budget_usd"] = 0.2
    assert project.run(cores=4).code == 1
    billed = [record.usd for record in double.ledger.billed()]
    assert 0.2 <= sum(billed) <= 0.2 + max(billed)
    assert "budget" in {row["kind"] for row in project.rows("failures.tsv")}
    double.faults.clear()
    project.config["budget_usd"] = 5
    assert project.run(cores=4).code == 0


def test_what_is_in_the_store_needs_no_key_and_no_money(
    project: Project, double: GeminiDouble
) -> None:
    assert project.run().code == 0
    for video in (project.folder / "videos").iterdir():
        os.utime(video)
    double.ledger.clear()
    project.environment["GEMINI_API_KEY"] = ""
    project.config["budget_usd"] = 0
    run = project.run()
    assert run.code == 0, run.output
    assert run.jobs["analyze_video"] == 4
    assert list(double.ledger) == []


def test_a_run_whose_output_nobody_reads_any_more_comes_to_its_end(
    project: Project, double: GeminiDouble
) -> None:
    double.faults.add(Fault("finish", reason="SAFETY", times=1))  # a failure is told at once
    process = project.start(cores=4)
    wait_until(lambda: calls_begun(project) > 0)
    assert process.stdout
    process.stdout.close()
    process.wait(timeout=60)
    assert len(list(project.folder.glob("results/reports/*/*.html"))) == 3
