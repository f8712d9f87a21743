from pathlib import Path

import pytest

from reelmake.edits import is_edited, new_version, signed, write_report

REPORT = "---\ntitle: A\n---\n\n# A\n\nText.\n"
NEXT = REPORT.replace("Text", "Other text")


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "讲 1.md"
    assert write_report(path, signed(REPORT)) == path
    return path


def test_a_signed_report_says_its_digest_at_the_end_of_its_front_matter() -> None:
    head, _, text = signed(REPORT).partition("\n---\n")
    assert head.splitlines()[-1].startswith("digest: ")
    assert text == REPORT.partition("\n---\n")[2]
    assert not is_edited(signed(REPORT))


@pytest.mark.parametrize(
    ("old", "new"),
    [("Text", "My text"), ("title: A", "title: B"), ("\n---\n", "\nrating: 5\n---\n"), ("x", "x")],
)
def test_any_change_counts_as_an_edit(old: str, new: str) -> None:
    assert is_edited(signed(REPORT).replace(old, new, 1)) == (old != new)


def test_a_report_without_a_digest_is_someones_own() -> None:
    assert is_edited(REPORT)


def test_a_column_called_digest_is_no_signature() -> None:
    text = "---\ntable_digest: " + "0" * 64 + "\n---\n\ntext\n"
    assert not is_edited(signed(text))


def test_an_untouched_report_is_replaced(report: Path) -> None:
    assert write_report(report, signed(NEXT)) == report
    assert report.read_text() == signed(NEXT)
    assert list(report.parent.iterdir()) == [report]


def test_an_edited_report_is_kept_and_the_new_version_lands_beside_it(report: Path) -> None:
    report.write_text(mine := report.read_text() + "Mine.\n")
    before = report.stat().st_mtime_ns
    assert write_report(report, signed(NEXT)) == new_version(report)
    assert report.read_text() == mine
    assert report.stat().st_mtime_ns > before  # as up to date as what was just made
    assert new_version(report).name == "讲 1.new.md"
    assert new_version(report).read_text() == signed(NEXT)


def test_nothing_lands_beside_it_when_nothing_new_came(report: Path) -> None:
    report.write_text(report.read_text() + "Mine.\n")
    assert write_report(report, signed(REPORT)) == report
    assert not new_version(report).exists()


def test_a_newer_version_replaces_the_one_beside_it_unless_that_was_edited_too(
    report: Path,
) -> None:
    report.write_text(report.read_text() + "Mine.\n")
    write_report(report, signed(NEXT))
    third, fourth = NEXT.replace("Other", "Third"), NEXT.replace("Other", "Fourth")
    assert write_report(report, signed(third)) == new_version(report)
    new_version(report).write_text(new_version(report).read_text() + "Mine, too.\n")
    assert write_report(report, signed(fourth)) == new_version(new_version(report))
    assert "Mine, too." in new_version(report).read_text()


def test_a_user_who_takes_the_new_version_goes_on_with_it(report: Path) -> None:
    report.write_text(report.read_text() + "Mine.\n")
    write_report(report, signed(NEXT)).replace(report)
    third = signed(NEXT.replace("Other", "Third"))
    assert write_report(report, third) == report
    assert report.read_text() == third


def test_a_user_who_deletes_their_own_gets_rid_of_the_new_one_too(report: Path) -> None:
    report.write_text(report.read_text() + "Mine.\n")
    write_report(report, signed(NEXT))
    report.unlink()
    write_report(report, signed(NEXT))
    assert list(report.parent.iterdir()) == [report]


def test_bytes_that_are_no_text_are_an_edit(report: Path) -> None:
    report.write_bytes(b"\xff\xfe")
    assert write_report(report, signed(NEXT)) == new_version(report)
    assert report.read_bytes() == b"\xff\xfe"
