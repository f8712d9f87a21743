"""Opening videos safely and decoding them, for media.py.

Videos are untrusted input: only real video containers are opened, and only as local files (FFmpeg
would follow a playlist to other files or hosts); the size of pictures and the length of fruitless
reading are bounded. A damaged packet is skipped, as players do.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import av
import av.error
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream
from numpy.typing import NDArray

from reelmake.errors import ReelmakeError

SAMPLE_RATE = 16_000
MICROSECONDS = 1_000_000

Samples = NDArray[np.float32]

_CONTAINERS = "mov,matroska,avi,mpeg,mpegvideo,mpegts,flv,asf"
_MAX_SIDE = 8192
_MAX_FRUITLESS_PACKETS = 5_000


class Source(NamedTuple):
    """An open video."""

    path: Path
    container: InputContainer
    video: VideoStream
    offset_s: float
    """What the file's own clock shows at the beginning."""

    def time(self, frame: av.VideoFrame | av.AudioFrame) -> float:
        return max((frame.time or 0.0) - self.offset_s, 0.0)

    def seek(self, stream: AudioStream | VideoStream, time_s: float) -> None:
        """Go to the last place at or before this moment where decoding can begin."""
        at = math.floor(max(time_s + self.offset_s, 0.0) / (stream.time_base or 1))
        self.container.seek(at, stream=stream)


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """Open a video; whatever FFmpeg can't do with it becomes a ReelmakeError."""
    options = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}
    try:
        with av.open(f"file:{path}", options=options, metadata_errors="replace") as container:
            video = _video_stream(path, container)
            video.thread_type = "AUTO"
            video.codec_context.thread_count = 2
            yield Source(path, container, video, (container.start_time or 0) / MICROSECONDS)
    except FileNotFoundError as error:
        raise ReelmakeError("video_missing", f"There is no file {path}.") from error
    except (OSError, ValueError, av.error.FFmpegError) as error:
        if path.is_file() and _lost_its_index(path):
            raise ReelmakeError("video_truncated", f"{path} ends before its index.") from error
        reason = "it is empty" if path.is_file() and not path.stat().st_size else str(error)
        message = f"{path} can't be read as a video: {reason}"
        raise ReelmakeError("video_unreadable", message) from error


def _video_stream(path: Path, container: InputContainer) -> VideoStream:
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:  # the cover of a song is no video
            if stream.codec_context is None:
                break
            _check_size(path, stream.codec_context.width, stream.codec_context.height)
            return stream
    if container.streams.video or not container.streams.audio:
        raise ReelmakeError("video_unreadable", f"{path} has no picture that can be decoded.")
    raise ReelmakeError("video_without_pictures", f"{path} has sound but no pictures.")


def _check_size(path: Path, width: int, height: int) -> None:
    if max(width, height) > _MAX_SIDE:
        message = f"{path} has pictures of {width} × {height}; up to {_MAX_SIDE} a side are read."
        raise ReelmakeError("video_unreadable", message)


def _lost_its_index(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(8)[4:] == b"ftyp"  # it starts as an MP4, so it can only be cut short


def pictures(source: Source) -> Iterator[av.VideoFrame]:
    """The pictures from where the source stands to the end."""
    for frame in _decoded(source, source.video):
        if isinstance(frame, av.VideoFrame):
            _check_size(source.path, frame.width, frame.height)
            yield frame


def pictures_from(source: Source, time_s: float) -> Iterator[av.VideoFrame]:
    """The pictures from a key frame at or before this moment on; beyond the end, the last ones."""
    for back in (0.0, 10.0, math.inf):  # some indexes lead past the moment, or past the end
        source.seek(source.video, time_s - back)
        following = pictures(source)
        first = next(following, None)
        late = first is not None and source.time(first) > time_s
        if first is not None and (not late or back == math.inf):
            yield first
            yield from following
            return


def sound(source: Source, start_s: float, end_s: float | None) -> Iterator[tuple[float, Samples]]:
    """The first audio stream as mono at SAMPLE_RATE, in small pieces with their times."""
    stream = source.container.streams.audio[0]
    if start_s > 0:
        source.seek(stream, start_s)
    resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE)
    for frame in _decoded(source, stream):
        if not isinstance(frame, av.AudioFrame):
            continue
        time_s = source.time(frame)
        if end_s is not None and time_s >= end_s:
            return
        try:
            pieces = resampler.resample(frame)
        except ValueError:  # the format changes in mid-stream
            resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE)
            pieces = resampler.resample(frame)
        early = max(round((start_s - time_s) * SAMPLE_RATE), 0)
        samples = np.concatenate([np.zeros(0, np.float32), *(p.to_ndarray()[0] for p in pieces)])
        if end_s is not None:
            samples = samples[: max(round((end_s - time_s) * SAMPLE_RATE), 0)]
        if len(samples) > early:
            yield time_s + early / SAMPLE_RATE, samples[early:]


def _decoded(
    source: Source, stream: AudioStream | VideoStream
) -> Iterator[av.VideoFrame | av.AudioFrame]:
    fruitless = 0
    for packet in source.container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            frames = []
        fruitless = 0 if frames else fruitless + 1
        if fruitless > _MAX_FRUITLESS_PACKETS:
            message = f"{source.path} is damaged: {fruitless} packets in a row decode to nothing."
            raise ReelmakeError("video_unreadable", message)
        yield from (frame for frame in frames if isinstance(frame, av.VideoFrame | av.AudioFrame))
