"""The models the double knows, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

INPUT_TOKEN_LIMIT = 1_048_576
OUTPUT_TOKEN_LIMIT = 65_536


@dataclass(frozen=True)
class Price:
    """USD per million tokens, standard tier."""

    input: float
    output: float
    audio: float | None = None


PRICES: Mapping[str, Price] = {
    "gemini-3.5-flash-lite": Price(0.30, 2.50),
    "gemini-3.8-flash": Price(0.75, 3.75),
    "gemini-3.6-flash": Price(1.50, 7.50),
    "gemini-3.1-flash-lite": Price(0.25, 1.50, audio=0.50),
    "gemini-2.5-flash-lite": Price(0.10, 0.40, audio=0.30),
}


def cost(
    price: Price, input_tokens: int, audio_tokens: int, output_tokens: int, tier: str
) -> float:
    """USD for one answer; `input_tokens` includes `audio_tokens`."""
    audio_price = price.input if price.audio is None else price.audio
    dollars = (input_tokens - audio_tokens) * price.input + audio_tokens * audio_price
    dollars += output_tokens * price.output
    return dollars / 1e6 * (0.5 if tier in ("flex", "batch") else 1.0)


def describe(model: str) -> dict[str, Any]:
    """The Model resource of models.get and models.list."""
    return {
        "name": f"models/{model}",
        "version": "001",
        "displayName": model.replace("-", " ").title(),
        "inputTokenLimit": INPUT_TOKEN_LIMIT,
        "outputTokenLimit": OUTPUT_TOKEN_LIMIT,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "thinking": True,
    }
