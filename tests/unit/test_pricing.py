from typing import Any

import pytest

from reelmake.pricing import cost_usd, price_table

USAGE = {"prompt_token_count": 1_000_000, "candidates_token_count": 100_000}


@pytest.mark.parametrize(
    ("model", "usage", "tier", "usd"),
    [
        ("gemini-3.5-flash-lite", USAGE, "standard", 0.30 + 0.25),
        ("gemini-3.5-flash-lite", USAGE, "flex", (0.30 + 0.25) / 2),
        ("gemini-3.5-flash-lite", {**USAGE, "thoughts_token_count": 100_000}, "standard", 0.80),
        ("gemini-3.5-flash-lite", {**USAGE, "cached_content_token_count": 10**6}, "batch", 0.14),
        (
            "gemini-3.1-flash-lite",
            {
                **USAGE,
                "prompt_tokens_details": [
                    {"modality": "VIDEO", "token_count": 600_000},
                    {"modality": "AUDIO", "token_count": 400_000},
                ],
            },
            "standard",
            0.25 + 0.4 * 0.25 + 0.15,
        ),
    ],
)
def test_costs_follow_the_table(model: str, usage: dict[str, Any], tier: str, usd: float) -> None:
    assert cost_usd(model, usage, tier=tier) == pytest.approx(usd)


def test_a_model_without_a_price_has_no_cost() -> None:
    assert cost_usd("gemini-99", USAGE, tier="standard") is None


def test_what_was_not_counted_has_no_known_cost() -> None:
    assert cost_usd("gemini-3.5-flash-lite", {}, tier="standard") is None


def test_the_default_model_has_a_price_and_the_table_a_date() -> None:
    assert "gemini-3.5-flash-lite" in price_table().models
    assert price_table().updated.year >= 2026
