"""A report is settled as long as nothing of it, and of what it is made of, has changed."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reelmake.settled import FileState, Folders, Made, Settled

VIDEO = FileState(7, 1_000)


def touched(path: Path, changed_ns: int, text: str = "text") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, ns=(changed_ns, changed_ns))


@pytest.fixture
def steps(tmp_path: Path) -> list[list[str]]:
    """Files of a report, each made a second after the step before it."""
    names = [["analyses/a.json"], [], ["reports/a.md", "reports/a.html"], ["reports/a.srt"]]
    for place, step in enumerate(names, start=2):
        for name in step:
            touched(tmp_path / name, place * 1_000)
    return [[str(tmp_path / name) for name in step] for step in names]


def state(steps: list[list[str]], of: str = "row", video: FileState | None = VIDEO) -> str | None:
    return Made(of, video, steps).state(Folders())


def test_as_long_as_nothing_changes_it_is_the_same(steps: list[list[str]]) -> None:
    assert state(steps)
    assert state(steps) == state(steps)
    assert state(steps, video=None)


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: touched(folder / "analyses/a.json", 2_001),
        lambda folder: touched(folder / "reports/a.md", 4_000, "other text"),
        lambda folder: touched(folder / "reports/a.md", 4_500),
        lambda folder: touched(folder / "reports/a.srt", 9_000),
    ],
)
def test_each_file_belongs_to_it(
    steps: list[list[str]], tmp_path: Path, change: Callable[[Path], None]
) -> None:
    before = state(steps)
    change(tmp_path)
    assert state(steps) not in (before, None)


@pytest.mark.parametrize(
    ("of", "video"),
    [("row", FileState(8, 1_000)), ("row", FileState(7, 999)), ("row", None), ("rows", VIDEO)],
)
def test_so_does_what_it_is_made_of(
    steps: list[list[str]], of: str, video: FileState | None
) -> None:
    assert state(steps, of, video) not in (state(steps), None)


@pytest.mark.parametrize("name", ["analyses/a.json", "reports/a.md", "reports/a.html"])
def test_a_report_that_lacks_a_file_is_not_settled(
    steps: list[list[str]], tmp_path: Path, name: str
) -> None:
    (tmp_path / name).unlink()
    assert state(steps) is None


@pytest.mark.parametrize(
    ("name", "changed_ns"),
    [("analyses/a.json", 999), ("reports/a.html", 1_999), ("reports/a.srt", 3_999)],
)
def test_nor_is_one_whose_files_are_older_than_what_they_are_made_of(
    steps: list[list[str]], tmp_path: Path, name: str, changed_ns: int
) -> None:
    touched(tmp_path / name, changed_ns)
    assert state(steps) is None


def test_an_edit_during_the_run_is_found_by_the_next_one(
    steps: list[list[str]], tmp_path: Path
) -> None:
    touched(tmp_path / "reports/a.md", 6_000, "edited after it was exported")
    assert state(steps) is None


def test_states_are_kept_beside_those_of_other_tables(tmp_path: Path) -> None:
    path = tmp_path / "new" / "settled.json"
    Settled(path).keep({"one.md": "a", "été.md": "b"})
    Settled(path).keep({"one.md": "c"})
    kept = Settled(path)
    assert kept.holds("one.md", "c")
    assert kept.holds("été.md", "b")
    assert not kept.holds("one.md", "a")
    assert not kept.holds("other.md", "a")


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b'"text"'])
def test_a_damaged_file_settles_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settled.json"
    path.write_bytes(content)
    assert not Settled(path).holds("one.md", "a")


def test_where_it_can_not_be_kept_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    Settled(tmp_path / "file" / "settled.json").keep({"one.md": "a"})
