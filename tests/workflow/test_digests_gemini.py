"""Digests of groups, when Gemini writes about the whole."""

from pathlib import Path

import pytest

from gemini_double import Fault, GeminiDouble
from sample_videos import many_videos
from workflow.conftest import Project, asking


@pytest.fixture
def project(double: GeminiDouble, tmp_path: Path) -> Project:
    many_videos(tmp_path / "project/videos", 2)
    project = asking(double, tmp_path / "project")
    project.config["digest"] = "template"
    return project


def about_all(double: GeminiDouble) -> int:
    """Calls that were billed for no video."""
    return sum(record.video is None for record in double.ledger.billed())


@pytest.mark.traced
def test_what_runs_through_the_reports_is_asked_once(
    project: Project, double: GeminiDouble
) -> None:
    del project.config["digest"]
    assert project.run().code == 0
    for name in ("video-0000", "video-0001"):
        overview = " ".join(project.analysis(name)["overview"].split())
        double.faults.add(Fault("latency", prompt=overview, seconds=0))
    project.config["digest"] = "template"
    assert project.run().jobs == {"build_digest": 1, "export_digest": 1, "build_index": 1}
    assert double.faults.fired("latency") == 2  # one call, with both
    assert about_all(double) == 1
    digest = project.results / "digests/summary_report.md"
    assert "## What runs through them" in digest.read_text(encoding="utf-8")


def test_it_is_not_bought_again_for_another_order_or_without_hooks(
    project: Project, double: GeminiDouble
) -> None:
    names = sorted(path.name for path in (project.folder / "videos").iterdir())
    project.config["videos"] = [f"videos/{name}" for name in names]
    assert project.run().code == 0
    project.config["videos"] = [f"videos/{name}" for name in reversed(names)]
    assert project.run("--no-hooks", "--forcerun", "build_digest").code == 0
    assert about_all(double) == 1


def test_a_digest_that_can_not_be_made_has_failed_and_the_next_run_makes_it(
    project: Project, double: GeminiDouble
) -> None:
    double.faults.add(Fault("max_tokens", prompt="videos that belong together"))
    assert project.run("--retries", "1").code == 1
    assert about_all(double) == 1
    assert len(list(project.results.glob("reports/*/*.md"))) == 2
    (failure,) = project.rows("failures.tsv")
    assert (failure["video"], failure["code"]) == ("summary_report", "answer_truncated")
    double.faults.clear()
    assert project.run().jobs == {"build_digest": 1, "export_digest": 1, "build_index": 1}
    assert project.rows("failures.tsv") == []
