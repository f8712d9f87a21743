"""What a call is expected to cost, from the video's length and ``estimates.yaml``."""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from reelmake.gemini.budget import Estimate
from reelmake.gemini.request import Clip, Request
from reelmake.pricing import cost_usd

# Nobody knows an answer's length before; a cut-off one is paid for and of no use.
_ROOM = 0.5


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Linear(_Record):
    once: float = 0.0
    per_minute: float = 0.0


class _Estimates(_Record):
    unknown_minutes: float
    audio_tokens_per_second: float
    tokens_per_frame: dict[str, dict[str, float]]
    output_limit: int
    output: dict[str, _Linear]
    seconds: _Linear


@cache
def _estimates() -> _Estimates:
    text = resources.files(__package__).joinpath("estimates.yaml").read_text(encoding="utf-8")
    return _Estimates.model_validate(yaml.safe_load(text))


def estimate(
    request: Request,
    duration_s: float | None,
    *,
    has_sound: bool,
    tier: str,
    output_factor: float = 1.0,
) -> Estimate:
    """Expect what one call needs. ``duration_s`` is the whole video's; None: unknown.

    ``output_factor`` is what answers were found to come to, by what was expected of them. A model
    without a price is taken for free: nothing is known of it.
    """
    length_s = _length_s(request.clip, duration_s)
    text, frames, audio = _input_tokens(request, length_s, has_sound=has_sound)
    output = min(
        output_factor * _output_tokens(request.schema, length_s / 60), _output_limit(request)
    )

    seconds = _estimates().seconds

    def usd(output_tokens: float) -> float:
        usage = {
            "prompt_token_count": text + frames + audio,
            "prompt_tokens_details": [{"modality": "AUDIO", "token_count": audio}],
            "candidates_token_count": output_tokens,
        }
        return cost_usd(request.model, usage, tier=tier) or 0.0

    return Estimate(
        input_tokens=text + frames + audio,
        output_tokens=output,
        usd=usd(output),
        most_usd=usd(_output_limit(request)),
        seconds=seconds.once + seconds.per_minute * length_s / 60,
    )


def fits_one_answer(requests: Iterable[Request], duration_s: float | None) -> bool:
    """Whether the answers to all of them are expected to stay well below the token limit."""
    requests = list(requests)
    expected = sum(
        _output_tokens(request.schema, _length_s(request.clip, duration_s) / 60)
        for request in requests
    )
    return expected <= _ROOM * min(map(_output_limit, requests))


def _length_s(clip: Clip | None, duration_s: float | None) -> float:
    if clip is None:
        return 0.0
    whole_s = _estimates().unknown_minutes * 60 if duration_s is None else duration_s
    end_s = whole_s if clip.end_s is None else clip.end_s
    return max(0.0, end_s - (clip.start_s or 0.0))


def _input_tokens(
    request: Request, length_s: float, *, has_sound: bool
) -> tuple[float, float, float]:
    """Of text, frames and sound."""
    # Four letters a token, where each letter is a sound; Chinese needs about one a character.
    ascii_letters = len(request.prompt.encode("ascii", "ignore"))
    text = ascii_letters / 4 + (len(request.prompt) - ascii_letters)
    if request.clip is None:
        return text, 0.0, 0.0
    table = _estimates().tokens_per_frame
    beginning = max(filter(request.model.startswith, table), key=len)
    per_frame = table[beginning][request.clip.media_resolution]
    frames = max(1, round(length_s * request.clip.fps)) * per_frame
    audio = length_s * _estimates().audio_tokens_per_second if has_sound else 0.0
    return text, frames, audio


def _output_tokens(schema: Mapping[str, Any], minutes: float) -> float:
    known, tokens = _estimates().output, 0.0
    for name, part in schema["properties"].items():
        if "properties" in part:  # several templates at once
            tokens += _output_tokens(part, minutes)
        else:
            expected = known.get(name, known["list" if part.get("type") == "array" else "text"])
            tokens += expected.once + expected.per_minute * minutes
    return tokens


def _output_limit(request: Request) -> float:
    limit = request.generation.get("max_output_tokens")
    return float(limit or _estimates().output_limit)
