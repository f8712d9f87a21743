"""The real Snakefile and the real SDK against the double: the bill decides."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from gemini_double import TEST_KEY, Fault, GeminiDouble, Settings
from sample_videos import BLUE, GREEN, RED, make_video
from workflow.conftest import Project

SECOND_KEY = "second-canary-key"
VIDEOS = {"one": RED, "two": GREEN, "three": BLUE}


@pytest.fixture
def double() -> Iterator[GeminiDouble]:
    with GeminiDouble(Settings(keys={TEST_KEY: "first", SECOND_KEY: "second"})) as service:
        yield service


@pytest.fixture
def gemini(project: Project, double: GeminiDouble) -> Project:
    """Three videos to be summarised by the double."""
    (project.folder / "videos").mkdir(parents=True)
    for number, (name, colour) in enumerate(VIDEOS.items(), start=1):
        path = project.folder / f"videos/{name}.mp4"
        make_video(path, [(colour, 20.0 + number)], size=(64, 64), fps=2, sound="tone")
    project.config |= {"engine": "gemini", "frames": False, "template": "summary_report"}
    project.environment |= {"GEMINI_API_KEY": TEST_KEY, "GOOGLE_GEMINI_BASE_URL": double.url}
    return project


@pytest.fixture
def built(gemini: Project, double: GeminiDouble) -> Project:
    run = gemini.run()
    assert run.code == 0, run.output
    assert len(double.ledger.billed()) == len(VIDEOS)
    double.ledger.clear()
    return gemini


def test_each_video_is_billed_once_and_the_prompt_is_rendered(
    gemini: Project, double: GeminiDouble
) -> None:
    run = gemini.run()
    assert run.code == 0, run.output
    assert len(double.ledger.billed()) == len(VIDEOS)
    assert double.ledger.paid_twice() == []
    for name in VIDEOS:
        analysis = gemini.analysis(name)
        assert analysis["finish_reason"] == "STOP"
        assert analysis["usage"]["input_tokens"] > 0
        assert analysis["cost_usd"] > 0
        assert gemini.report(name).exists()
    total = sum(float(row["usd"]) for row in gemini.rows("summary.tsv"))
    assert total == pytest.approx(double.ledger.usd(), rel=1e-3)


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
    "change",
    [touch, move, rename, reorder, reorder_keys, edit_layout, delete_everything_but_the_store],
)
def test_what_was_paid_for_is_never_bought_again(
    built: Project, double: GeminiDouble, change: Callable[[Project], None]
) -> None:
    change(built)
    run = built.run()
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
    make_video(built.folder / "videos/two.mp4", [(RED, 30.0)], size=(64, 64), fps=2, sound="tone")
    assert built.run().code == 0
    assert len(double.ledger.billed()) == 1


@pytest.mark.parametrize(
    ("fault", "kind", "code", "billed"),
    [
        (Fault("finish", reason="SAFETY"), "blocked", "answer_blocked", 1),
        (Fault("finish", reason="RECITATION"), "blocked", "answer_blocked", 1),
        (Fault("blocked", reason="OTHER"), "blocked", "answer_blocked", 1),
        (Fault("no_candidates"), "permanent", "answer_empty", 1),
        (Fault("missing_property"), "permanent", "answer_wrong_shape", 1),
        (Fault("past_end", seconds=60), "permanent", "times_invalid", 1),
        (Fault("bad_timestamps"), "permanent", "times_invalid", 1),
        (Fault("no_video_tokens"), "permanent", "video_not_seen", 1),
        (Fault("wrong_language"), "permanent", "wrong_language", 1),
        # One more try at two halves each.
        (Fault("max_tokens"), "permanent", "answer_truncated", 3),
        (Fault("invalid_json"), "permanent", "answer_not_json", 3),
        (Fault("repetition"), "permanent", "answer_", 3),
        (Fault("file_failed"), "invalid_input", "video_refused", 0),
        (Fault("http_error", code=400), "permanent", "request_refused", 0),
        (Fault("overloaded"), "transient", "overloaded", 0),
    ],
    ids=lambda value: value.action if isinstance(value, Fault) else "",
)
def test_a_fault_fails_its_video_alone(
    gemini: Project, double: GeminiDouble, fault: Fault, kind: str, code: str, billed: int
) -> None:
    gemini.config["gemini"] = {"max_attempts": 1}
    sha256 = hashlib.sha256((gemini.folder / "videos/two.mp4").read_bytes()).hexdigest()
    of_two = {"file": sha256[:16]} if fault.action == "file_failed" else {"video": sha256}
    double.faults.add(replace(fault, **of_two))
    run = gemini.run()
    assert run.code == 1
    assert "Traceback" not in run.output
    (failure,) = gemini.rows("failures.tsv")
    assert failure["video"] == "two"
    assert failure["kind"] == kind
    assert failure["code"].startswith(code)
    assert failure["hint"]
    assert gemini.report("one").exists()
    assert gemini.report("three").exists()
    assert not gemini.report("two").exists()
    assert len(double.ledger.billed()) == len(VIDEOS) - 1 + billed

    double.faults.clear()
    double.ledger.clear()
    again = gemini.run()
    asked_again = len(double.ledger.billed())
    if kind == "blocked":
        assert (again.code, asked_again) == (1, 0)
        gemini.config["gemini"]["retry_blocked"] = True
        assert gemini.run().code == 0
        assert len(double.ledger.billed()) == 1
    else:
        assert again.code == 0, again.output
        assert 1 <= asked_again <= 3
        assert gemini.rows("failures.tsv") == []
