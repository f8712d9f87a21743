"""YouTube's many links, made one: https://www.youtube.com/watch?v=ID."""

import re
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from reelmake.errors import ReelmakeError

_HOSTS = ("youtube.com", "youtu.be", "youtube-nocookie.com")
_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_PLAYLIST_ID = re.compile(r"[A-Za-z0-9_-]{12,64}")
_BARE = re.compile(r"(?:(?:www|m|music)\.)?(?:youtube\.com|youtu\.be)/", re.IGNORECASE)
_VIDEO_PATHS = ("shorts", "live", "embed", "v", "e")
_TIMEOUT_S = 30
_MAX_VIDEOS = 5000


class YouTube(NamedTuple):
    """What a link leads to: one of the two is set."""

    video: str | None = None
    playlist: str | None = None


def is_youtube(url: str) -> bool:
    """Whether it is a link to YouTube, with or without ``https://``."""
    if _BARE.match(url):
        return True
    try:
        return "://" in url and _host(url) in _HOSTS
    except ValueError:
        return False


def read_link(url: str) -> YouTube:
    """The video or playlist that a link leads to; where in the video it starts is left out.

    A video within a playlist is the video. Raises ValueError, with the reason, for other pages.
    """
    if _BARE.match(url):
        url = f"https://{url}"
    parts = urlsplit(url)
    if parts.username or parts.password or parts.port not in (None, 80, 443):
        raise ValueError("expected a plain link to YouTube, without name, password or port")
    query = parse_qs(parts.query)
    found = _video_id(_host(url), [part for part in parts.path.split("/") if part], query)
    if found and _ID.fullmatch(found):
        return YouTube(video=f"https://www.youtube.com/watch?v={found}")
    playlist = query.get("list", [""])[0]
    if _PLAYLIST_ID.fullmatch(playlist):
        return YouTube(playlist=f"https://www.youtube.com/playlist?list={playlist}")
    if found:
        raise ValueError(f"{found!r} is no video of YouTube: expected 11 letters and digits")
    raise ValueError("leads to no video: expected https://www.youtube.com/watch?v=…")


def video_id(canonical: str) -> str | None:
    """The ID in a canonical link; None when it is none."""
    found = re.fullmatch(r"https://www\.youtube\.com/watch\?v=([A-Za-z0-9_-]{11})", canonical)
    return found[1] if found else None


def videos_of_playlist(playlist: str) -> list[str]:
    """Canonical links of a playlist's videos, in its order.

    Raises ReelmakeError when yt-dlp is not installed or the playlist can't be read.
    """
    try:
        from yt_dlp import YoutubeDL  # noqa: PLC0415  an optional extra
    except ImportError:
        message = "reading a playlist needs yt-dlp: `pip install -r requirements/youtube.txt`"
        raise ReelmakeError("extra_missing", message) from None
    options = {
        "extract_flat": "in_playlist",
        "quiet": True,
        "no_warnings": True,
        "socket_timeout": _TIMEOUT_S,
        "extractor_retries": 1,
        "playlistend": _MAX_VIDEOS,
        "cachedir": False,
    }
    try:
        with YoutubeDL(options) as client:  # type: ignore[no-untyped-call]
            found = client.extract_info(playlist, download=False, process=True) or {}
        ids = [entry["id"] for entry in found.get("entries") or () if entry]
    except Exception as error:  # noqa: BLE001  yt-dlp raises whatever a page makes it raise
        reason = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        raise ReelmakeError("playlist_unreadable", f"yt-dlp can't read it: {reason}") from None
    links = [f"https://www.youtube.com/watch?v={key}" for key in ids if _ID.fullmatch(str(key))]
    if not links:
        raise ReelmakeError("playlist_unreadable", "the playlist has no videos")
    return links


def _host(url: str) -> str:
    host = (urlsplit(url).hostname or "").lower()
    return re.sub(r"^(?:www|m|music)\.", "", host)


def _video_id(host: str, path: list[str], query: dict[str, list[str]]) -> str | None:
    if host == "youtu.be":
        return path[0] if path else None
    if len(path) > 1 and path[0] in _VIDEO_PATHS:
        # embed/videoseries is a playlist's player
        return None if path[1] == "videoseries" else path[1]
    return query.get("v", [None])[0]
