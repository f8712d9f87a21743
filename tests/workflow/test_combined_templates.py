"""Several templates on one video, asked in one call where the user wants that."""

from pathlib import Path

import pytest

from gemini_double import Fault, GeminiDouble
from sample_videos import many_videos
from workflow.conftest import Project, asking

TEMPLATES = ("study_notes", "summary_report")


@pytest.fixture
def project(double: GeminiDouble, tmp_path: Path) -> Project:
    project = asking(double, tmp_path / "project")
    many_videos(project.folder / "videos", 2)
    rows = [
        f"videos/{video}.mp4,{template}"
        for video in ("video-0000", "video-0001")
        for template in TEMPLATES
    ]
    (project.folder / "table.csv").write_text("\n".join(["video,template", *rows]) + "\n")
    project.config |= {"videos": "table.csv", "gemini": {"combine_templates": True}}
    return project


def reports(project: Project) -> list[str]:
    return sorted(path.parent.name for path in project.results.glob("reports/*/*.md"))


@pytest.mark.traced
def test_each_video_is_asked_about_once_and_its_cost_is_shared(
    project: Project, double: GeminiDouble
) -> None:
    assert project.run(cores=4).code == 0
    assert reports(project) == [TEMPLATES[0]] * 2 + [TEMPLATES[1]] * 2
    calls = double.ledger.billed()
    assert len(calls) == 2
    rows = project.rows("summary.tsv")
    assert sum(float(row["usd"]) for row in rows) == pytest.approx(
        sum(call.usd for call in calls), abs=1e-5
    )
    for path in (project.folder / "videos").iterdir():
        path.touch()
    assert project.run().code == 0
    assert len(double.ledger.billed()) == 2


def test_what_was_bought_together_is_not_bought_again_alone(
    project: Project, double: GeminiDouble
) -> None:
    assert project.run(cores=4).code == 0
    project.config["gemini"] = {"combine_templates": False}
    for path in project.results.glob("analyses/*/*.json"):
        path.unlink()
    assert project.run(cores=4).code == 0
    assert len(double.ledger.billed()) == 2


def test_when_one_answer_is_not_enough_each_template_is_asked_alone(
    project: Project, double: GeminiDouble
) -> None:
    double.faults.add(Fault("max_tokens", prompt="They are independent"))
    assert project.run(cores=4).code == 0
    assert len(double.ledger.billed()) == 2 + 4
    for path in project.results.glob("analyses/*/*.json"):
        path.unlink()
    assert project.run(cores=4).code == 0
    assert len(double.ledger.billed()) == 2 + 4


def test_a_part_that_is_left_out_is_asked_for_alone(project: Project, double: GeminiDouble) -> None:
    double.faults.add(Fault("missing_property", prompt="They are independent"))
    assert project.run(cores=4).code == 0
    assert reports(project) == [TEMPLATES[0]] * 2 + [TEMPLATES[1]] * 2
    assert len(double.ledger.billed()) == 2 + 2
