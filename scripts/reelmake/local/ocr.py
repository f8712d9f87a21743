"""The text on the screen, read with RapidOCR, whose models come in its wheel."""

from collections.abc import Iterable
from difflib import SequenceMatcher
from importlib import metadata
from pathlib import Path

import numpy as np
from rapidocr import RapidOCR
from rapidocr.utils.output import RapidOCROutput

from reelmake.local.records import Scene, Screen, TextLine
from reelmake.media import Pixels, frames_at

_MIN_SCORE = 0.85
_MIN_HEIGHT = 12  # pixels; smaller letters are guessed, and with confidence
_SAME = 0.9  # similarity of two readings of the same text
_BULLETS = "•●▪◦·‣○ "
_SIDE = 960  # larger pictures are read at this size: ten times as fast, and as good


def ocr_version() -> str:
    """The name and version of what reads the screen."""
    return f"RapidOCR {metadata.version('rapidocr')}"


def read_screens(path: Path, scenes: Iterable[Scene], threads: int) -> list[Screen]:
    """The text of each scene at its last calm moment; what just was there is left out."""
    chosen = list(scenes)
    reader = _Reader(threads)
    screens: list[Screen] = []
    frames = frames_at(path, [scene.still_s for scene in chosen])
    for scene, frame in zip(chosen, frames, strict=False):
        lines = reader.read(frame.pixels)
        if lines and not any(_is_same(lines, screen.lines) for screen in screens[-3:]):
            screens.append(Screen(scene=scene, lines=lines))
    return screens


class _Reader:
    def __init__(self, threads: int) -> None:
        self._read = RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.use_cls": False,  # no upside-down text in videos
                "Det.limit_type": "max",
                "Det.limit_side_len": _SIDE,
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )

    def read(self, pixels: Pixels) -> list[TextLine]:
        """The lines that are read with certainty, in reading order."""
        found = self._read(np.ascontiguousarray(pixels[..., ::-1]))
        if not isinstance(found, RapidOCROutput) or found.boxes is None:
            return []
        height = pixels.shape[0]
        read = zip(found.boxes, found.txts or (), found.scores or (), strict=True)
        return [
            TextLine(
                text=text.strip(_BULLETS) or text,
                top=round(float(box[:, 1].min()) / height, 3),
                height=round(float(np.ptp(box[:, 1])) / height, 3),
            )
            for box, text, score in read
            if score >= _MIN_SCORE and np.ptp(box[:, 1]) >= _MIN_HEIGHT and text.strip()
        ]


def _is_same(lines: list[TextLine], others: list[TextLine]) -> bool:
    first, second = ("".join(line.text for line in some).casefold() for some in (lines, others))
    return SequenceMatcher(None, first, second, autojunk=False).ratio() >= _SAME
