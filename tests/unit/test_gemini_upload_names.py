"""What an upload is called, and what is remembered of the name that the service gave it."""

from pathlib import Path

import pytest

from reelmake.gemini.uploads import UploadRecords, is_of_project, upload_name


def test_every_video_and_project_has_a_name_of_its_own_that_the_service_takes() -> None:
    alike = "ab" * 10
    names = {
        upload_name(content.ljust(64, "0"), project)
        for content in (alike, f"{alike}1", f"{alike}2")
        for project in ("first-project", "second-project")
    }
    assert len(names) == 6
    assert {len(name) for name in names} == {40}
    assert sum(is_of_project(name, "first-project") for name in names) == 3


@pytest.mark.parametrize(
    ("written", "given"),
    [
        (b"", "ours"),
        (b"theirs-1", "theirs-1"),
        (b"../secret", "ours"),
        (b"a b", "ours"),
        (b"x" * 101, "ours"),
        (b"\xff\xfe", "ours"),
    ],
)
def test_a_record_that_is_damaged_is_of_the_name_that_was_asked_for(
    tmp_path: Path, written: bytes, given: str
) -> None:
    records = UploadRecords(tmp_path)
    records.add("ours")
    (tmp_path / "ours").write_bytes(written)
    assert records.given("ours") == given
    assert records.given("another") == "another"
