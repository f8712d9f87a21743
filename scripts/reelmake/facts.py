"""What is known of a target's video before any engine sees it."""

from pathlib import Path
from typing import Protocol

from reelmake.analysis import VideoFacts
from reelmake.errors import ReelmakeError
from reelmake.probes import Probe
from reelmake.targets import Target, is_url
from reelmake.timestamps import format_clock


class Checksums(Protocol):
    """Tells the hexadecimal sha256 of a file."""

    def sha256(self, path: Path, /) -> str: ...


def video_facts(target: Target, checksums: Checksums) -> VideoFacts:
    """Probe and checksum a target's file; of a URL only its source and range are known.

    Raises ReelmakeError when the video, or the row, can't be used.
    """
    if target.problem:
        raise ReelmakeError(target.problem_code or "row_unusable", target.problem)
    if is_url(target.video):
        return VideoFacts(source=target.video, start_s=target.start_s, end_s=target.end_s)
    path = Path(target.video)
    probed = _as_it_was_seen(target) or _probe(path)
    start_s = target.start_s or 0.0
    end_s = min(target.end_s or probed.duration_s, probed.duration_s)
    if start_s >= end_s:
        raise ReelmakeError(
            "row_unusable",
            f"{target.video}: nothing is left from {format_clock(start_s)} "
            f"to {format_clock(end_s)}",
        )
    return VideoFacts(
        source=target.video,
        sha256=checksums.sha256(path),
        size_bytes=probed.size_bytes,
        duration_s=probed.duration_s,
        start_s=target.start_s,
        end_s=end_s,
        container=probed.container,
        width=probed.width,
        height=probed.height,
        frames_per_second=probed.frames_per_second,
        video_codec=probed.video_codec,
        audio_codec=probed.audio_codec,
    )


def _probe(path: Path) -> Probe:
    from reelmake.media import probe  # noqa: PLC0415  FFmpeg is loaded only where videos are opened

    return probe(path)


def _as_it_was_seen(target: Target) -> Probe | None:
    """What the table knows of the file, unless it has been replaced since."""
    try:
        same = target.probe and Path(target.video).stat().st_size == target.probe.size_bytes
    except OSError:
        return None
    return target.probe if same else None
