"""What a plan learns from the reports that are there, and says of money, quota, time and prices."""

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from reelmake.analysis import Analysis, VideoFacts
from reelmake.config import Config, GeminiSettings
from reelmake.gemini.batches.records import BatchRecord, BatchRecords
from reelmake.gemini.budget import Estimate
from reelmake.gemini.day_quota import DayQuota
from reelmake.gemini.engine import Report
from reelmake.gemini.keys import fingerprint_of
from reelmake.planning.gemini_engine import GeminiEngine
from reelmake.planning.limits import day, durations, money, prices
from reelmake.planning.plan_table import notes
from reelmake.planning.reasons import Planned, Reason
from reelmake.pricing import Price, PriceTable, price_table
from reelmake.results import Results
from reelmake.samples import sample_analyses
from reelmake.targets import Target
from reelmake.templates import load_template
from reelmake.translation import ENGLISH

MODEL = "gemini-3.5-flash-lite"


@pytest.mark.parametrize(
    ("attempts_and_seconds", "learned"),
    [
        ([(1, 30.0)], None),
        ([(1, 30.0), (2, 50.0)], 40.0),
        ([(0, 0.0), (0, 0.1)], None),
        ([(1, 30.0), (0, 0.0), (0, 0.0), (1, 50.0)], 40.0),
    ],
    ids=["one is too few", "asked", "found in the store", "both"],
)
def test_seconds_a_call_come_from_what_was_asked(
    attempts_and_seconds: Sequence[tuple[int, float]], learned: float | None, tmp_path: Path
) -> None:
    rich, _ = sample_analyses("summary_report", "en", {})
    analyses = [
        rich.model_copy(update={"attempts": attempts, "seconds": seconds})
        for attempts, seconds in attempts_and_seconds
    ]
    settings = GeminiSettings(model=rich.engine.model)
    target = Target(name="lesson", video="lesson.mp4", template="summary_report")
    known = [(target, analysis) for analysis in analyses]
    assert GeminiEngine(settings, Results(tmp_path), known).learned_seconds == learned


@pytest.mark.parametrize(
    "change",
    [
        {"engine": {"model": "another"}},
        {"engine": {"name": "local"}},
        {"usage": {"calls": 13}},
    ],
    ids=str,
)
def test_only_single_calls_of_the_same_model_teach_a_plan(
    change: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    rich, _ = sample_analyses("summary_report", "en", {})
    settings = GeminiSettings(model=rich.engine.model)
    target = Target(name="lesson", video="lesson.mp4", template="summary_report")

    def learned(analysis: Analysis) -> float | None:
        known = [(target, analysis)] * 2
        return GeminiEngine(settings, Results(tmp_path), known).learned_seconds

    right = rich.model_copy(update={"attempts": 1, "seconds": 30.0})
    assert learned(right) == 30.0
    ((field, values),) = change.items()
    other = getattr(right, field).model_copy(update=values)
    assert learned(right.model_copy(update={field: other})) is None


@pytest.mark.parametrize(
    ("used", "factor"),
    [([0.5], 1.0), ([0.5, 0.7], 0.6), ([0.5, 0.7, 9.0], 0.7)],
    ids=["one is too few", "two", "one that is odd"],
)
def test_how_long_answers_are_comes_from_those_that_are_there(
    used: Sequence[float], factor: float, tmp_path: Path
) -> None:
    settings = GeminiSettings(model=MODEL)
    facts = VideoFacts(source="lesson.mp4", sha256="ab" * 32, duration_s=600.0)
    target = Target(name="lesson", video="lesson.mp4", template="summary_report")
    report = Report(target, load_template(target.template), facts, settings=settings)
    (request,) = report.first_requests
    expected = report.source.estimate(request, tier="standard").output_tokens
    rich, _ = sample_analyses("summary_report", "en", {})

    def made(share: float) -> Analysis:
        tokens = round(expected * share)
        usage = {"calls": 1, "output_tokens": tokens - 40, "thought_tokens": 40}
        changes = {"video": facts, "engine": rich.engine.model_copy(update={"model": MODEL})}
        return rich.model_copy(update={**changes, "usage": rich.usage.model_copy(update=usage)})

    engine = GeminiEngine(settings, Results(tmp_path), [(target, made(share)) for share in used])
    (call,) = asyncio.run(engine.needs(target, facts, None)).calls
    assert call.output_tokens == pytest.approx(expected * factor, rel=0.01)


@pytest.mark.parametrize(
    ("change", "reason", "calls"),
    [
        ({}, Reason.NONE, 0),
        ({"request_digests": []}, Reason.SETTINGS, 1),
        ({"video": {"sha256": "cd" * 32}, "request_digests": []}, Reason.VIDEO, 1),
        ({"video": {"source": "moved.mp4"}}, Reason.NONE, 0),
        ({"engine": {"model": "another"}, "request_digests": []}, Reason.MODEL, 1),
        ({"engine": {"model": "a-fallback"}, "request_digests": []}, Reason.SETTINGS, 1),
        ({"engine": {"model": f"a-fallback, {MODEL}"}, "request_digests": []}, Reason.SETTINGS, 1),
        ({"engine": {"name": "local"}, "request_digests": []}, Reason.MODEL, 1),
        (None, Reason.NEW, 1),
    ],
    ids=str,
)
def test_why_a_report_needs_a_call_and_how_many(
    change: dict[str, Any] | None, reason: Reason, calls: int, tmp_path: Path
) -> None:
    settings = GeminiSettings(model=MODEL, fallback_models=["a-fallback"])
    target = Target(name="lesson", video="lesson.mp4", template="summary_report")
    facts = VideoFacts(source="lesson.mp4", sha256="ab" * 32, duration_s=60.0)
    report = Report(target, load_template(target.template), facts, settings=settings)
    rich, _ = sample_analyses("summary_report", "en", {})
    made = rich.model_copy(
        update={
            "video": facts,
            "engine": rich.engine.model_copy(update={"name": "gemini", "model": settings.model}),
            "request_digests": [each.key for each in report.first_requests],
        }
    )
    for field, values in (change or {}).items():
        old = getattr(made, field)
        new = old.model_copy(update=values) if isinstance(values, dict) else values
        made = made.model_copy(update={field: new})
    engine = GeminiEngine(settings, Results(tmp_path), [])
    needs = asyncio.run(engine.needs(target, facts, None if change is None else made))
    assert (needs.change, len(needs.calls)) == (reason, calls)


def asking(number: int) -> list[Planned]:
    """So many reports, each to be had by one call: 1000 tokens in, 30 s, 0.5 USD."""
    call = Estimate(1000, usd=0.5, most_usd=1.0, output_tokens=100, seconds=30.0)
    return [
        Planned(Target(name=f"{each}", video="a.mp4", template="t"), Reason.NEW, calls=[call])
        for each in range(number)
    ]


def config(tmp_path: Path, gemini: dict[str, Any], **values: Any) -> Config:
    settings = GeminiSettings(**gemini)
    return Config(videos="videos", results=str(tmp_path), gemini=settings, **values)


@pytest.mark.parametrize(
    ("settings", "calls", "expected"),
    [
        ({}, 0, []),
        ({}, 1, [(4, 30)]),
        ({}, 64, [(4, 480), (16, 120), (64, 30)]),
        ({"max_in_flight": 8}, 64, [(4, 480), (16, 240)]),
        ({"rpm": 16}, 64, [(4, 480), (16, 240)]),
        ({"tpm": 8000}, 64, [(4, 480)]),
        ({"tpm": 4000}, 64, [(4, 960)]),
        ({"tier": "batch"}, 64, []),
    ],
)
def test_how_long_it_takes_depends_on_jobs_and_quotas(
    settings: dict[str, Any], calls: int, expected: list[tuple[int, float]]
) -> None:
    found = durations(asking(calls), GeminiSettings(**settings), jobs=4)
    assert [(one.jobs, one.seconds) for one in found] == expected


@pytest.mark.parametrize(
    ("budget", "tier", "said"),
    [
        (None, "standard", ""),
        (1.0, "standard", "`budget_usd: 1` is enough."),
        (0.99, "standard", "`budget_usd: 0.99` is not enough: a run would not start."),
        (0.99, "flex", "`budget_usd: 0.99` is enough."),
        (0.49, "batch", "`budget_usd: 0.49` is not enough: a run would not start."),
    ],
)
def test_whether_the_budget_is_enough_depends_on_the_tier(
    budget: float | None, tier: str, said: str, tmp_path: Path
) -> None:
    settings = config(tmp_path, {"tier": tier}, budget_usd=budget)
    assert money(asking(2), settings, ENGLISH) == said


@pytest.mark.parametrize(
    ("gemini", "calls", "said"),
    [
        ({}, 9, ""),
        ({"rpd": 3, "tier": "batch"}, 9, ""),
        ({"rpd": 3}, 5, "5 requests are left today (`rpd: 3`): enough."),
        ({"rpd": 3}, 6, "not enough for 1 of 6 calls, which wait for the next day."),
        ({"rpd": 3}, 18, "not enough for 13 of 18 calls, which wait for the next 3 days."),
    ],
)
def test_what_is_left_of_the_day_is_counted_over_all_keys(
    gemini: dict[str, Any],
    calls: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GEMINI_API_KEYS", "one,two")
    results = Results(tmp_path)
    DayQuota(results.day_quota, 3).take(fingerprint_of("one"), MODEL)
    found = day(asking(calls), config(tmp_path, gemini), results, ENGLISH)
    assert found.endswith(said) if said else found == ""


@pytest.mark.parametrize(
    ("days_later", "gemini", "said"),
    [
        (0, {}, ""),
        (90, {}, ""),
        (91, {}, "The prices are of {updated}, 91 days ago: look whether they changed, "),
        (0, {"model": "gemini-99"}, "`gemini-99` has no price in "),
        (0, {"fallback_models": ["gemini-99"]}, "`gemini-99` has no price in "),
        (0, {"model": "soon"}, "The price of `soon` changes on {soon}."),
        (10, {"model": "soon"}, "The price of `soon` has changed on {soon}."),
        (0, {"fallback_models": ["soon"]}, "The price of `soon` changes on {soon}."),
    ],
)
def test_prices_that_are_old_or_missing_or_change_are_told(
    days_later: int,
    gemini: dict[str, Any],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    updated = price_table().updated
    soon = updated + timedelta(days=10)
    dearer = Price(input=2, output=2)
    table = PriceTable(
        updated=updated,
        models={
            MODEL: Price(input=1, output=1),
            "soon": Price(input=1, output=1, until=soon, then=dearer),
        },
    )
    monkeypatch.setattr("reelmake.planning.limits.price_table", lambda: table)
    found = prices(config(tmp_path, gemini), updated + timedelta(days=days_later), ENGLISH)
    assert len(found) == bool(said)
    assert "".join(found).startswith(said.format(updated=updated, soon=soon))


@pytest.mark.parametrize(
    ("tier", "said", "unsaid"),
    [
        ("standard", ["About "], ["may be longer", "within hours"]),
        ("flex", ["About ", "With `tier: flex` it may be longer"], ["within hours"]),
        ("batch", ["answers batches within hours; one that took 5 h is given up"], ["About "]),
    ],
)
def test_how_long_each_tier_takes_is_told(
    tier: str, said: list[str], unsaid: list[str], tmp_path: Path
) -> None:
    settings = config(tmp_path, {"tier": tier, "batch_max_wait_hours": 5})
    today = date(2026, 11, 28)
    found = notes(asking(2), settings, ENGLISH, jobs=4, learned_seconds=None, today=today)
    text = "\n".join(found)
    assert [each for each in said if each not in text] == []
    assert [each for each in unsaid if each in text] == []


@pytest.mark.parametrize(
    ("tier", "said"),
    [
        ("batch", "a run waits for these"),
        ("standard", "cancels the others"),
        ("flex", "cancels the others"),
    ],
)
def test_what_a_run_does_with_an_open_batch_depends_on_its_tier(
    tier: str, said: str, tmp_path: Path
) -> None:
    record = BatchRecord(
        name="reelmake-1",
        project="p",
        model=MODEL,
        created="2026-11-28T10:00:00+00:00",
        requests=2,
        input_tokens=2000,
        uploaded_bytes=0,
        expected_usd=1.0,
    )
    BatchRecords(Results(tmp_path).batches).begin(record, {})
    settings, today = config(tmp_path, {"tier": tier}), date(2026, 11, 28)
    found = notes(asking(2), settings, ENGLISH, jobs=4, learned_seconds=None, today=today)
    told = [each for each in found if "is being asked for already" in each]
    assert [said in each for each in told] == [True]
