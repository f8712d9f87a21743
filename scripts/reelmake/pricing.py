"""What an answer cost, from its usage and the dated table ``prices.yaml``."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict


class Price(BaseModel):
    """USD per million tokens; ``cached`` and ``audio`` cost as any input unless given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: float
    output: float
    cached: float | None = None
    audio: float | None = None


class PriceTable(BaseModel):
    """``prices.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    updated: date
    models: dict[str, Price]


@cache
def price_table() -> PriceTable:
    """Read ``prices.yaml`` once."""
    text = resources.files(__package__).joinpath("prices.yaml").read_text(encoding="utf-8")
    return PriceTable.model_validate(yaml.safe_load(text))


def cost_usd(model: str, usage: Mapping[str, Any], *, tier: str) -> float | None:
    """Return the cost of one answer by its ``usage_metadata``; None when the model has no price."""
    price = price_table().models.get(model)
    if price is None:
        return None
    prompt: int = usage.get("prompt_token_count", 0)
    cached: int = usage.get("cached_content_token_count", 0)
    audio: int = sum(
        detail.get("token_count", 0)
        for detail in usage.get("prompt_tokens_details", ())
        if detail.get("modality") == "AUDIO"
    )
    thoughts: int = usage.get("thoughts_token_count", 0)
    output: int = usage.get("candidates_token_count", 0) + thoughts
    dollars = (
        prompt * price.input
        + audio * ((price.audio or price.input) - price.input)
        - cached * (price.input - (price.input if price.cached is None else price.cached))
        + output * price.output
    ) / 1_000_000
    return dollars / 2 if tier in ("flex", "batch") else dollars
