"""What no row wants any more."""

import json
from pathlib import Path

import pytest

from reelmake.edits import signed
from reelmake.pruning import leftovers, prune
from reelmake.results import Results
from reelmake.targets import Target

REPORT = signed("---\ntitle: T\ntemplate: summary_report\n---\n# T\n")
URL = "https://example.org/a.mp4"


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """Everything of two videos, a stored answer, and what the user has put beside them."""
    results = Results(tmp_path / "results")
    for name in ("kept", "gone"):
        report = results.report("summary_report", name)
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(REPORT)
        results.page("summary_report", name).write_text("<!doctype html>")
        pictures = report.with_name(f"{name}.assets")
        pictures.mkdir()
        (pictures / "1.jpg").write_bytes(b"x" * 1000)
        analysis = results.analysis("summary_report", name)
        analysis.parent.mkdir(parents=True, exist_ok=True)
        analysis.write_text(json.dumps({"template": "summary_report"}))
        failure = results.failure("summary_report", name)
        failure.parent.mkdir(parents=True, exist_ok=True)
        failure.write_text("{}")
    (report.parent / "my notes.md").write_text("# Mine\n")
    (report.parent / "table.xlsx").touch()
    results.store.put("a" * 64, {"text": "paid"}, request={})
    results.fetched(URL).parent.mkdir(parents=True)
    results.fetched(URL).touch()
    return results


def kept() -> Target:
    return Target(video="kept.mp4", name="kept", template="summary_report")


def files(root: Path) -> set[Path]:
    return {path for path in root.rglob("*") if path.is_file()}


def test_what_is_left_over_is_listed_and_nothing_is_deleted(results: Results) -> None:
    before = files(results.root)
    said = prune(results, [kept()], delete=False)
    assert files(results.root) == before
    for path in (
        results.report("summary_report", "gone"),
        results.report("summary_report", "gone").with_suffix(".assets"),
        results.page("summary_report", "gone"),
        results.analysis("summary_report", "gone"),
        results.failure("summary_report", "gone"),
        results.fetched(URL),
    ):
        assert f"  {path}\n" in said
    assert "kept" not in said
    assert "the same command with --config prune=yes" in said
    assert "6 files and folders, 0.0 MB" in said


def test_only_that_is_deleted_when_asked_for(results: Results) -> None:
    before = files(results.root)
    listed = leftovers(results, [kept()])
    said = prune(results, [kept()], delete=True)
    gone = before - files(results.root)
    assert all(any(path in (file, *file.parents) for path in listed) for file in gone)
    assert len(gone) == 6
    assert "Deleted:" in said
    assert results.store.get("a" * 64)
    assert leftovers(results, [kept()]) == []
    assert prune(results, [kept()], delete=True).startswith("Nothing is left over")


def test_a_fetched_video_that_a_row_wants_stays(results: Results) -> None:
    path = results.fetched(URL)
    target = Target(video=str(path), source=URL, name="gone", template="summary_report")
    assert leftovers(results, [kept(), target]) == []


def test_links_to_elsewhere_are_not_followed(results: Results, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "x.md").write_text("---\ntemplate: linked\n---\n")
    (results.root / "reports/linked").symlink_to(elsewhere)
    (results.root / "reports/summary_report/linked.assets").symlink_to(elsewhere)
    prune(results, [kept()], delete=True)
    assert (elsewhere / "x.md").exists()


def test_nothing_built_yet_is_nothing_left_over(tmp_path: Path) -> None:
    assert "Nothing is left over" in prune(Results(tmp_path / "new"), [], delete=True)


def test_the_new_version_beside_an_edited_report_belongs_to_it(results: Results) -> None:
    report = results.report("summary_report", "kept")
    for name in ("kept.new.md", "kept.new.new.md"):
        report.with_name(name).write_text(REPORT)
    assert not [path for path in leftovers(results, [kept()]) if ".new" in path.name]


def test_a_report_that_was_edited_is_kept_with_its_pictures_and_page(results: Results) -> None:
    report = results.report("summary_report", "gone")
    report.write_text(REPORT + "My own words.\n")
    prune(results, [kept()], delete=True)
    assert report.exists()
    assert report.with_suffix(".assets").is_dir()
    assert results.page("summary_report", "gone").exists()
    assert not results.analysis("summary_report", "gone").exists()


def test_other_formats_go_with_their_report_and_with_nothing_else(results: Results) -> None:
    folder = results.report("summary_report", "gone").parent
    for name in ("gone.docx", "gone.anki.txt", "kept.docx", "mine.docx"):
        (folder / name).touch()
    prune(results, [kept()], delete=True)
    assert {path.name for path in folder.iterdir() if path.suffix in (".docx", ".txt")} == {
        "kept.docx",
        "mine.docx",
    }
