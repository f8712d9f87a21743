import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelmake.config import Config
from reelmake.errors import ReelmakeError
from reelmake.targets import Target
from reelmake.video_table import distinct_names, targets, video_table


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with some videos, and with what is none."""
    monkeypatch.chdir(tmp_path)
    for name in ("b.mp4", "a.MKV", "week 2/c.webm", ".hidden/d.mp4", "week 2/.e.mp4", "notes.txt"):
        path = tmp_path / "videos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path


def built(videos: str | list[str], **settings: object) -> list[Target]:
    config = Config.model_validate({"videos": videos, **settings})
    return list(targets(video_table(config)).values())


@pytest.mark.parametrize(
    ("videos", "expected"),
    [
        ("videos", ["videos/a.MKV", "videos/b.mp4", "videos/week 2/c.webm"]),
        ("videos/*.mp4", ["videos/b.mp4"]),
        ("videos/**/*", ["videos/a.MKV", "videos/b.mp4", "videos/week 2/c.webm"]),
        ("videos/b.mp4", ["videos/b.mp4"]),
        (["videos/b.mp4", "videos", "./videos/b.mp4"], ["videos/b.mp4", "videos/a.MKV"]),
    ],
)
def test_folders_globs_and_files_mix(
    folder: Path, videos: str | list[str], expected: list[str]
) -> None:
    found = [target.video for target in built(videos)]
    assert found[: len(expected)] == expected
    assert len(found) == len(set(found))


def test_a_target_carries_what_the_config_says_of_all(folder: Path) -> None:
    (target,) = built("videos/b.mp4", template="summary_report", language="en")
    assert target == Target(
        video="videos/b.mp4", name="b", template="summary_report", language="en"
    )
    assert target.key == ("summary_report", "b")


def test_a_folder_whose_name_looks_like_a_glob_is_a_folder(folder: Path) -> None:
    (folder / "talks [2026]").mkdir()
    (folder / "talks [2026]/x.mp4").touch()
    assert [target.video for target in built("talks [2026]")] == ["talks [2026]/x.mp4"]


def test_what_can_not_be_used_is_told_all_at_once(folder: Path) -> None:
    with pytest.raises(ReelmakeError) as caught:
        built(["videos", "gone.mp4", "videos/notes.txt"])
    assert "gone.mp4: no such file" in caught.value.message
    assert "videos/notes.txt: expected a video (3gp avi" in caught.value.message


@pytest.mark.parametrize(
    ("video", "settings", "problem"),
    [
        ("https://youtu.be/abc", {"engine": "gemini"}, None),
        ("https://example.org/a.mp4", {"engine": "local"}, "`engine: local` needs a file"),
        ("http://example.org/a.mp4", {"engine": "gemini"}, "expected an https:// address"),
        ("file:///etc/passwd", {"engine": "gemini"}, "expected an https:// address"),
        ("gs://bucket/a.mp4", {"engine": "gemini"}, "gs:// needs `gemini.vertex`"),
        ("gs://bucket/a.mp4", {"engine": "gemini", "gemini": {"vertex": {"project": "p"}}}, None),
        ("videos/b.mp4", {"engine": "gemini", "gemini": {"vertex": {"project": "p"}}}, "bucket"),
    ],
)
def test_addresses_go_only_where_they_can_be_read(
    folder: Path, video: str, settings: dict[str, object], problem: str | None
) -> None:
    (target,) = built(video, on_bad_input="skip", **settings)
    assert (target.problem is None) == (problem is None)
    assert (problem or "") in (target.problem or "")


def test_with_skip_the_row_stays_and_says_its_problem(folder: Path) -> None:
    found = built(["videos/b.mp4", "gone.mp4"], on_bad_input="skip")
    assert [target.problem for target in found] == [None, "gone.mp4: no such file or folder"]


def test_no_videos_at_all_is_an_error(folder: Path) -> None:
    (folder / "empty").mkdir()
    for policy in ("fail", "skip"):
        with pytest.raises(ReelmakeError, match="no videos found in empty"):
            built("empty", on_bad_input=policy)


@pytest.mark.parametrize(
    ("videos", "names"),
    [
        (["a/光合作用.mp4"], ["光合作用"]),
        (["a/Lecture 01.mp4"], ["Lecture 01"]),
        (["a/x.mp4"], ["x"]),
        (["a/$(rm -rf ~).mp4"], ["rm -rf"]),
        (["a/{video}.mp4"], ["video"]),
        (["a/con.mp4"], ["con_"]),
        (["a/....mp4"], ["video"]),
        (["a/two\nlines.mp4"], ["two-lines"]),
        (["a/" + "长短" * 42 + ".mp4"], ["长短" * 3]),
        (["a/talk" + "ha" * 20 + ".mp4"], ["talkhahaha"]),
        (["a/" + "0" * 20 + ".mp4"], ["000"]),
    ],
)
def test_names_are_readable_and_safe(videos: list[str], names: list[str]) -> None:
    assert distinct_names(videos) == names


@pytest.mark.parametrize(
    "videos",
    [
        ["a/x.mp4", "b/x.mp4"],
        ["a/x.mp4", "a/x.mkv"],
        ["a/Intro.mp4", "a/intro.mp4"],
        ["a/caf\u00e9.mp4", "a/cafe\u0301.mp4"],
        ["a/x?.mp4", "a/x*.mp4"],
        ["a/" + "0" * 20 + ".mp4", "a/" + "0" * 21 + ".mp4"],
    ],
)
def test_names_that_would_be_one_are_told_apart_in_any_order(videos: list[str]) -> None:
    forward = dict(zip(videos, distinct_names(videos), strict=True))
    backward = dict(zip(videos[::-1], distinct_names(videos[::-1]), strict=True))
    assert forward == backward
    assert len({name.casefold() for name in forward.values()}) == len(videos)


paths = st.text(
    alphabet=st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=90
)


@given(st.lists(paths, unique=True, max_size=6))
def test_any_name_is_one_path_component_that_fits(videos: list[str]) -> None:
    for name in distinct_names([f"folder/{video}.mp4" for video in videos]):
        assert name
        assert not set(name) & set('/\\{}<>|:*?"$`\n\r\0')
        assert name.strip(" .") == name
        assert len(f"{name}.assets".encode()) < 255
        assert not re.search(r"(.+?)\1{19,}$", name)
