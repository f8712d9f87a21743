"""Little videos made for a test: a scene is a colour, or a picture as an array."""

import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

RED, GREEN, BLUE, BLACK = (200, 40, 40), (40, 160, 60), (40, 60, 200), (0, 0, 0)

Colour = tuple[int, int, int]
Picture = NDArray[np.uint8]
Scene = tuple[Colour | Picture, float]
"""What is shown, and for how many seconds."""

_CODECS = {
    ".mp4": ("libx264", "aac"),
    ".mov": ("libx264", "aac"),
    ".mkv": ("libx264", "aac"),
    ".ts": ("libx264", "aac"),
    ".avi": ("mpeg4", "mp3"),
    ".webm": ("libvpx", "libopus"),
    ".3gp": ("mpeg4", "aac"),
    ".flv": ("flv1", "aac"),
    ".wmv": ("wmv2", "mp3"),
}
_SOUND_RATE = 48_000


def checkerboard(width: int = 320, height: int = 180, cell: int = 10) -> Picture:
    """A sharp picture."""
    rows, columns = np.indices((height, width)) // cell
    grey = np.where((rows + columns) % 2, 220, 30).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def make_video(
    path: Path,
    scenes: Sequence[Scene] = ((RED, 1.0), (GREEN, 1.0)),
    *,
    size: tuple[int, int] = (320, 180),
    fps: int = 10,
    sound: NDArray[np.float32] | str | None = None,
    sound_offset_s: float = 0.0,
    title: str | None = None,
    rotation: int = 0,
    options: dict[str, str] | None = None,
) -> Path:
    """Write a video of these scenes; its suffix decides the format.

    ``sound``: samples at 48 kHz, or "tone" for a tone as long as the pictures.
    """
    video_codec, audio_codec = _CODECS[path.suffix]
    with av.open(str(path), "w", options=options or {}) as out:
        if title is not None:
            out.metadata["title"] = title
        video: Any = out.add_stream(video_codec, rate=fps)
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.gop_size, video.time_base = 2 * fps, Fraction(1, fps)
        if rotation:
            video.set_display_rotation(rotation)
        audio: Any = None
        if sound is not None:
            audio = out.add_stream(audio_codec, rate=_SOUND_RATE, layout="mono")
        number = write_frames(out, video, scenes, size, fps)
        if audio is not None:
            samples = tone(number / fps) if isinstance(sound, str) else sound
            _write_sound(out, audio, samples, round(sound_offset_s * _SOUND_RATE))
    return path


def write_frames(
    out: Any, video: Any, scenes: Sequence[Scene], size: tuple[int, int], fps: int
) -> int:
    """Encode the scenes into a stream of an open file; the number of pictures."""
    number = 0
    for shown, seconds in scenes:
        for _ in range(round(seconds * fps)):
            frame = av.VideoFrame.from_ndarray(_pixels(shown, size), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            out.mux(video.encode(frame))
            number += 1
    out.mux(video.encode(None))
    return number


def make_sound(path: Path, seconds: float = 1.0) -> Path:
    """A file with sound and no pictures."""
    with av.open(str(path), "w") as out:
        _write_sound(out, out.add_stream("aac", rate=_SOUND_RATE, layout="mono"), tone(seconds), 0)
    return path


def tone(seconds: float, hertz: float = 440.0) -> NDArray[np.float32]:
    times = np.arange(round(seconds * _SOUND_RATE)) / _SOUND_RATE
    return (0.3 * np.sin(2 * np.pi * hertz * times)).astype(np.float32)


def _write_sound(out: Any, audio: Any, samples: Any, offset: int) -> None:
    for start in range(0, len(samples), 960):
        block = np.ascontiguousarray(samples[None, start : start + 960])
        sound = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
        sound.sample_rate, sound.pts = _SOUND_RATE, start + offset
        sound.time_base = Fraction(1, _SOUND_RATE)
        out.mux(audio.encode(sound))
    out.mux(audio.encode(None))


def _pixels(shown: Colour | Picture, size: tuple[int, int]) -> Picture:
    if isinstance(shown, np.ndarray):
        return shown
    width, height = size
    return np.full((height, width, 3), shown, np.uint8)


def many_videos(folder: Path, count: int, seconds: float = 20.0) -> None:
    """The same pictures in so many files, each with content of its own: a cheap crowd."""
    folder.mkdir(parents=True, exist_ok=True)
    original = make_video(
        folder / "video.mp4", [(RED, seconds)], size=(64, 64), fps=2, sound="tone"
    )
    copies(original, folder, range(count))
    original.unlink()


def copies(original: Path, folder: Path, numbers: Iterable[int]) -> None:
    """``video-0000.mp4`` and so on: the original with a box that players skip."""
    content = original.read_bytes()
    for number in numbers:
        own = struct.pack(">I4sI", 12, b"free", number)
        (folder / f"video-{number:04}.mp4").write_bytes(content + own)
