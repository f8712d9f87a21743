"""A folder of hostile files beside a good video: it gets its report, and they are told of."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from gemini_double import GeminiDouble, Settings
from hostile_videos import bombs, no_files, no_videos, polyglots_and_company
from sample_videos import RED
from workflow.conftest import add_video, asking


@pytest.fixture
def double() -> Iterator[GeminiDouble]:
    with GeminiDouble(Settings()) as service:
        yield service


def test_hostile_files_stop_nothing_and_are_all_told_of(
    double: GeminiDouble, tmp_path: Path
) -> None:
    project = asking(double, tmp_path / "project")
    add_video(project, "good", RED)
    unusable = [*no_videos(), *no_files(), *(bomb for bomb in bombs() if "" not in bomb.codes)]
    playing = polyglots_and_company()
    for file in [*unusable, *playing]:
        file.make(project.folder / "videos" / file.name)
    # A folder's own pipes, devices and broken links are passed over; named ones are told of.
    named = [f"videos/{file.name}" for file in no_files() if file.name != "folder.mp4"]
    project.config |= {"videos": ["videos", *named], "on_bad_input": "skip", "frames": True}

    run = project.run(cores=4)

    assert run.code == 1
    assert "Traceback" not in run.output
    failures = project.rows("failures.tsv")
    expected = Counter(Path(file.name).stem for file in unusable if file.name != "folder.mp4")
    assert Counter(row["video"] for row in failures) == expected
    codes = {Path(file.name).stem: file.codes for file in unusable}
    for row in failures:
        assert row["kind"] == "invalid_input"
        assert row["code"] in codes[row["video"]] | {"video_missing"}
        assert row["hint"]
        assert "Traceback" not in (project.folder / row["log"]).read_text(encoding="utf-8")
    assert project.report("good").exists()
    reports = list((project.results / "reports/summary_report").glob("*.md"))
    assert len(reports) == 1 + len(playing)
    for report in reports:
        text = report.read_text(encoding="utf-8")
        assert "<script" not in text
        assert "\x1b" not in text
    assert list(tmp_path.rglob("a.txt")) == []
