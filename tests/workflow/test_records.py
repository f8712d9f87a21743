"""What Snakemake records: little. Where it is lost nothing is made again, and changes are seen."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gemini_double import GeminiDouble, Settings
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


DIGEST = {"build_digest": 1, "export_digest": 1, "build_index": 1}
CHANGES: list[tuple[Callable[[Project], None], dict[str, int], int]] = [
    (edit_layout, {"render_report": 2, **DIGEST}, 0),
    (edit_prompt, {"analyze_video": 2, "render_report": 2, **DIGEST}, 3),
    (remove_a_video, DIGEST, 1),
]
"""What is made after each, and how many answers are bought."""


@pytest.fixture(scope="module")
def double() -> Iterator[GeminiDouble]:
    with GeminiDouble(Settings()) as service:
        yield service


@pytest.fixture(scope="module")
def made(double: GeminiDouble, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = asking(double, tmp_path_factory.mktemp("made") / "project")
    project.config["digest"] = "template"
    many_videos(project.folder / "videos", 2)
    project.own_template("summary_report")
    assert project.run().code == 0
    return project


@pytest.fixture
def project(made: Project, double: GeminiDouble, tmp_path: Path) -> Project:
    project = made.copy(tmp_path / "project")
    double.ledger.clear()
    return project


def test_changes_afterwards_are_seen(project: Project, double: GeminiDouble) -> None:
    lose_records(project)
    found = project.run()
    assert (found.code, found.jobs) == (0, {"build_index": 1}), found.output
    for change, jobs, bought in CHANGES:
        double.ledger.clear()
        change(project)
        run = project.run()
        assert (run.code, run.jobs) == (0, jobs), run.output
        assert len(double.ledger.billed()) == bought
    assert project.run().had_nothing_to_do


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


def test_records_are_small(made: Project) -> None:
    records = (made.folder / ".snakemake/metadata").iterdir()
    assert max(path.stat().st_size for path in records) < 4096


def test_reports_whose_answers_are_gone_as_well_are_not_bought_again(
    project: Project, double: GeminiDouble
) -> None:
    lose_records(project)
    shutil.rmtree(project.results / "responses")
    assert project.run().code == 0
    assert double.ledger.billed() == []
