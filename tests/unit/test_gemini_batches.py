"""The batch tier through the real SDK against the double: half the price, nothing lost."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gemini_double import TEST_KEY, Fault, GeminiDouble, Settings
from reelmake.analysis import Analysis
from reelmake.config import GeminiSettings
from reelmake.gemini.account import Account
from reelmake.gemini.batches.records import BatchRecord, list_batches
from reelmake.gemini.stopping import Stopping
from reelmake.results import Results
from reelmake.targets import Target
from sample_videos import BLUE, GREEN, RED, make_video

SECOND_KEY = "second-key"
COLOURS = {"red": RED, "green": GREEN, "blue": BLUE, "black": (0, 0, 0), "white": (250, 250, 250)}


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("videos")
    return {
        name: make_video(folder / f"{name}.mp4", [(colour, 20.0)], size=(64, 64), fps=1)
        for name, colour in COLOURS.items()
    }


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[GeminiDouble]:
    keys = {TEST_KEY: "first", SECOND_KEY: "second"}
    with GeminiDouble(Settings(keys=keys)) as service:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", service.url)
        monkeypatch.setenv("GEMINI_API_KEY", TEST_KEY)
        monkeypatch.delenv("GEMINI_API_KEYS", raising=False)
        monkeypatch.chdir(tmp_path)
        yield service


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for something looks again at once."""

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr("reelmake.gemini.retry.sleep", sleep)
    monkeypatch.setattr("reelmake.gemini.batches.watching._POLL_S", 0.02)
    monkeypatch.setattr("reelmake.gemini.batches.watching._LONGEST_POLL_S", 0.02)
    monkeypatch.setattr("reelmake.gemini.batches.gathering._QUIET_S", 0.02)
    monkeypatch.setattr("reelmake.gemini.batches.submitting._REFUSED_WAIT_S", 0.05)
    monkeypatch.setattr("reelmake.gemini.batches.submitting._LONGEST_REFUSED_WAIT_S", 0.05)


class Runs:
    """Runs over the same videos with the same results folder."""

    def __init__(self, root: Path, videos: dict[str, Path]) -> None:
        self.results = Results(root / "results")
        self.videos = dict(videos)
        self.budget_usd: float | None = None

    def targets(self, template: str = "summary_report") -> list[Target]:
        return [
            Target(video=str(path), name=name, template=template)
            for name, path in self.videos.items()
        ]

    def run(
        self,
        *,
        beside: Callable[[], bool] = lambda: True,
        then_stop: bool = False,
        **settings: Any,
    ) -> dict[str, Analysis | BaseException]:
        """Analyse all, as the gateway does; what came of each.

        ``beside`` is called until it is true; then the run is stopped, if it is to.
        """
        checked = GeminiSettings.model_validate({"tier": "batch", **settings})

        async def once() -> dict[str, Analysis | BaseException]:
            stopping = Stopping()
            account = Account(
                checked,
                self.results,
                run=asyncio.to_thread,
                stopping=stopping,
                budget_usd=self.budget_usd,
            )
            async with account:
                targets = self.targets()
                account.batches.expect(targets)
                work = asyncio.gather(
                    *(account.analyse(target) for target in targets), return_exceptions=True
                )
                while not beside():
                    await asyncio.sleep(0.01)
                if then_stop:
                    stopping.begin()
                outcomes = await work
                return dict(zip(self.videos, outcomes, strict=True))

        return asyncio.run(asyncio.wait_for(once(), 60))

    def batches(self) -> list[BatchRecord]:
        return list_batches(self.results)


@pytest.fixture
def runs(tmp_path: Path, videos: dict[str, Path]) -> Runs:
    return Runs(tmp_path, videos)


def all_answered(outcomes: dict[str, Analysis | BaseException]) -> bool:
    failures = [outcome for outcome in outcomes.values() if isinstance(outcome, BaseException)]
    assert not failures, failures
    return True


def tiers(double: GeminiDouble) -> list[str]:
    return sorted(str(record.service_tier) for record in double.ledger.billed())


def test_one_batch_answers_all_for_half_the_price(double: GeminiDouble, runs: Runs) -> None:
    outcomes = runs.run()
    assert all_answered(outcomes)
    assert double.ledger.count("batch_create") == 1
    assert double.ledger.count("generate") == 0
    bill = sum(record.usd for record in double.ledger.billed())
    costs = [outcome.cost_usd for outcome in outcomes.values() if isinstance(outcome, Analysis)]
    assert sum(cost or 0.0 for cost in costs) == pytest.approx(bill, rel=1e-3)
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


def test_uploads_that_expire_before_the_batch_runs_are_brought_again(
    double: GeminiDouble, runs: Runs
) -> None:
    double.settings.update({"batch_seconds": 0.3})

    def expired() -> bool:
        for job in list(double.batches)[:1]:
            if not job.ended and not double.ledger.billed():
                for file in double.files:
                    if file.is_video and file.name not in seen:
                        seen.add(file.name)
                        double.files.expire(file.name)
        return len(seen) >= 5

    seen: set[str] = set()
    outcomes = runs.run(beside=expired)
    assert all_answered(outcomes)
    assert tiers(double) == ["batch"] * 5
    assert len(list(double.batches)) == 2
    assert len(double.ledger.uploads()) == 12  # each video twice, and what is asked


MOMENTS: dict[str, Callable[[GeminiDouble], bool]] = {
    "while videos are uploaded": lambda double: double.ledger.count("upload_start") > 0,
    "while what is asked is uploaded": lambda double: double.ledger.count("upload_start") > 5,
    "while it is submitted": lambda double: double.ledger.count("batch_list") > 0,
    "when it is submitted": lambda double: len(list(double.batches)) > 0,
    "while it is waited for": lambda double: double.ledger.count("batch_get") > 1,
    "while it is downloaded": lambda double: double.ledger.count("file_download") > 0,
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_that_is_stopped_leaves_its_batch_and_the_next_one_picks_it_up(
    double: GeminiDouble, runs: Runs, moment: str, capsys: pytest.CaptureFixture[str]
) -> None:
    double.settings.update({"batch_seconds": 0.5})
    outcomes = runs.run(beside=lambda: MOMENTS[moment](double), then_stop=True)
    assert {getattr(each, "code", "done") for each in outcomes.values()} <= {"interrupted", "done"}
    if moment == "while it is waited for":
        assert "goes on at Google; the next run picks it up" in capsys.readouterr().err
    assert all_answered(runs.run())
    assert len(list(double.batches)) == 1
    assert tiers(double) == ["batch"] * 5
    assert [record.answered for record in runs.batches()] == [5]


@pytest.mark.parametrize("lost", ["the name that the service gave it", "all that was written down"])
def test_a_batch_is_found_by_its_name_when_nothing_here_says_that_it_was_submitted(
    double: GeminiDouble, runs: Runs, lost: str
) -> None:
    double.settings.update({"batch_seconds": 0.5})
    runs.run(beside=lambda: MOMENTS["while it is waited for"](double), then_stop=True)
    for path in (runs.results.batches / "open").iterdir():
        if lost == "all that was written down":
            path.unlink()
        elif path.suffix == ".json":
            record = json.loads(path.read_text())
            path.write_text(json.dumps({**record, "job": None, "state": "SUBMITTING"}))
    assert all_answered(runs.run())
    assert len(list(double.batches)) == 1
    assert tiers(double) == ["batch"] * 5


def test_videos_that_were_added_meanwhile_go_into_a_batch_of_their_own(
    double: GeminiDouble, runs: Runs
) -> None:
    double.settings.update({"batch_seconds": 0.5})
    late = {name: runs.videos.pop(name) for name in ("black", "white")}
    runs.run(beside=lambda: MOMENTS["while it is waited for"](double), then_stop=True)
    runs.videos |= late
    assert all_answered(runs.run())
    assert sorted(len(job.lines) for job in double.batches) == [2, 3]
    assert tiers(double) == ["batch"] * 5


@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize("tier", ["standard", "flex"])
def test_another_tier_uses_what_the_batch_has_answered_and_asks_the_rest(
    double: GeminiDouble, runs: Runs, tier: str, ended: bool
) -> None:
    double.settings.update({"batch_seconds": 60.0})
    runs.run(beside=lambda: MOMENTS["while it is waited for"](double), then_stop=True)
    for job in double.batches:
        job.seconds = 0.0 if ended else 60.0
    assert all_answered(runs.run(tier=tier))
    assert tiers(double) == ["batch" if ended else tier] * 5
    assert double.ledger.paid_twice() == []


def test_a_budget_holds_for_batches_too(double: GeminiDouble, runs: Runs) -> None:
    runs.run()
    each = double.ledger.usd() / 5
    other = Runs(runs.results.root.parent / "other", runs.videos)
    other.budget_usd = each * 4
    double.ledger.clear()
    outcomes = other.run()
    codes = {getattr(outcome, "code", "done") for outcome in outcomes.values()}
    assert codes == {"done", "budget_reached"}
    assert 0 < double.ledger.usd() <= other.budget_usd


def test_uploads_make_room_for_the_next_ones_unless_they_are_to_be_kept(
    double: GeminiDouble, runs: Runs
) -> None:
    runs.run()
    assert [file for file in double.files if file.is_video] == []


def test_nothing_that_is_written_down_has_a_key_or_the_address_of_a_file(
    double: GeminiDouble, runs: Runs
) -> None:
    double.settings.update({"batch_seconds": 0.3})
    runs.run(beside=lambda: MOMENTS["while it is waited for"](double), then_stop=True)
    names = [file.name for file in double.files]
    uploads = runs.results.uploads  # they are called there what they are called at the service
    files = [path for path in runs.results.root.parent.rglob("*") if path.is_file()]
    texts = {path: path.read_bytes() for path in files if path.parent != uploads}
    assert any(path.suffix == ".requests" for path in texts)
    for secret in [TEST_KEY, double.url, *double.files.upload_ids(), *names]:
        assert [path for path, text in texts.items() if secret.encode() in text] == []


def test_segments_are_in_the_batch_and_the_overview_is_asked_at_once_for_as_much(
    double: GeminiDouble, runs: Runs
) -> None:
    runs.videos = {"red": runs.videos["red"]}
    assert all_answered(runs.run(segment_minutes=0.2, segment_overlap_s=2))
    assert tiers(double) == ["batch", "batch", "flex"]


def test_copies_of_a_video_are_asked_for_once(
    double: GeminiDouble, runs: Runs, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(runs.videos["red"].read_bytes())
    runs.videos = {"red": runs.videos["red"], "copy": copy}
    assert all_answered(runs.run())
    assert tiers(double) == ["batch"]


def test_an_answer_that_is_not_valid_goes_into_the_next_runs_batch_again(
    double: GeminiDouble, runs: Runs
) -> None:
    double.faults.add(Fault("missing_property", kind="batch_line", nth=2, times=1))
    codes = [getattr(outcome, "code", "done") for outcome in runs.run().values()]
    assert sorted(codes) == ["answer_wrong_shape", *["done"] * 4]
    double.ledger.clear()
    assert all_answered(runs.run())
    assert tiers(double) == ["batch"]
