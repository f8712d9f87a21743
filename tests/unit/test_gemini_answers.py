"""An answer of whatever form can be kept, counted and judged."""

from typing import Any

import pytest

from reelmake.gemini.answers import kept_form
from reelmake.meter import Meter
from reelmake.pricing import cost_usd


def test_names_are_the_sdks_and_nothing_is_null() -> None:
    usage = {"promptTokenCount": 7, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 7}]}
    response = {
        "candidates": [{"finishReason": "STOP", "content": None, "avgLogprobs": "NaN"}],
        "promptFeedback": None,
        "usageMetadata": usage,
    }
    assert kept_form(response) == {
        "candidates": [{"finish_reason": "STOP", "avg_logprobs": "NaN"}],
        "usage_metadata": {
            "prompt_token_count": 7,
            "prompt_tokens_details": [{"modality": "TEXT", "token_count": 7}],
        },
    }


@pytest.mark.parametrize(
    "usage",
    [
        "none",
        [1],
        {"promptTokenCount": "many", "thoughtsTokenCount": {}},
        {"promptTokenCount": -7, "candidatesTokenCount": 10**30, "thoughtsTokenCount": 1e999},
        {"promptTokenCount": "9" * 5000, "candidatesTokenCount": float("nan")},
        {"promptTokensDetails": {"AUDIO": 1}},
        {"promptTokensDetails": ["AUDIO", {"modality": "AUDIO", "tokenCount": "many"}]},
    ],
)
def test_what_counts_that_are_none_cost_nobody_knows(usage: Any) -> None:
    kept = kept_form({"usageMetadata": usage})["usage_metadata"]
    Meter().buy(kept)
    assert cost_usd("gemini-3.5-flash-lite", kept, tier="standard") is None


def test_a_key_that_something_on_the_way_repeats_is_put_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key, short = "AIzaSy-the-canary-of-this-test", "lecture"
    monkeypatch.setenv("GEMINI_API_KEYS", f"{key} {short}")
    parts = [{"text": f"A lecture on keys such as AIzaSyA. {key}"}]
    kept = kept_form({"requestHeaders": {"x-goog-api-key": key}, "parts": parts})
    assert kept == {
        "request_headers": {"x-goog-api-key": "***"},
        "parts": [{"text": "A lecture on keys such as AIzaSyA. ***"}],
    }


@pytest.mark.parametrize("count", [7, 7.0, "7"])
def test_a_count_is_one_however_it_is_written(count: object) -> None:
    usage = {
        "promptTokenCount": count,
        "promptTokensDetails": [{"modality": "VIDEO", "tokenCount": count}],
    }
    assert kept_form({"usageMetadata": usage})["usage_metadata"] == {
        "prompt_token_count": 7,
        "prompt_tokens_details": [{"modality": "VIDEO", "token_count": 7}],
    }
