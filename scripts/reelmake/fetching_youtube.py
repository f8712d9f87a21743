"""Bringing a video from YouTube, by yt-dlp: an optional extra, run as a process of its own."""

import importlib.util
import logging
import subprocess
import sys
import tempfile
from pathlib import Path

from reelmake.errors import ReelmakeError
from reelmake.fetching import LIMITS, Limits

log = logging.getLogger(__name__)


def fetch_youtube(url: str, path: Path, *, limits: Limits = LIMITS) -> None:
    """Download the video at a canonical link to ``path``. Raises ReelmakeError."""
    if importlib.util.find_spec("yt_dlp") is None:
        message = f"{url}: fetching it needs yt-dlp: `pip install -r requirements/youtube.txt`"
        raise ReelmakeError("extra_missing", message)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".youtube-") as folder:
        video = Path(folder) / "video.mp4"
        command = [sys.executable, "-I", "-m", "yt_dlp", *arguments(url, video, limits)]
        try:
            done = subprocess.run(  # noqa: S603  the address stands after --
                command, capture_output=True, text=True, timeout=limits.seconds, check=False
            )
        except subprocess.TimeoutExpired:
            hours = limits.seconds / 3600
            message = f"{url} takes longer than {hours:g} hours."
            raise ReelmakeError("fetch_too_large", message) from None
        log.debug("yt-dlp: %s", done.stdout[-2000:])
        if done.returncode or not video.is_file():
            said = (done.stderr or done.stdout).strip().splitlines() or ["it says nothing"]
            raise ReelmakeError("fetch_failed", f"{url}: yt-dlp can't fetch it: {said[-1][:500]}")
        video.replace(path)


def arguments(url: str, video: Path, limits: Limits) -> list[str]:
    """No configuration, plug-ins, cookies, playlists, or programs; one file of a fixed name."""
    return [
        "--ignore-config",
        "--no-plugin-dirs",
        "--no-playlist",
        "--restrict-filenames",
        "--no-exec",
        "--no-cookies",
        "--no-cookies-from-browser",
        "--no-cache-dir",
        "--no-progress",
        *("--max-filesize", str(limits.size_bytes)),
        *("--socket-timeout", str(round(limits.silence_s))),
        *("--retries", str(limits.attempts)),
        # One file with sound: joining two would need another program.
        *("--format", "best[ext=mp4][height<=1080]/best[ext=mp4]"),
        *("--output", str(video).replace("%", "%%")),
        "--",
        url,
    ]
