"""What is uploaded stays as long as a report of the run needs it, and no longer."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gemini_double import Fault, GeminiDouble
from gemini_double.errors import ServiceError
from reelmake.analysis import Analysis
from reelmake.config import Config, GeminiSettings
from reelmake.errors import ReelmakeError
from reelmake.gemini.account import Account
from reelmake.gemini.cleanup import cleanup_remote
from reelmake.gemini.stopping import Stopping
from reelmake.inputs.table import targets, video_table
from reelmake.results import Results
from reelmake.targets import Target
from sample_videos import GREEN, RED, make_video


@pytest.fixture
def reports(tmp_path: Path) -> list[Target]:
    """Two videos with two templates each; of one video there is a copy."""
    videos = tmp_path / "videos"
    videos.mkdir()
    for name, colour in (("one", RED), ("two", GREEN)):
        make_video(videos / f"{name}.mp4", [(colour, 20.0)], size=(64, 64), fps=2, sound="tone")
    (videos / "copy.mp4").write_bytes((videos / "two.mp4").read_bytes())
    found = [
        target
        for template in ("summary_report", "study_notes")
        for target in targets(
            video_table(Config(videos=str(videos), results=str(tmp_path), template=template))
        ).values()
    ]
    assert len(found) == 6
    return found


def make(
    reports: list[Target],
    results: Path,
    *,
    expected: list[Target] | None = None,
    stopping: Stopping | None = None,
    keep_uploads: bool = False,
    one_by_one: bool = True,
    **settings: Any,
) -> list[Analysis | BaseException]:
    async def main() -> list[Analysis | BaseException]:
        checked = GeminiSettings(**settings)
        account = Account(
            checked,
            Results(results),
            run=asyncio.to_thread,
            keep_uploads=keep_uploads,
            stopping=stopping,
        )
        async with account:
            account.expect(reports if expected is None else expected)
            if not one_by_one:
                return await asyncio.gather(*map(account.analyse, reports), return_exceptions=True)
            made: list[Analysis | BaseException] = []
            for report in reports:
                made += await asyncio.gather(account.analyse(report), return_exceptions=True)
            return made

    return asyncio.run(main())


def were_made(outcomes: list[Analysis | BaseException]) -> bool:
    return all(isinstance(outcome, Analysis) for outcome in outcomes)


@pytest.mark.parametrize("one_by_one", [True, False])
def test_a_video_is_uploaded_once_for_all_templates_and_gone_at_the_end(
    double: GeminiDouble, reports: list[Target], tmp_path: Path, one_by_one: bool
) -> None:
    assert were_made(make(reports, tmp_path, one_by_one=one_by_one))
    assert len(double.ledger.uploads()) == 2
    assert double.ledger.count("file_delete") == 2
    assert len(double.files) == 0
    assert list((tmp_path / ".reelmake/uploads").glob("reelmake-*")) == []


def test_a_copy_whose_suffix_is_another_is_asked_about_as_what_was_uploaded(
    double: GeminiDouble, reports: list[Target], tmp_path: Path
) -> None:
    (one, other) = (report for report in reports if report.name == "one")
    moved = tmp_path / "videos/one.mov"
    moved.write_bytes(Path(one.video).read_bytes())
    other = other.model_copy(update={"video": str(moved)})
    assert were_made(make([one, other], tmp_path, keep_uploads=True))
    assert len(double.ledger.uploads()) == 1


def test_it_is_kept_for_all_segments(
    double: GeminiDouble, reports: list[Target], tmp_path: Path
) -> None:
    assert were_made(make(reports[:1], tmp_path, segment_minutes=0.1, segment_overlap_s=1))
    assert len(double.ledger.billed()) > 3
    assert len(double.ledger.uploads()) == 1
    assert len(double.files) == 0


def test_keep_uploads_keeps_them_for_the_next_run(
    double: GeminiDouble, reports: list[Target], tmp_path: Path
) -> None:
    assert were_made(make(reports[:3], tmp_path, keep_uploads=True))
    assert len(double.files) == 2
    assert were_made(make(reports[3:], tmp_path, keep_uploads=True))
    assert len(double.ledger.uploads()) == 2


@pytest.mark.parametrize("processing_polls", [0, 2])
def test_a_service_that_gives_names_of_its_own_is_asked_by_these(
    double: GeminiDouble, reports: list[Target], tmp_path: Path, processing_polls: int
) -> None:
    double.settings.update({"own_file_names": True, "processing_polls": processing_polls})
    assert were_made(make(reports[:1], tmp_path))
    assert len(double.files) == 0
    assert were_made(make(reports[1:3], tmp_path, keep_uploads=True))
    assert len(double.files) == 1
    assert were_made(make(reports[4:5], tmp_path, keep_uploads=True))
    assert len(double.ledger.uploads()) == 2
    said, complete = asyncio.run(cleanup_remote(GeminiSettings(), Results(tmp_path)))
    assert complete
    assert "1 deleted, 0 were gone already" in said
    assert len(double.files) == 0


def test_a_report_that_is_still_to_come_keeps_its_video(
    double: GeminiDouble, reports: list[Target], tmp_path: Path
) -> None:
    assert were_made(make(reports[:3], tmp_path, expected=reports))
    assert len(double.files) == 2


def test_of_reports_that_nobody_expected_the_videos_go_at_the_end(
    double: GeminiDouble, reports: list[Target], tmp_path: Path
) -> None:
    assert were_made(make(reports, tmp_path, expected=[]))
    assert len(double.ledger.uploads()) == 2
    assert len(double.files) == 0


@pytest.mark.parametrize("action", ["http_error", "reset", "overloaded"])
def test_a_deletion_that_fails_changes_nothing_and_is_made_up_for(
    double: GeminiDouble, reports: list[Target], tmp_path: Path, action: str
) -> None:
    double.faults.add(Fault(action, kind="file_delete"))
    assert were_made(make(reports, tmp_path))
    assert len(double.files) == 2
    assert len(double.ledger.uploads()) == 2
    double.faults.clear()
    assert were_made(make(reports, tmp_path))  # all from the store
    assert len(double.files) == 0


def test_what_another_run_has_deleted_is_uploaded_again_and_costs_no_try(
    double: GeminiDouble, reports: list[Target], tmp_path: Path
) -> None:
    double.faults.add(Fault("file_vanished", times=1))
    assert were_made(make(reports[:1], tmp_path, max_attempts=1))
    assert len(double.ledger.uploads()) == 2
    assert len(double.ledger.billed()) == 1


def test_a_video_stays_until_the_batches_of_all_its_templates_have_ended(
    double: GeminiDouble, reports: list[Target], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One template has a batch of its own that goes on, when the other's has ended."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("reelmake.gemini.batches.watching._POLL_S", 0.02)
    monkeypatch.setattr("reelmake.gemini.batches.watching._LONGEST_POLL_S", 0.02)
    monkeypatch.setattr("reelmake.gemini.batches.gathering._QUIET_S", 0.02)
    of_one_video = [report for report in reports if report.name == "one"]
    assert len(of_one_video) == 2
    double.settings.update({"batch_seconds": 2.0})

    async def main() -> None:
        settings = GeminiSettings(tier="batch", batch_size=1)
        async with Account(settings, Results(tmp_path), run=asyncio.to_thread) as account:
            account.expect(of_one_video)
            both = asyncio.gather(*map(account.analyse, of_one_video))
            while len(list(double.batches)) < 2:
                await asyncio.sleep(0.01)
            next(iter(double.batches)).seconds = 0.0
            await both

    asyncio.run(asyncio.wait_for(main(), 60))
    assert {record.service_tier for record in double.ledger.billed()} == {"batch"}
    assert len(double.ledger.uploads()) == 1 + len(
        list(double.batches)
    )  # their lines are files too
    assert [file for file in double.files if file.is_video] == []


def test_what_an_open_batch_needs_is_not_cleaned_up(
    double: GeminiDouble, reports: list[Target], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("reelmake.gemini.batches.gathering._QUIET_S", 0.02)
    double.settings.update({"batch_seconds": 60.0})
    settings, results, stopping = GeminiSettings(tier="batch"), Results(tmp_path), Stopping()

    async def main() -> None:
        async with Account(settings, results, run=asyncio.to_thread, stopping=stopping) as account:
            account.expect(reports)
            work = asyncio.gather(*map(account.analyse, reports), return_exceptions=True)
            while not list(double.batches):
                await asyncio.sleep(0.01)
            stopping.begin()
            await work
        await cleanup_remote(settings, results)

    with pytest.raises(ReelmakeError, match="batches that have not ended: 1"):
        asyncio.run(asyncio.wait_for(main(), 60))
    assert len([file for file in double.files if file.is_video]) == 2


def test_a_403_that_forbids_everything_is_not_taken_for_a_missing_file(
    double: GeminiDouble, reports: list[Target], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert were_made(make(reports, tmp_path, keep_uploads=True))
    forbidden = ServiceError(
        403,
        "Generative Language API has not been used in this project before or it is disabled.",
        details=[
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED"}
        ],
    )

    def delete(name: str, project: str) -> None:
        raise forbidden

    monkeypatch.setattr(double.files, "delete", delete)
    said, complete = asyncio.run(cleanup_remote(GeminiSettings(), Results(tmp_path)))
    assert not complete
    assert "2 could not be deleted" in said
    assert len(list(Results(tmp_path).uploads.iterdir())) == 2


def check(reports: list[Target], results: Path) -> None:
    async def main() -> None:
        async with Account(GeminiSettings(), Results(results), run=asyncio.to_thread) as account:
            await account.check(reports)

    asyncio.run(main())


def test_a_minutes_quota_that_is_spent_at_the_start_stops_no_run(
    double: GeminiDouble, reports: list[Target], tmp_path: Path
) -> None:
    double.faults.add(Fault("rate_limited", kind="model_get", times=1))
    check(reports, tmp_path)
    assert double.faults.fired() == 1


def test_an_answer_that_makes_no_analysis_stops_no_run(
    double: GeminiDouble,
    reports: list[Target],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert were_made(make(reports[:1], tmp_path))

    def broken(*_: object, **__: object) -> Analysis:
        raise ValueError("stranger than anything that is reckoned with")

    monkeypatch.setattr("reelmake.gemini.engine.analysis_of", broken)
    check(reports, tmp_path)
    assert len(double.ledger.billed()) == 1
