"""YouTube's links."""

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelmake.errors import ReelmakeError
from reelmake.inputs.expand import expand
from reelmake.inputs.youtube import YouTube, is_youtube, read_link, video_id, videos_of_playlist

KEY = "dQw4w9-_gXc"
CANONICAL = f"https://www.youtube.com/watch?v={KEY}"
PLAYLIST = "PLabcdefghijklmnop"

ids = st.text("abcXYZ019_-", min_size=11, max_size=11)
forms = st.sampled_from(
    [
        "https://www.youtube.com/watch?v={}",
        "http://youtube.com/watch?v={}",
        "https://m.youtube.com/watch?app=desktop&v={}",
        "https://music.youtube.com/watch?v={}",
        "https://youtu.be/{}",
        "https://www.youtube.com/shorts/{}",
        "https://www.youtube.com/live/{}",
        "https://www.youtube.com/embed/{}",
        "https://www.youtube-nocookie.com/embed/{}",
        "https://www.youtube.com/v/{}",
        "www.youtube.com/watch?v={}",
        "youtu.be/{}",
        "HTTPS://YOUTU.BE/{}",
    ]
)
additions = st.lists(
    st.sampled_from(["t=83s", "start=5", f"list={PLAYLIST}", "index=3", "si=abc", "feature=share"]),
    unique=True,
)


@given(ids, forms, additions)
def test_all_links_to_a_video_are_one(key: str, form: str, added: list[str]) -> None:
    link = form.format(key)
    for addition in added:
        link += ("&" if "?" in link else "?") + addition
    assert is_youtube(link)
    canonical = f"https://www.youtube.com/watch?v={key}"
    assert read_link(link) == YouTube(video=canonical)
    assert video_id(canonical) == key


@pytest.mark.parametrize(
    "link",
    [
        f"https://www.youtube.com/playlist?list={PLAYLIST}",
        f"https://www.youtube.com/embed/videoseries?list={PLAYLIST}",
        f"https://youtube.com/watch?list={PLAYLIST}",
    ],
)
def test_a_link_to_a_playlist_alone_is_the_playlist(link: str) -> None:
    assert read_link(link) == YouTube(playlist=f"https://www.youtube.com/playlist?list={PLAYLIST}")


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ("https://www.youtube.com/@somebody", "leads to no video"),
        ("https://www.youtube.com/", "leads to no video"),
        ("https://www.youtube.com/watch?v=short", "'short' is no video"),
        (f"https://user:word@youtube.com/watch?v={KEY}", "without name, password or port"),
    ],
)
def test_other_pages_are_told(link: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_link(link)


@pytest.mark.parametrize(
    "link",
    ["https://youtube.com.evil.org/watch?v=x", "https://example.org/youtu.be/x", "notyoutu.be/x"],
)
def test_what_only_looks_like_youtube_is_not(link: str) -> None:
    assert not is_youtube(link)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = read_link(f"https://youtube.com/{text}")
    except ValueError:
        return
    assert (found.video is None) != (found.playlist is None)


def test_a_playlist_without_the_extra_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yt_dlp", None)
    (found,) = expand([f"https://www.youtube.com/playlist?list={PLAYLIST}"])
    assert found.problems[0].code == "extra_missing"
    assert "needs yt-dlp" in found.problems[0].message


def test_a_playlist_becomes_its_videos(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the real yt-dlp; only YouTube's answer is put in, since tests have no network."""
    yt_dlp = pytest.importorskip("yt_dlp")
    asked: dict[str, Any] = {}

    def answer(self: Any, url: str, **arguments: Any) -> dict[str, Any]:
        asked.update(self.params, url=url, **arguments)
        return {"entries": [{"id": KEY}, None, {"id": "../../etc"}, {"id": "abcdefghijk"}]}

    monkeypatch.setattr(yt_dlp.YoutubeDL, "extract_info", answer)
    found = videos_of_playlist(f"https://www.youtube.com/playlist?list={PLAYLIST}")
    assert found == [CANONICAL, "https://www.youtube.com/watch?v=abcdefghijk"]
    assert (asked["download"], asked["extract_flat"]) == (False, "in_playlist")
    assert asked["socket_timeout"]


def test_a_playlist_that_can_not_be_read_is_told() -> None:
    pytest.importorskip("yt_dlp")
    with pytest.raises(ReelmakeError) as caught:  # there is no such scheme, so no network is needed
        videos_of_playlist("nowhere://list")
    assert caught.value.code == "playlist_unreadable"
