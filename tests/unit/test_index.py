import csv
import json
from dataclasses import asdict
from pathlib import Path

import pytest

from reelmake.analysis import Analysis, Engine, Notice, Usage, VideoFacts, write_analysis
from reelmake.index import write_index, write_tables
from reelmake.jobs import Failure
from reelmake.results import Results


def analysis(name: str, **values: object) -> Analysis:
    content = {
        "name": name,
        "template": "summary_report",
        "language": "en",
        "engine": Engine(name="gemini", model="gemini-3.5-flash-lite", version="001"),
        "video": VideoFacts(source=f"{name}.mp4", duration_s=83.4),
        "title": f"About {name}",
        "overview": "…",
        "created": "2026-11-24T12:00:00+00:00",
        **values,
    }
    return Analysis.model_validate(content)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Results with a report that is done, one that failed, and one that is missing."""
    results = Results(tmp_path)
    done = analysis(
        "day & night",
        title="<script>alert(1)</script>",
        usage=Usage(calls=1, input_tokens=9000, output_tokens=1000),
        cost_usd=0.0052,
        warnings=[Notice(code="clamped", message="one time was past the end")],
    )
    write_analysis(done, results.analysis("summary_report", "day & night"))
    report = results.report("summary_report", "day & night")
    report.parent.mkdir(parents=True)
    report.write_text("# …\n")
    failure = Failure(
        video="broken",
        template="summary_report",
        kind="invalid_input",
        code="video_unreadable",
        message="broken.mp4:\tis no\nvideo",
        hint="Check that it plays.",
        attempts=1,
        log="logs/x.log",
    )
    record = results.failure("summary_report", "broken")
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps(asdict(failure)))
    names = ["day & night", "broken", "later"]
    write_index(tmp_path, [("summary_report", name) for name in names])
    return tmp_path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_the_summary_has_a_row_for_every_report(root: Path) -> None:
    done, failed, missing = rows(root / "summary.tsv")
    assert done == {
        "video": "day & night",
        "template": "summary_report",
        "status": "done",
        "duration_s": "83.4",
        "tokens": "10000",
        "usd": "0.0052",
        "seconds": "0.0",
        "attempts": "1",
        "model": "gemini-3.5-flash-lite",
        "engine": "gemini",
    }
    assert (failed["status"], missing["status"]) == ("failed", "missing")


def test_failures_have_a_row_each_on_one_line(root: Path) -> None:
    text = (root / "failures.tsv").read_text()
    assert text.startswith("video\ttemplate\tkind\tcode\tmessage\thint\tattempts\tlog\n")
    (failure,) = rows(root / "failures.tsv")
    assert failure["message"] == "broken.mp4: is no video"


def test_without_failures_there_is_only_the_header(tmp_path: Path) -> None:
    write_index(tmp_path, [])
    assert (tmp_path / "failures.tsv").read_text().count("\n") == 1


def test_a_video_of_two_templates_counts_once(tmp_path: Path) -> None:
    results = Results(tmp_path)
    targets = [(template, "a") for template in ("study_notes", "summary_report")]
    for template, name in targets:
        write_analysis(analysis(name, template=template), results.analysis(template, name))
    write_index(tmp_path, targets)
    assert "01:23 of video" in (tmp_path / "index.html").read_text()


def test_the_page_links_reports_and_shows_text_as_text(root: Path) -> None:
    page = (root / "index.html").read_text()
    assert 'href="reports/summary_report/day%20%26%20night.md"' in page
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "one time was past the end" in page
    assert "Check that it plays." in page


@pytest.mark.parametrize(
    ("front_matter", "tags"),
    [
        ("title: x\ntags: []\ncreated: 2026\n", ()),
        ('title: x\ntags: ["week 1", optics]\ncreated: 2026\n', ("week 1", "optics")),
        ("tags:\n- week 1\n\n- optics\ntitle: tags\n", ("week 1", "optics")),
        ("title: |\n  a\n  tags: [b]\ntags:\n  - c\n", ("c",)),
        ('title: "{odd": [\ntags: [c]\n', ("c",)),
        ('"tags": [d]\n', ("d",)),
        ("tags: e\n", ()),
        ("tags: [e\n", ()),
        ("title: x\n", ()),
    ],
)
def test_tags_are_read_where_the_reader_may_have_changed_them(
    root: Path, front_matter: str, tags: tuple[str, ...]
) -> None:
    report = Results(root).report("summary_report", "day & night")
    report.write_text(f"---\n{front_matter}---\n\ntags: [text]\n")
    (entry,), _ = write_tables(root, [("summary_report", "day & night")])
    assert entry.tags == tags
    report.write_text(f"{front_matter}---\n\ntags: [text]\n")
    (entry,), _ = write_tables(root, [("summary_report", "day & night")])
    assert entry.tags == ()
