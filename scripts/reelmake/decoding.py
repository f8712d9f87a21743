"""Opening videos safely and decoding them, for media.py.

Videos are untrusted input: only real video containers are opened, and only as local files (FFmpeg
would follow a playlist to other files or hosts); what a file may make a process hold at a time is
bounded here, and again by ``limit_memory``. A damaged packet is skipped, as players do.
"""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import av
import av.error
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream
from numpy.typing import NDArray

from reelmake.errors import ReelmakeError
from reelmake.memory import MEMORY_BYTES

SAMPLE_RATE = 16_000
MICROSECONDS = 1_000_000

Samples = NDArray[np.float32]

MAX_SIDE = 8192
MAX_PIXELS = 8192 * 4320
"""The largest pictures that cameras and YouTube have, 8K: decoding them takes about 1 GB."""

_CONTAINERS = "mov,matroska,avi,mpeg,mpegvideo,mpegts,flv,asf"
_MAX_STREAMS = 256
"""Films with all their languages, subtitles and fonts have about a hundred."""
_MAX_FRUITLESS_PACKETS = 5_000
_SOUND_RATES = range(4_000, 768_001)
_MAX_CHANNELS = 64
_MAX_SAMPLES = 1 << 20
"""Of one packet of sound: a minute at the usual rates, where codecs have a tenth of a second."""
_GIGABYTES = round(MEMORY_BYTES / 1e9)
_OPTIONS = {
    "format_whitelist": _CONTAINERS,
    "protocol_whitelist": "file",
    "max_streams": str(_MAX_STREAMS),
    # Of the decoders that FFmpeg itself tries when it opens a file.
    "max_pixels": str(MAX_PIXELS),
    "max_samples": str(_MAX_SAMPLES),
}


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
        try:
            self.container.seek(at, stream=stream)
        except av.error.FFmpegError:  # FLV: the first key frame comes later than the file begins
            self.container.seek(at, stream=stream, backward=False)

    @property
    def audio(self) -> AudioStream | None:
        """The first sound that can be decoded."""
        streams = self.container.streams.audio
        return next((stream for stream in streams if stream.codec_context is not None), None)


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """Open a video; whatever FFmpeg can't do with it becomes a ReelmakeError."""
    begun = False
    try:
        if path.exists() and not path.is_file():  # opening a pipe would wait for who writes it
            raise ReelmakeError("video_unreadable", f"{path} is a folder, a pipe or a device.")
        with av.open(f"file:{path}", options=_OPTIONS, metadata_errors="replace") as container:
            begun = True
            video = _video_stream(path, container)
            video.thread_type = "AUTO"
            video.codec_context.thread_count = 2
            video.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
            yield Source(path, container, video, (container.start_time or 0) / MICROSECONDS)
    except FileNotFoundError as error:
        raise ReelmakeError("video_missing", f"There is no file {path}.") from error
    except MemoryError as error:
        message = f"{path} is damaged, or made so: it asks for {_GIGABYTES} GB of memory or more."
        raise ReelmakeError("video_unreadable", message) from error
    except (OSError, ValueError, OverflowError, av.error.FFmpegError) as error:
        if isinstance(error, PermissionError) and not os.access(path, os.R_OK):
            # Else it is FFmpeg's word for damage of some kinds.
            raise ReelmakeError("video_forbidden", f"{path} may not be read.") from error
        if not path.exists():  # a link that leads to itself
            raise ReelmakeError("video_missing", f"There is no file {path}.") from error
        if not begun and _lost_its_index(path):
            raise ReelmakeError("video_truncated", f"{path} ends before its index.") from error
        reason = str(error) if path.stat().st_size else "it is empty"
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
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        message = (
            f"{path} has pictures of {width} × {height}; "
            f"up to {MAX_SIDE} a side and {MAX_PIXELS / 1e6:.0f} million points are read."
        )
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
    """The first sound as mono at SAMPLE_RATE, in small pieces with their times."""
    stream = source.audio
    if stream is None:
        return
    stream.codec_context.options = {"max_samples": str(_MAX_SAMPLES)}
    if start_s > 0:
        source.seek(stream, start_s)
    resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE)
    for frame in _decoded(source, stream):
        if not isinstance(frame, av.AudioFrame):
            continue
        _check_sound(source.path, frame)
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


def _check_sound(path: Path, frame: av.AudioFrame) -> None:
    """A second of sound must not become an hour of it, or a packet a gigabyte."""
    rate, channels = frame.sample_rate, frame.layout.nb_channels
    if rate not in _SOUND_RATES or channels > _MAX_CHANNELS or frame.samples > _MAX_SAMPLES:
        message = f"{path} has sound that is not decoded: {channels} channels at {rate} Hz."
        raise ReelmakeError("video_unreadable", message)


def packets(source: Source, *streams: AudioStream | VideoStream) -> "Iterator[av.Packet[Any]]":
    """The packets of these streams, or of all, from where the source stands to the end."""
    following = source.container.demux(*streams)
    while True:
        try:
            packet = next(following)
        except (StopIteration, IndexError):  # PyAV ends so where a stream began in the middle
            return
        yield packet


def _decoded(
    source: Source, stream: AudioStream | VideoStream
) -> Iterator[av.VideoFrame | av.AudioFrame]:
    fruitless = 0
    fruitful = failed = False
    for packet in packets(source, stream):
        try:
            frames = packet.decode()
        except MemoryError:
            raise
        except av.error.FFmpegError:  # each decoder has its own words for damage
            frames, failed = [], True
        fruitless = 0 if frames else fruitless + 1
        fruitful = fruitful or bool(frames)
        if fruitless > _MAX_FRUITLESS_PACKETS:
            message = f"{source.path} is damaged: {fruitless} packets in a row decode to nothing."
            raise ReelmakeError("video_unreadable", message)
        yield from (frame for frame in frames if isinstance(frame, av.VideoFrame | av.AudioFrame))
    if failed and not fruitful and stream.type == "audio":  # else it would pass for silence
        raise ReelmakeError("video_unreadable", f"{source.path} has sound that can't be decoded.")
