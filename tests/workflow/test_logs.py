"""Logs: one a job, that keeps all attempts, and one a run, for people or for programs."""

import json
import re
from pathlib import Path

import pytest

from gemini_double import TEST_KEY, Fault, GeminiDouble
from sample_videos import many_videos
from workflow.conftest import Project, asking
from workflow.interruptions import calls_begun, ctrl_c, gateways, kill_gateway, wait_until


@pytest.fixture
def project(double: GeminiDouble, tmp_path: Path) -> Project:
    project = asking(double, tmp_path / "project")
    many_videos(project.folder / "videos", 2)
    return project


def run_logs(project: Project) -> list[str]:
    return [path.read_text() for path in sorted((project.folder / "logs").glob("run-*"))]


def test_a_run_is_told_as_a_whole_and_each_job_with_all_its_attempts(
    project: Project, double: GeminiDouble
) -> None:
    double.faults.add(Fault("overloaded", times=1), Fault("blocked", nth=2, times=1))
    assert project.run(cores=1).code == 1
    (log,) = run_logs(project)
    assert "begins: 2 of 2 reports to make, -j1" in log
    assert '"model":"gemini-3.5-flash-lite"' in log
    assert "try 1 failed, next in" in log
    assert re.search(r"ERROR logs/analyze_video/.*\.log: answer_blocked \(blocked\)", log)
    assert "key 1 of 1: " in log  # the pace
    assert "1 failed" in log
    assert TEST_KEY not in log

    failed = next(row["log"] for row in project.rows("failures.tsv"))
    project.config["gemini"] = {"retry_blocked": True}
    assert project.run().code == 0
    attempts = (project.folder / failed).read_text()
    assert len(re.findall(r"^\d{4}-.* INFO begins: video-000\d ", attempts, re.MULTILINE)) == 2
    assert attempts.index("answer_blocked") < attempts.rindex("begins:")
    assert len(run_logs(project)) == 2

    assert project.run().had_nothing_to_do
    assert project.run("--dry-run").code == 0
    assert project.telling("status").code == 0
    assert len(run_logs(project)) == 2


def test_a_log_for_programs_has_an_object_a_line(project: Project, double: GeminiDouble) -> None:
    project.config["log_format"] = "json"
    double.faults.add(Fault("blocked", times=1))
    assert project.run().code == 1
    (log,) = run_logs(project)
    lines = [json.loads(line) for line in log.splitlines()]
    assert {tuple(line) for line in lines} == {("time", "level", "log", "message")}
    (blocked,) = [line for line in lines if line["level"] == "ERROR"]
    assert blocked["log"] in {row["log"] for row in project.rows("failures.tsv")}


def test_what_interrupts_a_run_is_told(project: Project, double: GeminiDouble) -> None:
    double.settings.update({"latency": 4.0})
    process = project.start()
    wait_until(lambda: calls_begun(project) and gateways(process.pid))
    kill_gateway(process)
    wait_until(lambda: calls_begun(project) > 2)
    ctrl_c(process)
    process.communicate(timeout=60)
    (log,) = run_logs(project)
    assert "the gateway died (-9) and is started again" in log
    assert "SIGINT: no new call begins" in log
    assert "answers that are being paid for" in log


def test_a_key_that_is_left_aside_is_told_and_logged(project: Project) -> None:
    project.environment["GEMINI_API_KEYS"] = f"{TEST_KEY},not-valid-at-all"
    run = project.run()
    assert run.code == 0
    for text in (run.output, *run_logs(project)):
        assert text.count("key 2 of 2 is left aside: 400 INVALID_ARGUMENT") == 1
        assert "not-valid-at-all" not in text
