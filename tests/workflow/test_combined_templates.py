"""Several templates on one video, asked in one call where the user wants that."""

import json
from pathlib import Path
from typing import Any

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


def plan_of(project: Project) -> dict[str, Any]:
    planned: dict[str, Any] = json.loads((project.results / ".reelmake/plan.json").read_text())
    return planned


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
    double.faults.add(Fault("http_error", code=400, prompt="`flashcards`"))
    assert project.run(cores=4).code == 1
    assert reports(project) == [TEMPLATES[1]] * 2
    double.faults.clear()
    for path in project.results.glob("analyses/*/*.json"):
        path.unlink()
    assert project.telling("plan").code == 0
    assert plan_of(project)["calls"] == 2
    assert project.run(cores=4).code == 0
    assert reports(project) == [TEMPLATES[0]] * 2 + [TEMPLATES[1]] * 2
    assert len(double.ledger.billed()) == 2 + 2


def test_the_plan_and_the_budget_know_it(project: Project, double: GeminiDouble) -> None:
    assert project.telling("plan").code == 0
    planned = plan_of(project)
    assert [row["detail"] for row in planned["reports"]] == [
        "asked together with another template"
    ] * 4
    project.config["budget_usd"] = 1.1 * planned["usd"]
    assert project.run(cores=4).code == 0
    assert planned["calls"] == len(double.ledger.billed()) == 2
    assert planned["usd"] == pytest.approx(
        sum(call.usd for call in double.ledger.billed()), rel=0.2
    )


def test_a_template_that_cannot_ask_keeps_no_other_from_it(
    project: Project, double: GeminiDouble
) -> None:
    broken = project.own_template("meeting_minutes")
    (broken / "prompt.md.j2").write_text("{{ 1 // parameters.share }}")
    settings = broken / "template.yaml"
    parameter = "parameters:\n  share: {description: of it, default: 1}\n"
    settings.write_text(settings.read_text().replace("parameters:\n", parameter))
    lines = ["video,template,share"]
    lines += [f"videos/video-0000.mp4,{template}," for template in TEMPLATES]
    (project.folder / "table.csv").write_text(
        "\n".join([*lines, "videos/video-0000.mp4,meeting_minutes,0", ""])
    )
    assert project.run(cores=4).code == 1
    assert reports(project) == list(TEMPLATES)
    assert [row["code"] for row in project.rows("failures.tsv")] == ["template_invalid"]
    assert len(double.ledger.billed()) == 1


@pytest.mark.parametrize(
    ("lost", "parts"), [("", 2), ("flashcards", 1)], ids=["whole", "half taken apart"]
)
def test_an_answer_that_a_crash_left_is_taken_apart_by_the_next_run(
    project: Project, double: GeminiDouble, lost: str, parts: int
) -> None:
    assert project.run(cores=4).code == 0
    answers = {path: path.read_text() for path in project.results.glob("responses/*/*.json")}
    taken_apart = [
        path for path, text in answers.items() if "part_of" in json.loads(text)["request"]
    ]
    gone = [path for path in taken_apart if lost in answers[path]]
    assert (len(taken_apart), len(gone)) == (4, 2 * parts)
    for path in [*gone, *project.results.glob("analyses/*/*.json")]:
        path.unlink()
    assert project.telling("plan").code == 0
    assert plan_of(project)["calls"] == 0
    assert project.run(cores=4).code == 0
    assert reports(project) == [TEMPLATES[0]] * 2 + [TEMPLATES[1]] * 2
    assert len(double.ledger.billed()) == 2
