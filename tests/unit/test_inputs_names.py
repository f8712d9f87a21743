"""Names of reports."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pathvalidate import is_valid_filename

from reelmake.inputs.names import distinct_names, safe_name


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


def test_thousands_of_videos_of_one_name_stay_thousands() -> None:
    videos = [f"week {number}/lecture.mp4" for number in range(10_000)]
    assert len(set(distinct_names(videos))) == len(videos)


def test_a_name_that_was_given_is_not_taken_by_another() -> None:
    (name,) = distinct_names(["a/Intro.mp4"], taken=["intro"])
    assert re.fullmatch("Intro-[0-9a-f]{6}", name)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ", "youtube-dQw4w9WgXcQ"),
        ("https://example.org/talks/Week%201.mp4?token=1#t", "Week 1"),
        ("https://example.org/..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("https://example.org/", "example.org"),
        ("s3://bucket/a/b.mp4", "b"),
    ],
)
def test_an_address_gives_a_name_too(url: str, name: str) -> None:
    assert distinct_names([url]) == [name]


@given(st.lists(paths, min_size=1, max_size=6, unique=True), st.randoms())
def test_names_are_distinct_everywhere_whatever_the_order(videos: list[str], random) -> None:  # type: ignore[no-untyped-def]
    files = [f"{video}/{video}.mp4" for video in videos]
    names = dict(zip(files, distinct_names(files), strict=True))
    random.shuffle(files)
    assert dict(zip(files, distinct_names(files), strict=True)) == names
    folded = {unicodedata.normalize("NFKC", name).casefold() for name in names.values()}
    assert len(folded) == len(files)


@given(paths | st.sampled_from(["CON", "nul.txt", "Com1.x", "LPT9", "clock$", "a:b", "x. ", "~"]))
def test_a_safe_name_is_one_to_every_system(text: str) -> None:
    assert is_valid_filename(safe_name(text), platform="universal")


@given(paths)
def test_a_safe_name_is_safe_as_it_is(text: str) -> None:
    assert safe_name(safe_name(text)) == safe_name(text)
