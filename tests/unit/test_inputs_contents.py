"""What videos are, before anything is bought: looked into once, apart from this process."""

import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reelmake import probing
from reelmake.checksums import Checksums
from reelmake.config import Config
from reelmake.errors import ReelmakeError
from reelmake.facts import video_facts
from reelmake.inputs.table import targets, video_table
from reelmake.probes import Probe, ProbeCache, Unusable
from reelmake.targets import Target
from sample_videos import RED, make_sound, make_video


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of ten seconds."""
    path = tmp_path_factory.mktemp("sample") / "sample.mp4"
    return make_video(path, [(RED, 10.0)], size=(64, 64), fps=2)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "videos").mkdir()
    shutil.copy(sample, tmp_path / "videos/good.mp4")
    return tmp_path


def built(videos: str | list[str] = "videos", **settings: Any) -> dict[str, Target]:
    config = Config.model_validate({"videos": videos, **settings})
    return {target.name: target for target in targets(video_table(config)).values()}


def test_what_can_not_be_played_is_told_before_anything_is_bought(folder: Path) -> None:
    good = (folder / "videos/good.mp4").read_bytes()
    (folder / "videos/empty.mp4").touch()
    (folder / "videos/page.mp4").write_bytes(b"<html>not found</html>" * 50)
    (folder / "videos/short.mp4").write_bytes(good[: len(good) // 2])
    make_sound(folder / "videos/song.mp4")
    (folder / "videos/away.mp4").symlink_to("nowhere.mp4")
    with pytest.raises(ReelmakeError) as caught:
        built(["videos", "videos/away.mp4"])
    told = caught.value.message
    assert "videos/empty.mp4 can't be read as a video: it is empty" in told
    assert "videos/page.mp4 can't be read as a video" in told
    assert "videos/short.mp4 ends before its index" in told
    assert "videos/song.mp4 has sound but no pictures" in told
    assert "videos/away.mp4: a link to a file that is not there" in told
    others = built(on_bad_input="skip")
    assert {name: target.problem_code for name, target in others.items()} == {
        "good": None,
        "empty": "video_unreadable",
        "page": "video_unreadable",
        "short": "video_truncated",
        "song": "video_without_pictures",
    }
    with pytest.raises(ReelmakeError) as caught:
        video_facts(others["short"], Checksums(folder / "checksums"))
    assert caught.value.code == "video_truncated"


@pytest.mark.parametrize(
    ("start", "end", "problem"),
    [
        ("", "0:11", None),  # a clock that was rounded up
        ("", "0:20", "end: 00:20 is beyond its end at 00:10"),
        ("0:10", "", "start: 00:10 is beyond its end at 00:10"),
    ],
)
def test_a_time_range_has_to_be_in_the_video(
    folder: Path, start: str, end: str, problem: str | None
) -> None:
    (folder / "t.csv").write_text(f"video,start,end\nvideos/good.mp4,{start},{end}\n")
    (target,) = built("t.csv", on_bad_input="skip").values()
    expected = problem and f"t.csv, line 2: videos/good.mp4: {problem}"
    assert target.problem == expected


def test_longer_videos_are_refused_when_a_limit_is_set(folder: Path) -> None:
    (target,) = built(max_duration_minutes=0.1, on_bad_input="skip").values()
    assert target.problem_code == "video_too_long"
    assert "lasts 00:10, longer than `max_duration_minutes: 0.1`" in (target.problem or "")
    (folder / "t.csv").write_text("video,end\nvideos/good.mp4,5\n")
    (part,) = built("t.csv", max_duration_minutes=0.1).values()
    assert part.problem is None


def test_each_video_is_looked_into_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "videos/bad.mp4").touch()
    first = built(on_bad_input="skip")
    monkeypatch.setattr(sys, "executable", "/bin/false")  # nothing can be started any more
    assert built(on_bad_input="skip") == first
    (folder / "videos/bad.mp4").rename(folder / "videos/moved.mp4")
    (folder / "videos/good.mp4").rename(folder / "videos/also moved.mp4")
    with pytest.raises(ReelmakeError, match="ended early"):  # a rename changes its status
        built(on_bad_input="skip")
    (folder / "videos/moved.mp4").unlink()
    assert built()["also moved"].probe == first["good"].probe


def test_a_video_that_changed_is_looked_into_again(folder: Path) -> None:
    assert built()["good"].probe
    (folder / "videos/good.mp4").write_bytes(b"no video")
    assert built(on_bad_input="skip")["good"].problem_code == "video_unreadable"


def test_jobs_take_what_the_table_saw(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = built()["good"]
    monkeypatch.setattr("reelmake.media.probe", None)  # calling it would fail
    facts = video_facts(target, Checksums(folder / "checksums"))
    assert facts.duration_s == pytest.approx(10.0)
    assert facts.width == 64


def test_a_folder_that_can_not_be_written_is_told_and_no_hindrance(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "results").write_text("a file where the folder should be")
    assert built()["good"].probe
    assert "can't be remembered" in capsys.readouterr().err


def test_elsewhere_nothing_is_looked_into(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    config = Config.model_validate({"videos": "videos"})
    (target,) = targets(video_table(config, probe=False)).values()
    assert (target.probe, target.problem) == (None, None)
    config = Config.model_validate({"videos": ["videos", "gone.mp4"]})
    found = targets(video_table(config, probe=False, refuse=False)).values()
    assert [bool(target.problem) for target in found] == [False, True]


def test_a_file_that_never_ends_or_kills_its_reader_does_not_stop_the_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader is replaced by one that a file can hang and kill; all around it is real."""
    (folder / "reelmake").mkdir()
    package = Path(probing.__file__).parent
    for name in [
        "__init__",
        "probing",
        "probes",
        "errors",
        "files",
        "forking",
        "memory",
        "translation",
    ]:
        shutil.copy(package / f"{name}.py", folder / "reelmake")
    shutil.copy(package / "failures.yaml", folder / "reelmake")
    (folder / "reelmake/media.py").write_text(
        "import os, time\n"
        "from reelmake.probes import Probe\n"
        "def probe(path):\n"
        "    if path.name == 'hangs.mp4': time.sleep(60)\n"
        "    if path.name == 'kills.mp4': os.kill(os.getpid(), 9)\n"
        "    return Probe(1.0, 'mp4', 1, 1, 1, 1.0, 'h264', None, 0, None)\n"
    )
    monkeypatch.setattr(probing, "_PACKAGES", folder)
    paths = ["a.mp4", "hangs.mp4", "b.mp4", "kills.mp4", "c.mp4"]
    found = {path: (result, kept) for path, result, kept in probing.probe_all(paths, timeout_s=3)}
    assert list(found) == paths
    for path in ("a.mp4", "b.mp4", "c.mp4"):
        assert isinstance(found[path][0], Probe)
    for path in ("hangs.mp4", "kills.mp4"):
        result, kept = found[path]
        assert isinstance(result, Unusable)
        assert not kept


def test_progress_is_told_when_it_takes_longer(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "_SHOW_AFTER_S", 0.05)

    def lines() -> Iterator[str]:
        for number in range(10):
            time.sleep(0.02)
            yield str(number)

    assert len(list(probing._with_progress(lines(), 10))) == 10
    told = capsys.readouterr().err.splitlines()
    assert told[-1] == "looking into videos: 10 of 10, 0 s left"
    assert len(told) == 2


def test_a_damaged_or_lost_memory_is_an_empty_one(tmp_path: Path, sample: Path) -> None:
    file = tmp_path / "probes.json"
    status = sample.stat()
    result = Unusable("video_truncated", f"{sample} ends early.")
    for content in (b"", b"[]", b'{"x": 1}', b"\xff", b'{"a'):
        file.write_bytes(content)
        cache = ProbeCache(file)
        assert cache.get(str(sample), status) is None
        cache.add([(str(sample), status, result)])
        assert ProbeCache(file).get(str(sample), status) == result
        assert ProbeCache(file).get("moved.mp4", status) == Unusable(
            "video_truncated", "moved.mp4 ends early."
        )


def test_two_runs_add_to_one_memory(tmp_path: Path, sample: Path) -> None:
    other = tmp_path / "other.mp4"
    other.touch()
    one, two = ProbeCache(tmp_path / "p.json"), ProbeCache(tmp_path / "p.json")
    one.add([(str(sample), sample.stat(), Unusable("video_truncated", "1"))])
    two.add([(str(other), other.stat(), Unusable("video_truncated", "2"))])
    both = ProbeCache(tmp_path / "p.json")
    assert both.get(str(sample), sample.stat()) == Unusable("video_truncated", "1")
    assert both.get(str(other), other.stat()) == Unusable("video_truncated", "2")
