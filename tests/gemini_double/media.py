"""What a video is to the service: how long it lasts, whether it sounds, and its tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO

AUDIO_TOKENS_PER_SECOND = 32


@dataclass(frozen=True)
class Video:
    identity: str
    """sha256 (hex) of the bytes, or the URL."""
    duration: float
    has_audio: bool = True
    file: str = ""
    """Name and display name of the uploaded file, for matching."""


@dataclass(frozen=True)
class Clip:
    """The part of a video that a request asks about, and how finely."""

    video: Video
    start: float
    end: float
    start_offset: float | None
    end_offset: float | None
    fps: float = 1.0
    high_resolution: bool = False
    low_resolution: bool = False
    frames: bool = True
    audio: bool = True

    def tokens(self, model: str) -> dict[str, int]:
        """Input tokens by modality."""
        length = self.end - self.start
        tokens = {}
        if self.frames:
            tokens["VIDEO"] = max(1, round(length * self.fps)) * self._tokens_per_frame(model)
        if self.audio and self.video.has_audio:
            tokens["AUDIO"] = max(1, round(length * AUDIO_TOKENS_PER_SECOND))
        return tokens

    def _tokens_per_frame(self, model: str) -> int:
        if model.startswith("gemini-2.5"):
            return 66 if self.low_resolution else 258
        return 280 if self.high_resolution else 70


def probe(stream: IO[bytes]) -> tuple[float, bool] | None:
    """Duration in seconds and whether there is sound, or None for bytes that are no video."""
    import av  # noqa: PLC0415 - slow to import, and needed by uploads only

    try:
        with av.open(stream, "r") as container:
            if not container.streams.video and not container.streams.audio:
                return None
            if container.duration is None:
                return None
            return container.duration / av.time_base, bool(container.streams.audio)
    except (av.FFmpegError, ValueError):
        return None


def text_tokens(text: str) -> int:
    """About four characters a token, and at least one."""
    return max(1, -(-len(text) // 4))
