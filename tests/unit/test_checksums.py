import hashlib
import os
from pathlib import Path

import pytest

from reelmake.checksums import Checksums


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "v.mp4"
    path.write_bytes(b"frames")
    return path


def test_a_checksum_is_computed_once_for_a_file_as_it_is(
    tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checksums = Checksums(tmp_path / "state")
    assert checksums.sha256(video) == hashlib.sha256(b"frames").hexdigest()
    moved = video.rename(tmp_path / "moved.mp4")

    def refuse(*_: object) -> None:
        pytest.fail("read the file again")

    monkeypatch.setattr(hashlib, "file_digest", refuse)
    assert Checksums(tmp_path / "state").sha256(moved) == hashlib.sha256(b"frames").hexdigest()


def test_changed_content_has_a_new_checksum_whatever_its_time_says(
    tmp_path: Path, video: Path
) -> None:
    checksums = Checksums(tmp_path / "state")
    before = checksums.sha256(video)
    video.write_bytes(b"other frames")
    os.utime(video, (1, 1))
    assert checksums.sha256(video) != before


def test_a_damaged_memory_is_not_believed(tmp_path: Path, video: Path) -> None:
    checksums = Checksums(tmp_path / "state")
    right = checksums.sha256(video)
    for entry in (tmp_path / "state").rglob("*"):
        if entry.is_file():
            entry.write_text("")
    assert checksums.sha256(video) == right


def test_a_missing_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Checksums(tmp_path).sha256(tmp_path / "none.mp4")
