"""The real Snakefile and the real SDK against the double: the bill decides.

Three videos are summarised once; each test has a copy, and the bill of what came since.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gemini_double import TEST_KEY, GeminiDouble, Record, Settings
from sample_videos import BLUE, GREEN, RED
from workflow.conftest import Project, Run, add_video, asking

VIDEOS = {"one": RED, "two": GREEN, "three": BLUE}


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
def test_an_edited_prompt_or_schema_asks_again_for_that_template(
    built: Project, double: GeminiDouble, file: str, old: str, new: str
) -> None:
    path = built.own_template("summary_report") / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    assert built.run().code == 0
    assert len(double.ledger.billed()) == len(VIDEOS)


def test_one_changed_video_is_asked_for_alone(built: Project, double: GeminiDouble) -> None:
    add_video(built, "two", RED, 30.0)
    assert built.run().code == 0
    assert len(double.ledger.billed()) == 1
