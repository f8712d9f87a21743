"""The batch tier from the command line: one bill, whatever a run is interrupted by."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gemini_double import TEST_KEY, GeminiDouble, Settings
from sample_videos import BLUE, GREEN, RED
from workflow.conftest import Project, add_video, asking
from workflow.interruptions import WAYS, left_over, wait_until

VIDEOS = {"one": RED, "two": GREEN, "three": BLUE}


@pytest.fixture
def double() -> Iterator[GeminiDouble]:
    with GeminiDouble(Settings(keys={TEST_KEY: "first"}, batch_seconds=1.0)) as service:
        yield service


@pytest.fixture
def project(double: GeminiDouble, tmp_path: Path) -> Project:
    made = asking(double, tmp_path / "project")
    made.config["gemini"] = {"tier": "batch"}
    for name, colour in VIDEOS.items():
        add_video(made, name, colour)
    return made


def test_all_reports_come_of_one_batch_and_a_second_run_has_nothing_to_do(
    project: Project, double: GeminiDouble
) -> None:
    run = project.run(cores=1)
    assert run.code == 0, run.output
    assert "3 of 3 answered" in run.output
    assert "3 answers bought" in run.output
    assert "from the store" not in run.output
    assert len(list(double.batches)) == 1
    assert [record.service_tier for record in double.ledger.billed()] == ["batch"] * 3
    total = sum(float(row["usd"]) for row in project.rows("summary.tsv"))
    assert total == pytest.approx(double.ledger.usd(), rel=1e-3)
    # Another tier makes no report out of date.
    project.config["gemini"] = {"tier": "standard"}
    double.ledger.clear()
    again = project.run()
    assert (again.code, again.had_nothing_to_do) == (0, True), again.output
    assert double.ledger.records() == []


@pytest.mark.parametrize("way", WAYS)
def test_a_run_that_is_interrupted_while_it_waits_is_gone_on_with_by_the_next_one(
    project: Project, double: GeminiDouble, way: str
) -> None:
    double.settings.update({"batch_seconds": 5.0})
    process = project.start(cores=4)
    wait_until(lambda: double.ledger.count("batch_get") > 0)
    WAYS[way](process)
    output, _ = process.communicate(timeout=120)
    wait_until(lambda: not left_over(project.folder))
    if way == "Ctrl-C":
        assert "goes on at Google; the next run picks it up" in output
    if way == "kill -9 of Snakemake":
        project.run("--unlock")
    run = project.run(cores=4)
    assert run.code == 0, run.output
    assert len(list(double.batches)) == 1
    assert [record.service_tier for record in double.ledger.billed()] == ["batch"] * 3
    assert project.rows("failures.tsv") == []


def test_without_hooks_there_is_nobody_to_gather_and_the_fallback_is_asked(
    project: Project, double: GeminiDouble
) -> None:
    run = project.run("--no-hooks", cores=4)
    assert run.code == 0, run.output
    assert [record.service_tier for record in double.ledger.billed()] == ["flex"] * 3


def test_while_a_batch_waits_plan_and_status_tell_of_it(
    project: Project, double: GeminiDouble
) -> None:
    double.settings.update({"batch_seconds": 600.0})
    process = project.start(cores=4)
    wait_until(lambda: double.ledger.count("batch_get") > 0)
    while_running = project.telling("status").output
    WAYS["Ctrl-C"](process)
    process.communicate(timeout=120)
    before = len(double.ledger.records())
    for said in (while_running, project.telling("status").output, project.telling("plan").output):
        text = " ".join(said.split())
        assert ": 3 requests, " in text
        assert "waiting since 2" in text
        assert "expected by 2" in text
    assert len(double.ledger.records()) == before
