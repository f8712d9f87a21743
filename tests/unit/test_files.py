import errno
import os
from pathlib import Path

import pytest

from reelmake.files import write_atomically


@pytest.mark.parametrize("durable", [False, True])
def test_text_and_bytes_land_whole_in_a_new_folder(tmp_path: Path, durable: bool) -> None:
    write_atomically(tmp_path / "a/b/text", "内容\n", durable=durable)
    write_atomically(tmp_path / "a/b/bytes", b"\x00", durable=durable)
    assert (tmp_path / "a/b/text").read_text(encoding="utf-8") == "内容\n"
    assert sorted(os.listdir(tmp_path / "a/b")) == ["bytes", "text"]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.md"
    write_atomically(path, "old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, "new", durable=True)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.md"]


def test_a_name_of_255_bytes_can_be_written(tmp_path: Path) -> None:
    write_atomically(tmp_path / ("n" * 255), "x")


def test_others_may_read_what_was_written_as_far_as_the_umask_lets_them(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        for name in ("file", "next"):
            write_atomically(tmp_path / name, "x")
            assert (tmp_path / name).stat().st_mode & 0o777 == 0o640
    finally:
        os.umask(before)
