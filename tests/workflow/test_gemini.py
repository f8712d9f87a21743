"""The real Snakefile and the real SDK against the double: the bill decides.

Three videos are summarised once; each test has a copy, and the bill of what came since.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gemini_double import TEST_KEY, Fault, GeminiDouble, Record, Settings
from sample_videos import BLUE, GREEN, RED, Colour, make_video
from workflow.conftest import Project, Run

VIDEOS = {"one": RED, "two": GREEN, "three": BLUE}
SUMMARY = {"engine": "gemini", "frames": False, "template": "summary_report", "videos": "videos"}


def add_video(project: Project, name: str, scene: Colour, seconds: float = 20.0) -> Path:
    path = project.folder / f"videos/{name}.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    return make_video(path, [(scene, seconds)], size=(64, 64), fps=2, sound="tone")


def asking(double: GeminiDouble, folder: Path) -> Project:
    key = {"GEMINI_API_KEY": TEST_KEY, "GOOGLE_GEMINI_BASE_URL": double.url}
    return Project(folder, dict(SUMMARY), key)


@pytest.fixture(scope="module")
def service() -> Iterator[GeminiDouble]:
    with GeminiDouble(Settings(keys={TEST_KEY: "first"})) as double:
        yield double


@pytest.fixture(scope="module")
def first(
    service: GeminiDouble, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Project, Run, list[Record]]:
    """The first run and its bill."""
    project = asking(service, tmp_path_factory.mktemp("gemini") / "project")
    for name, colour in VIDEOS.items():
        add_video(project, name, colour)
    run = project.run(cores=4)
    return project, run, service.ledger.billed()


@pytest.fixture
def double(service: GeminiDouble) -> GeminiDouble:
    service.ledger.clear()
    service.faults.clear()
    return service


@pytest.fixture
def built(
    first: tuple[Project, Run, list[Record]], double: GeminiDouble, tmp_path: Path
) -> Project:
    return first[0].copy(tmp_path / "project")


def test_each_video_is_billed_once_and_its_report_tells_the_bill(
    first: tuple[Project, Run, list[Record]],
) -> None:
    project, run, bill = first
    assert run.code == 0, run.output
    assert len(bill) == len(VIDEOS)
    for name in VIDEOS:
        analysis = project.analysis(name)
        assert analysis["finish_reason"] == "STOP"
        assert analysis["usage"]["input_tokens"] > 0
        assert project.report(name).exists()
    total = sum(float(row["usd"]) for row in project.rows("summary.tsv"))
    assert total == pytest.approx(sum(record.usd for record in bill), rel=1e-3)


def touch(project: Project) -> None:
    for video in (project.folder / "videos").iterdir():
        os.utime(video)


def move(project: Project) -> None:
    (project.folder / "videos").rename(project.folder / "elsewhere")
    project.config["videos"] = "elsewhere"


def rename(project: Project) -> None:
    (project.folder / "videos/one.mp4").rename(project.folder / "videos/uno.m4v")


def reorder(project: Project) -> None:
    project.config["videos"] = [f"videos/{name}.mp4" for name in reversed(VIDEOS)]


def reorder_keys(project: Project) -> None:
    project.config = dict(reversed(project.config.items()))


def edit_layout(project: Project) -> None:
    layout = project.own_template("summary_report") / "report.md.j2"
    layout.write_text(layout.read_text() + "\nMine.\n")


def delete_everything_but_the_store(project: Project) -> None:
    for folder in ("results/analyses", "results/reports", "results/.reelmake", ".snakemake"):
        shutil.rmtree(project.folder / folder)


@pytest.mark.parametrize(
    "changes",
    [
        (touch, reorder, edit_layout),
        (rename, move, reorder_keys),
        (delete_everything_but_the_store,),
    ],
)
def test_what_was_paid_for_is_never_bought_again(
    built: Project, double: GeminiDouble, changes: tuple[Callable[[Project], None], ...]
) -> None:
    for change in changes:
        change(built)
    run = built.run(cores=4)
    assert run.code == 0, run.output
    assert double.ledger.billed() == []
    assert double.ledger.count("upload_start") == 0
    assert [row["status"] for row in built.rows("summary.tsv")] == ["done"] * len(VIDEOS)


def test_a_second_run_makes_no_call_at_all(built: Project, double: GeminiDouble) -> None:
    run = built.run()
    assert (run.code, run.had_nothing_to_do) == (0, True), run.output
    assert double.ledger.records() == []


def test_another_model_and_back_is_bought_once(built: Project, double: GeminiDouble) -> None:
    built.config["gemini"] = {"model": "gemini-3.8-flash"}
    assert built.run().code == 0
    assert len(double.ledger.billed()) == len(VIDEOS)
    del built.config["gemini"]
    assert built.run().code == 0
    assert len(double.ledger.billed()) == len(VIDEOS)
    assert built.analysis("one")["engine"]["model"] == "gemini-3.5-flash-lite"


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("prompt.md.j2", "busy readers", "hurried readers"),
        ("fields.schema.yaml", "one paragraph", "one short paragraph"),
    ],
)
def test_an_edited_prompt_or_schema_asks_again_for_that_template_on_the_same_uploads(
    built: Project, double: GeminiDouble, file: str, old: str, new: str
) -> None:
    path = built.own_template("summary_report") / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    assert built.run().code == 0
    assert len(double.ledger.billed()) == len(VIDEOS)
    assert double.ledger.count("upload_start") == 0


def test_one_changed_video_is_asked_for_alone(built: Project, double: GeminiDouble) -> None:
    add_video(built, "two", RED, 30.0)
    assert built.run().code == 0
    assert len(double.ledger.billed()) == 1


# What the service does to one video; what failures.tsv says of it, and the answers paid for then.
FAULTS: list[tuple[Fault, str, int]] = [
    (Fault("finish", reason="SAFETY"), "blocked answer_blocked", 1),
    (Fault("finish", reason="RECITATION"), "blocked answer_blocked", 1),
    (Fault("blocked", reason="OTHER"), "blocked answer_blocked", 1),
    (Fault("no_candidates"), "permanent answer_empty", 1),
    (Fault("missing_property"), "permanent answer_wrong_shape", 1),
    (Fault("past_end", seconds=60), "permanent times_invalid", 1),
    (Fault("bad_timestamps"), "permanent times_invalid", 1),
    (Fault("no_video_tokens"), "permanent video_not_seen", 1),
    (Fault("wrong_language"), "permanent wrong_language", 1),
    # One more try, at two halves.
    (Fault("max_tokens"), "permanent answer_truncated", 3),
    (Fault("invalid_json"), "permanent answer_not_json", 3),
    (Fault("repetition"), "permanent answer_truncated", 3),
    (Fault("file_failed"), "invalid_input video_refused", 0),
    (Fault("http_error", code=400), "permanent request_refused", 0),
    (Fault("overloaded"), "transient overloaded", 0),
    (Fault("reset"), "transient connection_lost", 0),
    (Fault("rate_limited", retry_delay=0.1), "quota quota_per_minute", 0),
    (Fault("truncated_body"), "transient connection_lost", 1),
]
# What is repaired, or passes by itself: done all the same.
REPAIRED: list[tuple[Fault, str]] = [
    (Fault("fenced_json"), "fences_removed"),
    (Fault("unordered"), "times_reordered"),
    (Fault("rerouted", model_version="gemini-9-flash"), "other_model"),
    (Fault("max_tokens", times=1), "asked_in_halves"),
]


def test_every_fault_fails_its_own_video_and_no_other(double: GeminiDouble, tmp_path: Path) -> None:
    project = asking(double, tmp_path / "project")
    project.config["gemini"] = {"max_attempts": 1}
    faults = [fault for fault, *_ in FAULTS] + [fault for fault, _ in REPAIRED]
    for number, fault in enumerate(faults):
        video = add_video(project, f"v{number:02}", (number * 9, 99, 9), seconds=24.0)
        sha256 = hashlib.sha256(video.read_bytes()).hexdigest()
        if fault.action == "file_failed":
            double.faults.add(replace(fault, file=sha256[:16]))
        else:
            double.faults.add(replace(fault, video=sha256))

    run = project.run(cores=8)
    assert run.code == 1
    assert "Traceback" not in run.output
    failures = {row["video"]: row for row in project.rows("failures.tsv")}
    for number, (fault, expected, billed) in enumerate(FAULTS):
        row = failures.pop(f"v{number:02}")
        assert f"{row['kind']} {row['code']}" == expected, fault
        assert row["hint"]
        assert (project.folder / row["log"]).exists()
        assert not project.report(row["video"]).exists()
        content = (project.folder / f"videos/v{number:02}.mp4").read_bytes()
        bill = double.ledger.billed(video=hashlib.sha256(content).hexdigest())
        assert len(bill) == billed, fault
    assert failures == {}
    for number, (fault, code) in enumerate(REPAIRED, start=len(FAULTS)):
        notices = [notice["code"] for notice in project.analysis(f"v{number:02}")["warnings"]]
        assert code in notices, fault
        assert project.report(f"v{number:02}").exists()

    # The next run asks again for the failed ones alone, and not for what was blocked.
    double.faults.clear()
    double.ledger.clear()
    again = project.run(cores=8)
    assert again.code == 1
    blocked = [f"v{n:02}" for n, (_, expected, _) in enumerate(FAULTS) if "blocked" in expected]
    assert [row["video"] for row in project.rows("failures.tsv")] == blocked
    asked = {record.video for record in double.ledger.billed() if record.video}
    assert len(asked) == len(FAULTS) - len(blocked)

    # What was blocked is asked again on request, and then all is there.
    double.ledger.clear()
    project.config["gemini"]["retry_blocked"] = True
    assert project.run(cores=8).code == 0
    assert len(double.ledger.billed()) == len(blocked)
    assert project.rows("failures.tsv") == []
