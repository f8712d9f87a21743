"""Whether a row can be used, before anything is bought; all that can be known without a service."""

import os
import re
from collections.abc import Collection
from importlib.util import find_spec
from urllib.parse import urlsplit

from reelmake.config import Config
from reelmake.inputs.mentions import Mention, Problem
from reelmake.inputs.youtube import video_id
from reelmake.probes import Probe, Unusable
from reelmake.targets import VIDEO_SUFFIXES, is_url
from reelmake.timestamps import format_clock

STORAGE_PLUGINS = {
    "s3": "snakemake-storage-plugin-s3",
    "gs": "snakemake-storage-plugin-gcs",
    "gcs": "snakemake-storage-plugin-gcs",
    "az": "snakemake-storage-plugin-azure",
    "sftp": "snakemake-storage-plugin-sftp",
    "ftp": "snakemake-storage-plugin-ftp",
}
_NO_UPLOADS = "Vertex AI takes no uploads; put it into a bucket and name it by gs://"
_SPREADSHEETS = (".xlsx", ".xls", ".ods", ".numbers")


def scheme(video: str) -> str:
    return video.partition("://")[0].lower()


def is_fetched(video: str, config: Config) -> bool:
    """Whether its bytes have to be brought here, because the engine can't read the address."""
    if not is_url(video) or (scheme(video) == "gs" and config.gemini.vertex):
        return False
    needs_bytes = config.download or config.engine != "gemini"
    return needs_bytes or scheme(video) in STORAGE_PLUGINS


def problem_of_address(video: str, config: Config) -> str | None:
    """Why this address can't be used, or None."""
    if scheme(video) not in (*STORAGE_PLUGINS, "https"):
        return "expected an https:// address"
    try:
        parts = urlsplit(video)
        _ = parts.port
    except ValueError as error:
        return str(error)
    # Names of objects in buckets are no addresses, and may have blanks.
    if re.search(r"[\s\x7f]" if scheme(video) == "https" else r"[\x00-\x1f\x7f]", video):
        return "an address has no blanks; write %20 for one"
    if not parts.hostname or parts.username or parts.password:
        return "expected an address with a host, and without a name or password"
    if is_fetched(video, config):
        return _problem_of_fetching(video, config)
    return None


def problem_of_file(path: str, config: Config) -> Problem | None:
    """What can be told of a path without opening it."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return Problem("row_unusable", "a name that is no UTF-8; rename the file")
    suffix = os.path.splitext(path)[1].lower()
    if not os.path.isfile(path):
        broken = os.path.islink(path) and not os.path.exists(path)
        message = "a link to a file that is not there" if broken else "no such file or folder"
        return Problem("video_missing", message)
    if suffix in _SPREADSHEETS:
        return Problem("row_unusable", "a spreadsheet; save it as .csv")
    if suffix not in VIDEO_SUFFIXES:
        known = " ".join(sorted(suffix[1:] for suffix in VIDEO_SUFFIXES))
        return Problem("row_unusable", f"expected a video ({known})")
    if config.engine == "gemini" and config.gemini.vertex:
        return Problem("row_unusable", _NO_UPLOADS)
    return None


def problem_of_content(mention: Mention, found: Probe | Unusable, config: Config) -> Problem | None:
    """What its content says against it: damage, length, and a time range beyond its end."""
    if isinstance(found, Unusable):
        return Problem(found.code, found.message)
    end_s = min(mention.end_s or found.duration_s, found.duration_s)
    start_s = mention.start_s or 0.0
    if start_s >= found.duration_s:
        clock = format_clock(found.duration_s)
        message = f"start: {format_clock(start_s)} is beyond its end at {clock}"
        return Problem("row_unusable", message)
    # Clock times are whole seconds: what is rounded up is not told.
    if mention.end_s is not None and mention.end_s > found.duration_s + 1.0:
        clock = format_clock(found.duration_s)
        message = f"end: {format_clock(mention.end_s)} is beyond its end at {clock}"
        return Problem("row_unusable", message)
    most = config.max_duration_minutes
    if most is not None and end_s - start_s > most * 60:
        message = (
            f"lasts {format_clock(end_s - start_s)}, longer than `max_duration_minutes: {most:g}`"
        )
        return Problem("video_too_long", message)
    return None


def problem_of_template(template: str, known: Collection[str]) -> str | None:
    return (
        None
        if template in known
        else f"template: there is no {template!r}; available: {', '.join(sorted(known))}"
    )


def _problem_of_fetching(video: str, config: Config) -> str | None:
    if config.engine == "gemini" and config.gemini.vertex:
        return _NO_UPLOADS
    if video_id(video) and find_spec("yt_dlp") is None:
        return "fetching from YouTube needs yt-dlp: `pip install -r requirements/youtube.txt`"
    if scheme(video) not in STORAGE_PLUGINS:
        return None
    if not urlsplit(video).path.strip("/"):
        return "names a bucket; expected one video in it"
    plugin = STORAGE_PLUGINS[scheme(video)]
    if find_spec(plugin.replace("-", "_")) is None:
        vertex = "`gemini.vertex`, or " if scheme(video) == "gs" else ""
        return f"{scheme(video)}:// needs {vertex}`pip install {plugin}`"
    return None
