"""What was begun is picked up, whatever happened meanwhile, and never paid for twice."""

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from batches.conftest import Runs, all_answered, tiers
from gemini_double import TEST_KEY, Fault, GeminiDouble
from reelmake.config import GeminiSettings
from reelmake.errors import ReelmakeError
from reelmake.gemini.asking import Run
from reelmake.gemini.engine import Report
from reelmake.gemini.missing import Call, missing_calls
from reelmake.results import Results
from reelmake.store import Store
from workflow.disks import FILLING, fill, make_room, small_disk


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


def end_at_once(double: GeminiDouble) -> None:
    """Batches that are there, and those to come."""
    double.settings.update({"batch_seconds": 0.0})
    for job in double.batches:
        job.seconds = 0.0


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("way", ["stopped", "killed"])
def test_a_run_that_is_stopped_or_killed_leaves_its_batch_and_the_next_one_picks_it_up(
    double: GeminiDouble, runs: Runs, moment: str, way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    # A busy machine is slow to look: the batch ends when it was looked at, not before.
    double.settings.update({"batch_seconds": 0.5 if moment == "while it is downloaded" else 60.0})
    if way == "killed":
        runs.killed(lambda: MOMENTS[moment](double))
    else:
        outcomes = runs.run(beside=lambda: MOMENTS[moment](double), then_stop=True)
        codes = {getattr(each, "code", "done") for each in outcomes.values()}
        assert codes <= {"interrupted", "done"}
        if moment == "while it is waited for":
            assert "goes on at Google; the next run picks it up" in capsys.readouterr().err
    end_at_once(double)
    assert all_answered(runs.run())
    assert len(list(double.batches)) == 1
    assert tiers(double) == ["batch"] * 5
    assert [record.answered for record in runs.batches()] == [5]


def test_what_a_batch_brings_while_reports_are_looked_at_is_not_asked_again(
    double: GeminiDouble, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    double.settings.update({"batch_seconds": 60.0})
    runs.run(beside=lambda: MOMENTS["while it is waited for"](double), then_stop=True)
    end_at_once(double)

    async def until_it_is_not_so_any_more(
        report: Report, settings: GeminiSettings, store: Store, *, run: Run
    ) -> list[Call]:
        calls = await missing_calls(report, settings, store, run=run)
        while any(store.get(call.request.key) is None for call in calls):
            await asyncio.sleep(0.01)
        return calls

    monkeypatch.setattr("reelmake.gemini.account.missing_calls", until_it_is_not_so_any_more)
    assert all_answered(runs.run())
    assert len(list(double.batches)) == 1
    assert tiers(double) == ["batch"] * 5


@pytest.mark.parametrize("lost", ["the name that the service gave it", "all that was written down"])
def test_a_batch_is_found_by_its_name_when_nothing_here_says_that_it_was_submitted(
    double: GeminiDouble, runs: Runs, lost: str
) -> None:
    double.settings.update({"batch_seconds": 60.0})
    runs.run(beside=lambda: MOMENTS["while it is waited for"](double), then_stop=True)
    end_at_once(double)
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
    double.settings.update({"batch_seconds": 60.0})
    late = {name: runs.videos.pop(name) for name in ("black", "white")}
    runs.run(beside=lambda: MOMENTS["while it is waited for"](double), then_stop=True)
    end_at_once(double)
    runs.videos |= late
    assert all_answered(runs.run())
    assert sorted(len(job.lines) for job in double.batches) == [2, 3]
    assert tiers(double) == ["batch"] * 5


@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize("tier", ["standard", "flex"])
def test_another_tier_uses_what_the_batch_has_answered_and_asks_the_rest(
    double: GeminiDouble, runs: Runs, tier: str, ended: bool, caplog: pytest.LogCaptureFixture
) -> None:
    double.settings.update({"batch_seconds": 60.0})
    runs.run(beside=lambda: MOMENTS["while it is waited for"](double), then_stop=True)
    if ended:
        end_at_once(double)
    assert all_answered(runs.run(tier=tier))
    assert "takes too long" not in caplog.text
    assert ("is of another tier than this run" in caplog.text) is not ended
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


@pytest.mark.usefixtures("double")
def test_small_sums_are_told_with_digits_that_matter(
    runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    runs.run()
    (usd,) = re.findall(r"about (\S+) USD", capsys.readouterr().err)
    assert 0 < float(usd) < 0.01
    other = Runs(runs.results.root.parent / "other", runs.videos)
    refused = f"will cost about {usd} USD, which is more than `budget_usd: 0.001`"
    with pytest.raises(ReelmakeError, match=refused):
        other.check(budget_usd=0.001)


def test_uploads_make_room_for_the_next_ones_unless_they_are_to_be_kept(
    double: GeminiDouble, runs: Runs
) -> None:
    runs.run()
    assert [file for file in double.files if file.is_video] == []


def test_nothing_that_is_written_down_has_a_key_or_the_address_of_a_file(
    double: GeminiDouble, runs: Runs
) -> None:
    double.settings.update({"batch_seconds": 60.0})
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


def test_answers_that_find_no_room_on_the_disk_stay_at_the_service_for_the_next_run(
    double: GeminiDouble, runs: Runs, tmp_path: Path
) -> None:
    double.settings.update({"batch_seconds": 60.0})
    with small_disk(tmp_path / "disk") as disk:
        runs.results = Results(disk / "results")

        def full() -> bool:
            if MOMENTS["while it is waited for"](double):
                fill(disk)
                end_at_once(double)
            return (disk / FILLING).exists()

        outcomes = runs.run(beside=full)
        errors = [str(outcome) for outcome in outcomes.values()]
        assert all("No space left" in error for error in errors), errors
        make_room(disk)
        assert all_answered(runs.run())
    assert len(list(double.batches)) == 1
    assert tiers(double) == ["batch"] * 5
