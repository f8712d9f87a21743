"""Everything that opens a video: facts, sound and pictures. PyAV brings FFmpeg; no program is run.

Times are seconds from the beginning of the video, whatever its own clock starts at.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from reelmake.decoding import (
    MAX_PIXELS,
    MAX_SIDE,
    MICROSECONDS,
    SAMPLE_RATE,
    Samples,
    Source,
    opened,
    packets,
    pictures,
    pictures_from,
    sound,
)
from reelmake.errors import ReelmakeError
from reelmake.files import write_atomically
from reelmake.probes import Probe

# About -50 dB: below the noise of a quiet room.
_SILENCE_RMS = 0.003
_LONGEST_TITLE = 300
_LONGEST_S = 7 * 24 * 3600.0
"""A week: no recording is longer, but clocks that are damaged or made up are."""
_WEBM_CODECS = frozenset({"vp8", "vp9", "av1"})

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture and its moment: RGB of shape (height, width, 3), or grey of (height, width)."""

    time_s: float
    pixels: Pixels


def probe(path: Path) -> Probe:
    """Measure a video without decoding more than its first picture.

    Raises ReelmakeError: video_missing, video_unreadable, video_without_pictures or
    video_truncated.
    """
    with opened(path) as source:
        video, container = source.video, source.container
        first = next(pictures(source), None)
        if first is None:
            message = (
                f"No picture of {path} can be decoded; larger ones than {MAX_SIDE} a side or "
                f"{MAX_PIXELS / 1e6:.0f} million points are not tried."
            )
            raise ReelmakeError("video_unreadable", message)
        sideways = first.rotation % 180 != 0
        width, height = first.width, first.height
        codec = video.codec_context.name
        rate = video.average_rate or video.guessed_rate
        return Probe(
            duration_s=_duration(source),
            container=_container_name(container, codec),
            size_bytes=path.stat().st_size,
            width=height if sideways else width,
            height=width if sideways else height,
            frames_per_second=(round(float(rate), 3) or None) if rate else None,
            video_codec=codec,
            audio_codec=source.audio.codec_context.name if source.audio else None,
            rotation=first.rotation,
            title=_title(container),
        )


def audio_blocks(
    path: Path, start_s: float = 0.0, end_s: float | None = None, *, block_s: float = 300.0
) -> Iterator[tuple[float, Samples]]:
    """The sound as mono at 16 kHz, in blocks of about ``block_s`` with their starts.

    A long recording never is in memory as a whole. Blocks end at the quietest moment of their
    last 30 s, so that few words are cut. A silent video has no blocks.
    """
    with opened(path) as source:
        kept: list[Samples] = []
        begin, count = start_s, 0
        for time_s, samples in sound(source, start_s, end_s):
            # Counted, for a clock that stands still must not make a block without end.
            late_s = time_s - (begin + count / SAMPLE_RATE)
            if late_s > 5.0:  # the recording pauses: go on in a block of its own
                if kept:
                    yield begin, np.concatenate(kept)
                kept, begin, count = [], time_s, 0
            elif late_s > 0.1:
                kept.append(np.zeros(round(late_s * SAMPLE_RATE), np.float32))
                count += len(kept[-1])
            kept.append(samples)
            count += len(samples)
            if count >= block_s * SAMPLE_RATE:
                block = np.concatenate(kept)
                cut = _quietest(block)
                yield begin, block[:cut]
                kept, begin, count = [block[cut:]], begin + cut / SAMPLE_RATE, count - cut
        if kept:
            yield begin, np.concatenate(kept)


def is_silent(path: Path, start_s: float, end_s: float) -> bool:
    """Whether nothing can be heard between two moments, as in a video without sound."""
    return all(
        float(np.sqrt(np.mean(np.square(block)))) < _SILENCE_RMS
        for _, block in audio_blocks(path, start_s, end_s)
    )


def sample_frames(
    path: Path,
    every_s: float,
    start_s: float = 0.0,
    end_s: float | None = None,
    *,
    max_side: int = 320,
) -> Iterator[Frame]:
    """One small grey picture each ``every_s``, in one pass over the file, to find scene changes."""
    with opened(path) as source:
        source.video.codec_context.skip_frame = "NONREF"  # half the work, and others are as good
        due = start_s
        for picture in pictures_from(source, start_s):
            time_s = source.time(picture)
            if end_s is not None and time_s > end_s:
                return
            if time_s >= due:
                scale = min(1.0, max_side / max(picture.width, picture.height))
                width, height = (max(1, round(n * scale)) for n in (picture.width, picture.height))
                small = picture.reformat(width=width, height=height, format="gray")
                yield Frame(time_s, small.to_ndarray().astype(np.uint8, copy=False))
                due = max(due + every_s, time_s + every_s / 2)


def frames_at(path: Path, times: Iterable[float]) -> Iterator[Frame]:
    """The picture that a player shows at each of these moments, full size; one a moment."""
    with opened(path) as source:
        for wanted in times:
            shown: av.VideoFrame | None = None
            for picture in pictures_from(source, wanted):
                if shown is not None and source.time(picture) > wanted:
                    break
                shown = picture
            if shown is not None:
                yield _upright(shown, source.time(shown))


def best_frame(path: Path, time_s: float, within_s: float = 1.5) -> Frame | None:
    """The picture that shows a moment best; None when all there are black or of one colour.

    The sharpest near the moment wins, the nearest among equally sharp ones; those between two
    scenes don't take part. Looks further ahead than back: clock times are rounded down, and what
    was there before the moment is often the scene before.
    """
    frames = list(_frames_near(path, time_s, before_s=within_s / 3, after_s=within_s))
    greys = [_small_grey(frame.pixels) for frame in frames]
    candidates = [
        (_sharpness(grey), -abs(frame.time_s - time_s), index)
        for index, (frame, grey) in enumerate(zip(frames, greys, strict=True))
        if _shows_something(grey) and not _is_blend(greys[max(index - 1, 0) : index + 2])
    ]
    if not candidates:
        return None
    enough = 0.9 * max(candidates)[0]
    _, index = max((near, index) for sharp, near, index in candidates if sharp >= enough)
    return frames[index]


def write_jpeg(frame: Frame, path: Path, *, max_width: int = 1280, quality: int = 4) -> None:
    """Write a picture atomically; ``quality`` is FFmpeg's scale, 2 (best) to 31."""
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame.pixels), format="rgb24")
    scale = min(1.0, max_width / picture.width)
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height = (
        max(1, round(n * scale)) for n in (picture.width, picture.height)
    )
    encoder.pix_fmt = "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.options = {"qmin": str(quality), "qmax": str(quality), "flags": "+bitexact"}
    scaled = picture.reformat(encoder.width, encoder.height, format="yuvj420p")
    packets = encoder.encode(scaled) + encoder.encode(None)
    write_atomically(path, b"".join(bytes(packet) for packet in packets))


def _title(container: InputContainer) -> str | None:
    """One line, as people give titles; a file may hold megabytes under that name."""
    text = (container.metadata.get("title") or "")[: 10 * _LONGEST_TITLE]
    shown = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(shown.split())[:_LONGEST_TITLE].rstrip() or None


def _container_name(container: InputContainer, codec: str) -> str:
    """One name where FFmpeg gives all that it would read the same way."""
    name = container.format.name.split(",")[0]
    if name == "mov":
        return "mov" if container.metadata.get("major_brand", "").startswith("qt") else "mp4"
    if name == "matroska" and codec in _WEBM_CODECS:
        return "webm"
    return name


def _duration(source: Source) -> float:
    """Seconds, as much as a recording can last; what is longer would be paid for by the minute."""
    duration_s = _seen_duration(source)
    if not 0 < duration_s <= _LONGEST_S:
        days = _LONGEST_S / 86_400
        message = f"{source.path} says that it lasts {duration_s:.0f} s; up to {days:.0f} days go."
        raise ReelmakeError("video_unreadable", message)
    return duration_s


def _seen_duration(source: Source) -> float:
    """The claimed duration, once the end of the file has been seen to be there."""
    container = source.container
    if not container.duration:
        return _last_timestamp(source, 0.0)
    claimed = float(container.duration / MICROSECONDS)
    tolerance = max(2.0, 0.02 * claimed)
    last = _last_timestamp(source, max(claimed - tolerance, 0.0))
    if last < claimed - tolerance:  # rare, so worth reading it all: some files can't be searched
        last = _last_timestamp(source, 0.0)
    if last < claimed - tolerance:
        message = f"{source.path} should last {claimed:.0f} s but ends after {last:.0f} s."
        raise ReelmakeError("video_truncated", message)
    return claimed


def _last_timestamp(source: Source, start_s: float) -> float:
    """The end of the last packet from here on; reads, doesn't decode. 0 when there is none."""
    last = 0.0
    try:
        at = round((start_s + source.offset_s) * MICROSECONDS)
        source.container.seek(at, any_frame=True)
        # Floats: thousands of fractions would cost more than all the reading.
        ticks_s: dict[int, float] = {}
        for packet in packets(source):
            if packet.stream_index not in ticks_s:
                ticks_s[packet.stream_index] = float(packet.time_base or 0)
            if packet.pts is not None:
                end = (packet.pts + (packet.duration or 0)) * ticks_s[packet.stream_index]
                last = max(last, end - source.offset_s)
    except av.error.FFmpegError:
        pass  # what was found before still counts
    return last


def _quietest(block: Samples) -> int:
    """The middle of the quietest 0.3 s in the last 30 s, or the last quarter of a short block."""
    step = SAMPLE_RATE * 3 // 10
    tail = block[-min(len(block) // 4, 30 * SAMPLE_RATE) :]
    pieces = tail[: len(tail) // step * step].reshape(-1, step)
    quietest = int(np.square(pieces).mean(axis=1).argmin())
    return len(block) - len(tail) + quietest * step + step // 2


def _frames_near(path: Path, time_s: float, before_s: float, after_s: float) -> Iterator[Frame]:
    """Full-size pictures around a moment, at least 0.2 s apart."""
    with opened(path) as source:
        due = time_s - before_s
        for picture in pictures_from(source, due):
            shown_s = source.time(picture)
            if shown_s > time_s + after_s:
                return
            if shown_s >= due - 0.01:
                yield _upright(picture, shown_s)
                due = shown_s + 0.2


def _upright(picture: av.VideoFrame, time_s: float) -> Frame:
    pixels = picture.to_ndarray(format="rgb24")
    return Frame(time_s, np.rot90(pixels, round(picture.rotation / 90)))


def _small_grey(pixels: Pixels) -> NDArray[np.float32]:
    """About 640 points a side, so that sharpness means the same in all sizes."""
    step = max(1, max(pixels.shape[:2]) // 640)
    grey: NDArray[np.float32] = pixels[::step, ::step].mean(axis=2, dtype=np.float32)
    return grey


def _sharpness(grey: NDArray[np.float32]) -> float:
    """Variance of the Laplacian."""
    if min(grey.shape) < 3:
        return 0.0
    middle = grey[1:-1, 1:-1]
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float((around - 4 * middle).var())


def _shows_something(grey: NDArray[np.float32]) -> bool:
    """Neither black, nor white, nor of one colour."""
    return 8 < float(grey.mean()) < 250 and float(grey.std()) > 4


def _is_blend(neighbours: list[NDArray[np.float32]]) -> bool:
    """True for the middle of three pictures when it is their mixture, as in a cross-fade."""
    if len(neighbours) < 3:
        return False
    before, here, after = neighbours
    if not before.shape == here.shape == after.shape:
        return False
    apart = float(np.abs(after - before).mean())
    mixed = float(np.abs(here - (before + after) / 2).mean())
    return apart > 6 and mixed < apart / 4
