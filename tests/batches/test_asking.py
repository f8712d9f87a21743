"""The batch tier: half the price, and what a batch does not answer is asked again."""

from pathlib import Path

import pytest

from batches.conftest import COLOURS, SECOND_KEY, Runs, all_answered, tiers
from gemini_double import TEST_KEY, Fault, GeminiDouble
from reelmake.analysis import Analysis
from sample_videos import RED, make_video


def test_one_batch_answers_all_for_half_the_price(double: GeminiDouble, runs: Runs) -> None:
    outcomes = runs.run()
    assert all_answered(outcomes)
    assert double.ledger.count("batch_create") == 1
    assert double.ledger.count("generate") == 0
    bill = sum(record.usd for record in double.ledger.billed())
    costs = [outcome.cost_usd for outcome in outcomes.values() if isinstance(outcome, Analysis)]
    assert sum(cost or 0.0 for cost in costs) == pytest.approx(bill, rel=1e-3)
    assert (runs.meter.bought, runs.meter.found) == (len(COLOURS), 0)
    assert runs.meter.input_tokens > runs.meter.output_tokens > 0
    assert runs.meter.usd == pytest.approx(bill, rel=1e-3)
    with_full_price = Runs(runs.results.root.parent / "other", runs.videos)
    double.ledger.clear()
    with_full_price.run(tier="standard")
    assert bill == pytest.approx(double.ledger.usd() / 2, rel=0.02)


def test_what_is_in_the_store_is_in_no_batch_and_costs_no_call(
    double: GeminiDouble, runs: Runs
) -> None:
    runs.run()
    double.ledger.clear()
    assert all_answered(runs.run())
    assert double.ledger.records() == []
    assert (runs.meter.bought, runs.meter.found) == (0, len(COLOURS))


def test_one_changed_video_goes_into_a_batch_alone(
    double: GeminiDouble, runs: Runs, tmp_path: Path
) -> None:
    runs.run()
    runs.videos["red"] = make_video(tmp_path / "red.mp4", [(RED, 21.0)], size=(64, 64), fps=1)
    double.ledger.clear()
    assert all_answered(runs.run())
    assert len(double.ledger.billed()) == 1
    assert [record.requests for record in runs.batches()] == [len(COLOURS), 1]


def test_a_batch_asks_exactly_what_a_single_call_would(double: GeminiDouble, runs: Runs) -> None:
    runs.run()
    asked = {(r.video, r.prompt, r.start_offset, r.end_offset) for r in double.ledger.billed()}
    double.ledger.clear()
    Runs(runs.results.root.parent / "other", runs.videos).run(tier="standard")
    single = {(r.video, r.prompt, r.start_offset, r.end_offset) for r in double.ledger.billed()}
    assert asked == single


@pytest.mark.parametrize(
    "fault",
    [
        Fault("batch_shuffled"),
        Fault("line_doubled"),
        Fault("line_keyless"),
        Fault("lost_answer", kind="batch_create", times=1),
        Fault("truncated_body", kind="batch_create", times=1),
        Fault("http_error", kind="batch_create", code=503, times=1),
        Fault("http_error", kind="batch_get", code=500, times=2),
        Fault("reset", kind="batch_get", times=5),
        Fault("reset", kind="file_download", times=1),
        Fault("truncated_body", kind="file_download", times=2),
        Fault("lost_answer", kind="upload_chunk", times=1),
    ],
    ids=lambda fault: f"{fault.action} {fault.kind or ''}",
)
def test_what_goes_wrong_on_the_way_costs_nothing_and_no_answer(
    double: GeminiDouble, runs: Runs, fault: Fault
) -> None:
    double.faults.add(fault)
    assert all_answered(runs.run())
    assert double.faults.fired() > 0
    assert len(list(double.batches)) == 1
    assert tiers(double) == ["batch"] * len(COLOURS)
    assert double.ledger.paid_twice() == []


@pytest.mark.parametrize(
    ("faults", "paid"),
    [
        # What arrived is used, and the rest goes into another batch.
        ([Fault("batch_partial", times=1)], ["batch"] * 5),
        ([Fault("batch_cancelled", times=1)], ["batch"] * 5),
        ([Fault("batch_failed", times=1)], ["batch"] * 5),
        ([Fault("batch_expired", times=1)], ["batch"] * 5),
        ([Fault("line_failed", code=500, nth=2, times=2)], ["batch"] * 5),
        ([Fault("line_failed", code=403, message="no access to the File", times=1)], ["batch"] * 5),
        # What is lost in the answers was paid for, and is paid again.
        ([Fault("line_missing", nth=2, times=1)], ["batch"] * 6),
        ([Fault("line_swapped", nth=3, times=1)], ["batch"] * 6),
        # Then flex, for as much.
        ([Fault("batch_failed")], ["flex"] * 5),
        # What is refused for what it is need not wait for another batch.
        ([Fault("line_failed", code=400, nth=2, times=1)], ["batch"] * 4 + ["flex"]),
        ([Fault("day_spent", kind="batch_create", times=100)], ["flex"] * 5),
    ],
)
def test_what_a_batch_does_not_answer_is_asked_as_batch_fallback_says(
    double: GeminiDouble, runs: Runs, faults: list[Fault], paid: list[str]
) -> None:
    double.faults.add(*faults)
    hours = 0.5 / 3600 if faults[0].kind == "batch_create" else 24.0
    assert all_answered(runs.run(batch_max_wait_hours=hours))
    assert tiers(double) == sorted(paid)


def test_when_flex_stays_refused_too_the_full_price_is_paid(
    double: GeminiDouble, runs: Runs
) -> None:
    runs.videos = {"red": runs.videos["red"]}
    double.faults.add(Fault("batch_expired"), Fault("overloaded", times=3))
    assert all_answered(runs.run())
    assert tiers(double) == ["standard"]


def test_a_file_of_answers_that_stays_cut_gives_what_is_in_it(
    double: GeminiDouble, runs: Runs
) -> None:
    double.faults.add(Fault("batch_cut", times=1))
    assert all_answered(runs.run())
    # Half of five: two are whole, and three are paid again.
    assert tiers(double) == ["batch"] * 8
    assert [record.answered for record in runs.batches()] == [2, 3]


def test_an_answer_to_another_video_is_never_taken_for_the_one_it_came_with(
    double: GeminiDouble, runs: Runs
) -> None:
    double.faults.add(Fault("line_swapped", nth=3, times=1))
    outcomes = runs.run()
    double.ledger.clear()
    right = Runs(runs.results.root.parent / "other", runs.videos).run(tier="standard")
    for name, outcome in outcomes.items():
        other = right[name]
        assert isinstance(outcome, Analysis)
        assert isinstance(other, Analysis)
        assert (outcome.overview, outcome.title) == (other.overview, other.title)


@pytest.mark.parametrize(
    ("fallback", "codes"),
    [([], {"batch_unanswered"}), (["batch"], {"batch_unanswered"}), (["standard"], set())],
)
def test_the_fallback_is_the_users_choice(
    double: GeminiDouble, runs: Runs, fallback: list[str], codes: set[str]
) -> None:
    double.faults.add(Fault("batch_failed"))
    outcomes = runs.run(batch_fallback=fallback)
    found = {getattr(each, "code", None) for each in outcomes.values()} - {None}
    assert found == codes
    assert len(list(double.batches)) == 1 + fallback.count("batch")
    assert set(tiers(double)) <= {"standard"}
    if codes:
        double.faults.clear()
        assert all_answered(runs.run(batch_fallback=fallback))
        assert tiers(double) == ["batch"] * 5


def test_a_batch_that_stays_pending_is_cancelled_and_another_one_tried(
    double: GeminiDouble, runs: Runs
) -> None:
    double.faults.add(Fault("batch_stuck", times=1))
    assert all_answered(runs.run(batch_max_wait_hours=0.3 / 3600))
    assert [job.ended for job in double.batches] == [
        "BATCH_STATE_CANCELLED",
        "BATCH_STATE_SUCCEEDED",
    ]
    assert tiers(double) == ["batch"] * 5


@pytest.mark.parametrize("known", [None, 5_000])
def test_batches_are_as_large_as_the_service_takes_them(
    double: GeminiDouble, runs: Runs, known: int | None
) -> None:
    # A video of 20 s without sound is 1,400 tokens, and its prompt some hundred.
    double.settings.update({"batch_enqueued_tokens": 5_000, "batch_seconds": 0.2})
    assert all_answered(runs.run(batch_enqueued_tokens=known))
    assert tiers(double) == ["batch"] * 5
    assert max(job.tokens for job in double.batches) <= 5_000
    if known:
        assert double.ledger.count("batch_create", status=429) == 0


def test_when_all_jobs_are_taken_the_next_one_waits(double: GeminiDouble, runs: Runs) -> None:
    double.settings.update({"batch_jobs": 1, "batch_seconds": 0.2})
    assert all_answered(runs.run(batch_size=2))
    assert tiers(double) == ["batch"] * 5
    assert len(list(double.batches)) == 3


def test_each_project_has_batches_of_its_own(
    double: GeminiDouble, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEMINI_API_KEYS", f"{TEST_KEY},{SECOND_KEY}")
    assert all_answered(runs.run())
    assert {job.project for job in double.batches} == {"first", "second"}
    assert tiers(double) == ["batch"] * 5


def test_a_key_that_is_refused_leaves_its_videos_to_the_other(
    double: GeminiDouble, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEMINI_API_KEYS", f"wrong-key,{TEST_KEY}")
    assert all_answered(runs.run())
    assert {job.project for job in double.batches} == {"first"}
