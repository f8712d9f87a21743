"""What an answer cost, from its usage and the dated table ``prices.yaml``."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

_FILE = resources.files(__package__).joinpath("prices.yaml")


class Price(BaseModel):
    """USD per million tokens; ``cached`` and ``audio`` cost as any input unless given.

    ``until`` is the first day on which it is ``then`` instead.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: float
    output: float
    cached: float | None = None
    audio: float | None = None
    until: date | None = None
    then: "Price | None" = None

    def on(self, day: date) -> "Price":
        """The price of that day."""
        return self.then.on(day) if self.until and self.then and day >= self.until else self


class PriceTable(BaseModel):
    """``prices.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    updated: date
    models: dict[str, Price]

    @property
    def path(self) -> Path:
        """Where it stands, to be edited."""
        return Path(str(_FILE))


@cache
def price_table() -> PriceTable:
    """Read ``prices.yaml`` once."""
    return PriceTable.model_validate(yaml.safe_load(_FILE.read_text(encoding="utf-8")))


def cost_usd(
    model: str, usage: Mapping[str, Any], *, tier: str, day: date | None = None
) -> float | None:
    """Return the cost of one answer by its ``usage_metadata``; None when nobody knows.

    That is when the model has no price, or nothing was counted.

    ``day`` is when it was billed; None: today.
    """
    known = price_table().models.get(model)
    if known is None or not usage.get("prompt_token_count"):
        return None
    price = known.on(day or datetime.now(UTC).date())
    prompt: int = usage.get("prompt_token_count", 0)
    cached: int = usage.get("cached_content_token_count", 0)
    audio: int = sum(
        detail.get("token_count", 0)
        for detail in usage.get("prompt_tokens_details", ())
        if detail.get("modality") == "AUDIO"
    )
    thoughts: int = usage.get("thoughts_token_count", 0)
    output: int = usage.get("candidates_token_count", 0) + thoughts
    usd = (
        prompt * price.input
        + audio * ((price.audio or price.input) - price.input)
        - cached * (price.input - (price.input if price.cached is None else price.cached))
        + output * price.output
    ) / 1_000_000
    return usd / 2 if tier in ("flex", "batch") else usd


def dollars(usd: float) -> str:
    """Two digits that matter, also of very little."""
    return f"{usd:,.2f}" if usd >= 1 or usd == 0 else f"{usd:.4f}"
