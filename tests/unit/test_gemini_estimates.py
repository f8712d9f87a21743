"""What a call is expected to need, against what the double then bills for it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gemini_double import GeminiDouble
from reelmake.config import GeminiSettings
from reelmake.facts import video_facts
from reelmake.gemini.account import Account
from reelmake.gemini.engine import Report
from reelmake.gemini.estimates import estimate
from reelmake.gemini.missing import Call, missing_calls
from reelmake.gemini.request import Clip, Request
from reelmake.results import Results
from reelmake.targets import Target
from reelmake.templates import load_template
from sample_videos import RED, make_video


@pytest.mark.parametrize(
    ("sound", "row", "settings"),
    [
        ("tone", {}, {}),
        (None, {}, {}),
        ("tone", {"start_s": 30, "end_s": 90}, {}),
        ("tone", {}, {"fps": 0.2}),
        ("tone", {}, {"media_resolution": "high"}),
        ("tone", {}, {"model": "gemini-2.5-flash-lite", "media_resolution": "low"}),
    ],
)
def test_input_tokens_are_expected_as_they_are_billed(
    double: GeminiDouble,
    tmp_path: Path,
    sound: str | None,
    row: dict[str, float],
    settings: dict[str, Any],
) -> None:
    video = make_video(tmp_path / "v.mp4", [(RED, 120.0)], size=(64, 64), fps=2, sound=sound)
    target = Target(video=str(video), name="v", template="summary_report", **row)
    checked = GeminiSettings(**settings)

    async def main() -> float:
        async with Account(checked, Results(tmp_path), run=asyncio.to_thread) as account:
            (expected,) = await missing(target, checked, Results(tmp_path))
            await account.analyse(target)
            assert await missing(target, checked, Results(tmp_path)) == []
            return expected.estimate.input_tokens

    expected = asyncio.run(main())
    (record,) = double.ledger.billed()
    assert expected == pytest.approx(record.prompt_tokens, rel=0.03)


async def missing(target: Target, settings: GeminiSettings, results: Results) -> list[Call]:
    facts = video_facts(target, results.checksums)
    report = Report(target, load_template(target.template), facts, settings=settings)
    return await missing_calls(report, settings, results.store, run=asyncio.to_thread)


def test_of_a_long_video_the_segments_and_the_call_about_the_whole_are_expected(
    double: GeminiDouble, tmp_path: Path
) -> None:
    video = make_video(tmp_path / "v.mp4", [(RED, 150.0)], size=(64, 64), fps=2, sound="tone")
    target = Target(video=str(video), name="v", template="chinese_transcript")
    settings = GeminiSettings(segment_minutes=1)

    async def main() -> list[Call]:
        expected = await missing(target, settings, Results(tmp_path))
        async with Account(settings, Results(tmp_path), run=asyncio.to_thread) as account:
            await account.analyse(target)
        assert await missing(target, settings, Results(tmp_path)) == []
        return expected

    expected = asyncio.run(main())
    billed = double.ledger.billed()
    assert len(expected) == len(billed)
    assert [call.request.clip is None for call in expected] == [False] * (len(billed) - 1) + [True]


def request(**changes: Any) -> Request:
    clip = Clip(identity="sha256:00", fps=1.0, media_resolution="default")
    schema = {"type": "object", "properties": {"title": {}, "transcript": {}}}
    known: dict[str, Any] = {"model": "gemini-3.8-flash", "prompt": "Report.", "clip": clip}
    return Request(**{**known, "schema": schema, **changes})


def usd(asked: Request, duration_s: float | None = 600.0, tier: str = "standard") -> float:
    return estimate(asked, duration_s, has_sound=True, tier=tier).usd


def test_flex_is_expected_to_cost_half() -> None:
    assert usd(request(), tier="flex") == pytest.approx(usd(request()) / 2)


def test_longer_videos_are_expected_to_cost_more() -> None:
    assert usd(request(), 60.0) < usd(request(), 600.0) < usd(request(), 6000.0)


def test_an_unknown_length_is_taken_for_ten_minutes() -> None:
    assert usd(request(), None) == usd(request(), 600.0)


def test_a_call_of_text_alone_costs_no_video() -> None:
    assert usd(request(clip=None)) < usd(request(), 1.0)


def test_the_most_that_a_call_can_cost_is_bounded_by_what_the_template_allows() -> None:
    free = estimate(request(), 60.0, has_sound=True, tier="standard")
    bounded = estimate(
        request(generation={"max_output_tokens": 1000}), 60.0, has_sound=True, tier="standard"
    )
    assert bounded.usd <= bounded.most_usd < free.most_usd


def test_a_model_without_a_price_is_expected_to_cost_nothing() -> None:
    assert usd(request(model="gemini-9-new")) == 0
