"""Whole reports through the real SDK against the double: long videos, halves, URLs."""

import asyncio
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from gemini_double import Fault, GeminiDouble
from reelmake.analysis import Analysis
from reelmake.config import GeminiSettings
from reelmake.errors import ReelmakeError
from reelmake.gemini.account import Account
from reelmake.results import Results
from reelmake.targets import Target
from sample_videos import RED, make_video

HOUR_S = 3600


@pytest.fixture(scope="module")
def four_hours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture every ten seconds, for four hours."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=Fraction(1, 10))
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for number in range(4 * HOUR_S // 10):
            pixels = np.full((64, 64, 3), number % 256, np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(stream.encode(None))
    return path


def analyse(
    video: Path | str, folder: Path, template: str = "chinese_transcript", **settings: Any
) -> Analysis:
    target = Target(video=str(video), name="v", template=template)
    return analyse_target(target, folder, **settings)


def analyse_target(target: Target, folder: Path, **settings: Any) -> Analysis:
    async def once() -> Analysis:
        checked = GeminiSettings.model_validate(settings)
        async with Account(checked, Results(folder), run=asyncio.to_thread) as account:
            return await account.analyse(target)

    return asyncio.run(once())


@pytest.mark.parametrize("timestamps", ["absolute", "relative"])
def test_four_hours_are_analysed_in_segments_and_merged(
    double: GeminiDouble, four_hours: Path, tmp_path: Path, timestamps: str
) -> None:
    double.settings.update({"timestamps": timestamps})
    analysis = analyse(four_hours, tmp_path)
    assert len(double.ledger.uploads()) == 1
    # Twelve segments, and one call for what belongs to the whole.
    assert len(double.ledger.billed()) == 13
    assert analysis.usage.calls == 13
    assert analysis.cost_usd == pytest.approx(double.ledger.usd(), rel=1e-3)
    starts = [passage.start_s for passage in analysis.transcript]
    assert starts == sorted(starts)
    assert starts[0] == 0
    assert analysis.transcript[-1].end_s == pytest.approx(4 * HOUR_S, abs=15)
    assert max(after - before for before, after in pairwise(starts)) < 30
    texts = [passage.text for passage in analysis.transcript]
    assert all(before != after for before, after in pairwise(texts))
    assert analysis.title
    assert analysis.fields

    again = analyse(four_hours, tmp_path)
    assert len(double.ledger.billed()) == 13
    assert again.transcript == analysis.transcript
    assert again.cost_usd == analysis.cost_usd


def test_one_failed_segment_is_asked_for_alone(
    double: GeminiDouble, four_hours: Path, tmp_path: Path
) -> None:
    double.faults.add(Fault("missing_property", start_offset=2385.0))
    with pytest.raises(ReelmakeError) as failed:
        analyse(four_hours, tmp_path)
    assert failed.value.code == "answer_wrong_shape"
    assert len(double.ledger.billed()) == 12
    double.faults.clear()
    analyse(four_hours, tmp_path)
    assert len(double.ledger.billed()) == 12 + 1 + 1


@pytest.mark.parametrize("action", ["max_tokens", "invalid_json", "repeated_text"])
def test_what_is_too_much_for_one_answer_is_asked_in_halves_and_remembered(
    double: GeminiDouble, tmp_path: Path, action: str
) -> None:
    video = make_video(tmp_path / "v.mp4", [(RED, 60.0)], size=(64, 64), fps=1, sound="tone")
    double.faults.add(Fault(action, times=1))
    analysis = analyse(video, tmp_path)
    assert "asked_in_halves" in [notice.code for notice in analysis.warnings]
    # The one that was too much, two halves, and the whole.
    assert len(double.ledger.billed()) == 4
    again = analyse(video, tmp_path)
    assert len(double.ledger.billed()) == 4
    assert again.transcript == analysis.transcript


def test_a_short_video_is_not_halved_and_asked_for_again_by_the_next_run(
    double: GeminiDouble, tmp_path: Path
) -> None:
    video = make_video(tmp_path / "v.mp4", [(RED, 10.0)], size=(64, 64), fps=1, sound="tone")
    double.faults.add(Fault("max_tokens", times=1))
    with pytest.raises(ReelmakeError) as failed:
        analyse(video, tmp_path)
    assert failed.value.code == "answer_truncated"
    assert analyse(video, tmp_path).title
    assert len(double.ledger.billed()) == 2


def test_a_missing_half_of_a_transcript_is_no_transcript(
    double: GeminiDouble, tmp_path: Path
) -> None:
    video = make_video(tmp_path / "v.mp4", [(RED, 300.0)], size=(64, 64), fps=1, sound="tone")
    double.faults.add(Fault("half_transcript"))
    with pytest.raises(ReelmakeError) as failed:
        analyse(video, tmp_path, segment_minutes=20)
    assert failed.value.code == "transcript_incomplete"


@pytest.mark.parametrize(
    "url",
    ["https://www.youtube.com/watch?v=abc123", "https://example.org/lectures/one.mp4"],
)
def test_a_public_url_is_handed_over_as_it_is(
    double: GeminiDouble, tmp_path: Path, url: str
) -> None:
    analysis = analyse(url, tmp_path, template="summary_report")
    (record,) = double.ledger.billed()
    assert record.video == url
    assert double.ledger.uploads() == []
    assert analysis.video.source == url
    assert analysis.video.sha256 is None


def test_the_part_of_a_video_that_a_row_names_is_sent_and_checked(
    double: GeminiDouble, tmp_path: Path
) -> None:
    video = make_video(tmp_path / "v.mp4", [(RED, 60.0)], size=(64, 64), fps=1, sound="tone")
    target = Target(video=str(video), name="v", template="summary_report", start_s=20, end_s=40)
    analysis = analyse_target(target, tmp_path)
    (record,) = double.ledger.billed()
    assert (record.start_offset, record.end_offset) == (20, 40)
    assert all(20 <= point.time_s <= 40 for point in analysis.key_points)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"start_s": 20.0, "end_s": 40.0}, "between 00:20 and 00:40"),
        ({"start_s": 20.0}, "between 00:20 and the end of the video"),
        ({"end_s": 40.0}, "between 00:00 and 00:40"),
    ],
)
def test_the_model_is_told_which_part_of_a_video_it_sees(
    double: GeminiDouble, tmp_path: Path, row: dict[str, float], said: str
) -> None:
    double.faults.add(Fault("rerouted", prompt=said))
    url = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
    target = Target.model_validate({"video": url, "name": "v", "template": "summary_report", **row})
    analysis = analyse_target(target, tmp_path)
    assert [warning.code for warning in analysis.warnings] == ["other_model"]


def test_what_was_bought_together_is_found_by_the_gateway_after_one_that_died(
    double: GeminiDouble, tmp_path: Path
) -> None:
    video = make_video(tmp_path / "v.mp4", [(RED, 20.0)], size=(64, 64), fps=1, sound="tone")
    targets = [
        Target(video=str(video), name="v", template=template)
        for template in ("summary_report", "study_notes")
    ]
    results = Results(tmp_path / "results")

    async def all_of_them(*, again: bool) -> None:
        settings = GeminiSettings(combine_templates=True, tier="flex")
        async with Account(settings, results, run=asyncio.to_thread) as account:
            account.expect(targets, again=again)
            for target in targets:
                await account.analyse(target)

    asyncio.run(all_of_them(again=False))
    parts = [path for path in results.store.root.rglob("*.json") if "part_of" in path.read_text()]
    assert len(parts) == 2
    stored = [results.store.get(part.stem) for part in parts]
    entries = [each for each in stored if each]
    assert {each.request["tier"] for each in entries} == {"flex"}
    (whole,) = (results.store.get(each.request["part_of"]) for each in entries[:1])
    assert whole
    for tokens in ("prompt_token_count", "candidates_token_count", "total_token_count"):
        shares = [each.answer["usage_metadata"][tokens] for each in entries]
        assert sum(shares) == whole.answer["usage_metadata"][tokens]
    for part in parts:  # it died before they were kept
        part.unlink()
    asyncio.run(all_of_them(again=True))
    assert len(double.ledger.billed()) == 1
