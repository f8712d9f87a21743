"""What Snakemake records: little. Where it is lost nothing is made again, and changes are seen."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gemini_double import GeminiDouble
from sample_videos import many_videos
from workflow.conftest import Project, asking


def edit(project: Project, file: str, old: str, new: str) -> None:
    path = project.folder / "templates/summary_report" / file
    path.write_text(path.read_text().replace(old, new, 1))


def edit_prompt(project: Project) -> None:
    edit(project, "prompt.md.j2", "## ", "Be brief.\n\n## ")


def edit_layout(project: Project) -> None:
    edit(project, "report.md.j2", "\n", "\n\nAll of it:\n")


def another_video(project: Project) -> None:
    """One that is older than its report."""
    path = project.folder / "videos/video-0000.mp4"
    shutil.copy2(project.folder / "videos/video-0001.mp4", path)
    with path.open("ab") as video:
        video.write(bytes(8))


def remove_a_video(project: Project) -> None:
    (project.folder / "videos/video-0001.mp4").unlink()


def lose_records(project: Project) -> None:
    shutil.rmtree(project.folder / ".snakemake")


REPORTS_AND_ALL = {"render_report": 2, "build_digest": 1, "export_digest": 1, "build_index": 1}


@pytest.fixture
def project(double: GeminiDouble, tmp_path: Path) -> Project:
    project = asking(double, tmp_path / "project")
    project.config["digest"] = "template"
    many_videos(project.folder / "videos", 2)
    project.own_template("summary_report")
    assert project.run().code == 0
    return project


@pytest.mark.parametrize(
    ("change", "jobs", "bought"),
    [
        (edit_prompt, {"analyze_video": 2, **REPORTS_AND_ALL}, 3),
        (edit_layout, REPORTS_AND_ALL, 0),
        (remove_a_video, {"build_digest": 1, "export_digest": 1, "build_index": 1}, 1),
    ],
)
def test_a_change_afterwards_is_seen(
    project: Project,
    double: GeminiDouble,
    change: Callable[[Project], None],
    jobs: dict[str, int],
    bought: int,
) -> None:
    lose_records(project)
    paid_for = len(double.ledger.billed())
    found = project.run()
    assert (found.code, found.jobs) == (0, {"build_index": 1}), found.output
    assert project.run().had_nothing_to_do
    change(project)
    run = project.run()
    assert (run.code, run.jobs) == (0, jobs), run.output
    assert len(double.ledger.billed()) - paid_for == bought
    assert project.run().had_nothing_to_do


def test_records_are_small(project: Project) -> None:
    records = (project.folder / ".snakemake/metadata").iterdir()
    assert max(path.stat().st_size for path in records) < 4096


@pytest.mark.parametrize(("change", "reports"), [(edit_prompt, 2), (another_video, 1)])
def test_a_change_from_before_is_seen_too(
    project: Project, change: Callable[[Project], None], reports: int
) -> None:
    change(project)
    lose_records(project)
    assert project.telling("plan").code == 0
    plan = json.loads((project.results / ".reelmake/plan.json").read_text())
    assert sum(report["reason"] != "up to date" for report in plan["reports"]) == reports
    run = project.run()
    assert (run.code, run.jobs["analyze_video"]) == (0, reports), run.output
    assert project.run().had_nothing_to_do


def test_reports_whose_answers_are_gone_as_well_are_not_bought_again(
    project: Project, double: GeminiDouble
) -> None:
    lose_records(project)
    shutil.rmtree(project.results / "responses")
    paid_for = len(double.ledger.billed())
    assert project.run().code == 0
    assert len(double.ledger.billed()) == paid_for
