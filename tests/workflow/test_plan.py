"""`snakemake plan` and `snakemake status`: why, for how much, and how things stand."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gemini_double import Fault, GeminiDouble, Settings
from sample_videos import many_videos
from workflow.conftest import DEMO_VIDEOS, Project, asking


@pytest.fixture
def project(double: GeminiDouble, tmp_path: Path) -> Project:
    project = asking(double, tmp_path / "project")
    many_videos(project.folder / "videos", 2)
    return project


def plan(project: Project) -> dict[str, Any]:
    """What it says as JSON."""
    run = project.telling("plan")
    assert run.code == 0, run.output
    content: dict[str, Any] = json.loads((project.results / ".reelmake/plan.json").read_text())
    return content | {"said": run.output}


def status(project: Project) -> str:
    run = project.telling("status")
    assert run.code == 0, run.output
    return run.output


def reasons(planned: dict[str, Any]) -> dict[str, tuple[str, int]]:
    return {row["video"]: (row["reason"], row["calls"]) for row in planned["reports"]}


def test_it_asks_for_nothing_and_needs_no_key(project: Project, double: GeminiDouble) -> None:
    project.environment["GEMINI_API_KEY"] = ""
    planned = plan(project)
    assert reasons(planned) == {"video-0000": ("new", 1), "video-0001": ("new", 1)}
    assert list(double.ledger) == []
    assert planned["usd_by_tier"]["batch"] == pytest.approx(planned["usd"] / 2, abs=1e-6)
    new = planned["by_reason"]["new"]
    assert (new["count"], new["nothing_to_buy"], new["usd"]) == (2, 0, planned["usd"])
    assert [line for line in planned["notes"] if line not in planned["said"]] == []
    assert planned["seconds_by_jobs"]
    assert re.search(r"video-0000 +summary_report +new +[\d,]+ +0\.\d+", planned["said"])
    assert not (project.results / "reports").exists()


def test_it_is_within_ten_percent_of_the_bill_of_the_demo(
    project: Project, double: GeminiDouble
) -> None:
    project.config["videos"] = str(DEMO_VIDEOS)
    planned = plan(project)
    assert project.run().code == 0
    billed = double.ledger.billed()
    assert planned["calls"] == len(billed)
    assert planned["usd"] == pytest.approx(sum(record.usd for record in billed), rel=0.1)
    tokens = sum(record.prompt_tokens + record.output_tokens for record in billed)
    assert planned["input_tokens"] + planned["output_tokens"] == pytest.approx(tokens, rel=0.1)


@pytest.mark.traced
def test_it_learns_from_the_reports_that_are_there(project: Project, double: GeminiDouble) -> None:
    project.config["template"] = "chinese_transcript"
    double.settings.update({"latency": 2.0})
    assert project.run().code == 0
    many_videos(project.folder / "videos", 4)
    planned = plan(project)
    double.ledger.clear()
    assert project.run().code == 0
    bill = sum(record.usd for record in double.ledger.billed())
    assert planned["usd"] == pytest.approx(bill, rel=0.1)
    assert "as your reports show" in planned["said"]


def _edit(project: Project, file: str, old: str, new: str) -> None:
    path = project.folder / "templates/summary_report" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def _other_video(project: Project) -> None:
    (project.folder / "videos/video-0000.mp4").write_bytes(
        (DEMO_VIDEOS / "terminal-backup.webm").read_bytes()
    )


def _renamed(project: Project) -> None:
    (project.folder / "videos/video-0000.mp4").rename(project.folder / "videos/new.mp4")


def _tag(project: Project) -> None:
    rows = (f"videos/video-000{number}.mp4,week {number}" for number in range(2))
    (project.folder / "t.csv").write_text("\n".join(["video,tags", *rows]))
    project.config["videos"] = "t.csv"


CHANGES: dict[str, tuple[Callable[[Project], object], dict[str, tuple[str, int]]]] = {
    "nothing": (lambda project: None, {}),
    "a touch": (lambda project: (project.folder / "videos/video-0000.mp4").touch(), {}),
    "the video": (_other_video, {"video-0000": ("video changed", 1)}),
    "its name": (_renamed, {"new": ("new", 0)}),
    "the model": (
        lambda project: project.config.update(gemini={"model": "gemini-3.8-flash"}),
        {"video-0000": ("model changed", 1), "video-0001": ("model changed", 1)},
    ),
    "a setting": (
        lambda project: project.config.update(gemini={"fps": 0.5}),
        {"video-0000": ("settings changed", 1), "video-0001": ("settings changed", 1)},
    ),
    "the prompt": (
        lambda project: _edit(project, "prompt.md.j2", "## ", "Be brief.\n\n## "),
        {"video-0000": ("prompt changed", 1), "video-0001": ("prompt changed", 1)},
    ),
    "the fields": (
        lambda project: _edit(
            project, "fields.schema.yaml", "description: ", "description: Short "
        ),
        {"video-0000": ("schema changed", 1), "video-0001": ("schema changed", 1)},
    ),
    "the layout": (
        lambda project: _edit(project, "report.md.j2", "\n", "\n\nAll of it:\n"),
        {"video-0000": ("only laid out", 0), "video-0001": ("only laid out", 0)},
    ),
    "tags": (_tag, {"video-0000": ("only laid out", 0), "video-0001": ("only laid out", 0)}),
    "a lost report": (
        lambda project: project.report("video-0001").unlink(),
        {"video-0001": ("only laid out", 0)},
    ),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Two reports that are up to date."""
    with GeminiDouble(Settings()) as double:
        project = asking(double, tmp_path_factory.mktemp("made") / "project")
        many_videos(project.folder / "videos", 2)
        project.own_template("summary_report")
        assert project.run().code == 0
        yield project


@pytest.mark.parametrize("change", CHANGES)
def test_why_a_report_is_to_be_made(made: Project, change: str, tmp_path: Path) -> None:
    project = made.copy(tmp_path / "project")
    act, expected = CHANGES[change]
    act(project)
    planned = plan(project)
    found = {name: why for name, why in reasons(planned).items() if why[0] != "up to date"}
    assert found == expected
    if not expected:
        assert "Nothing to make: 2 reports up to date." in planned["said"]


def test_what_a_fallback_model_answered_is_up_to_date(
    project: Project, double: GeminiDouble
) -> None:
    models = ["gemini-3.5-flash-lite", "gemini-3.1-flash-lite", "gemini-2.5-flash-lite"]
    project.config["gemini"] = {"fallback_models": models[1:], "max_attempts": 1}
    for model in models[:2]:
        double.faults.add(Fault("overloaded", model=model))
    run = project.run()
    assert run.code == 0, run.output
    assert {record.model for record in double.ledger.billed()} == set(models[2:])
    assert "gemini-3.1-flash-lite stays overloaded: asking gemini-2.5-flash-lite" in (
        project.folder / "logs/analyze_video/summary_report/video-0000.log"
    ).read_text(encoding="utf-8")
    assert {row["model"] for row in project.rows("summary.tsv")} == {models[2]}
    assert set(reasons(plan(project)).values()) == {("up to date", 0)}


def test_what_failed_and_what_can_not_be_used_is_told(
    project: Project, double: GeminiDouble
) -> None:
    double.faults.add(Fault("max_tokens", times=99))
    assert project.run().code == 1
    (project.folder / "videos/notes.mp4").write_text("This is no video.")
    planned = plan(project)
    assert reasons(planned)["video-0000"] == ("failed before", 2)
    assert "asking for" not in planned["said"]
    assert reasons(planned)["notes"] == ("can't be used", 0)
    said = status(project)
    assert re.search(r"video-0000 +summary_report +failed +permanent: ", said)
    assert re.search(r"^ +logs/analyze_video/summary_report/video-0000\.log *$", said, re.MULTILINE)
    bill = sum(record.usd for record in double.ledger.billed())
    assert f"Runs on record: 1; {bill:.4f} USD were billed in them, with what failed." in said
    assert re.search(r"notes +summary_report +failed +can't be used", said)
    assert "3 reports: 0 done, 3 failed, 0 stale, 0 missing." in said


def test_whether_money_and_requests_suffice_is_told(project: Project) -> None:
    project.config |= {"budget_usd": 0.001, "gemini": {"rpd": 1, "rpm": 1, "model": "gemini-99"}}
    said = " ".join(plan(project)["said"].split())
    assert "`gemini-99` has no price" in said
    assert "not enough for 1 of 2 calls, which wait for the next day" in said
    assert "About 2 min with" in said
    project.config["gemini"] = {}
    assert "`budget_usd: 0.001` is not enough" in plan(project)["said"]


def test_how_things_stand(made: Project, tmp_path: Path) -> None:
    project = made.copy(tmp_path / "project")
    many_videos(project.folder / "videos", 3)
    _other_video(project)
    said = status(project)
    assert re.search(r"video-0000 +summary_report +stale +video changed +1 +0\.\d+", said)
    assert re.search(r"video-0001 +summary_report +done ", said)
    assert re.search(r"video-0002 +summary_report +missing +new", said)
    assert {row["video"]: row["status"] for row in project.rows("summary.tsv")} == {
        "video-0000": "done",
        "video-0001": "done",
        "video-0002": "missing",
    }


def test_offline_it_costs_nothing(project: Project) -> None:
    project.config["engine"] = "local"
    planned = plan(project)
    assert planned["usd"] == 0
    assert "The offline engine costs nothing." in planned["said"]
