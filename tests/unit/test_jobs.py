import asyncio
import logging
from pathlib import Path

import pytest

from reelmake.errors import ReelmakeError
from reelmake.jobs import BEGINS, Failure, Outcome, job, read_failure
from reelmake.results import Results
from reelmake.targets import Target

TARGET = Target(video="v.mp4", name="v", template="t")


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return Results(tmp_path).failure(*TARGET.key)


def run(record: Path, error: BaseException | None = None) -> Outcome:
    results = Results(record.parents[3])
    with job(TARGET, results, record.parent / "job.log") as outcome:
        if error:
            raise error
    return outcome


def test_a_failure_leaves_its_record_and_one_message(record: Path) -> None:
    outcome = run(record, ReelmakeError("video_unreadable", "v.mp4 is no video"))
    assert outcome.failed
    assert read_failure(record) == Failure(
        video="v",
        template="t",
        kind="invalid_input",
        code="video_unreadable",
        message="v.mp4 is no video",
        hint=ReelmakeError("video_unreadable", "").hint,
        attempts=1,
        log=str(record.parent / "job.log"),
    )
    assert "v (t): v.mp4 is no video" in outcome.message
    assert "Traceback" not in outcome.message


def test_a_fault_of_ours_leaves_its_traceback_in_the_log_alone(record: Path) -> None:
    outcome = run(record, ZeroDivisionError("oh"))
    failure = read_failure(record)
    assert failure
    assert (failure.kind, failure.code) == ("internal", "crashed")
    assert "Traceback" in Path(failure.log).read_text()
    assert "Traceback" not in outcome.message


def test_a_log_that_snakemake_has_deleted_goes_on_below_what_it_said(record: Path) -> None:
    log = record.parent / "job.log"
    run(record, ReelmakeError("video_missing", "first time"))
    log.unlink()
    run(record, ReelmakeError("video_missing", "second time"))
    run(record)
    text = log.read_text()
    assert text.index("first time") < text.index("second time")
    assert text.count(f"{BEGINS} v (t)") == 3


def test_where_files_can_not_be_linked_a_log_begins_anew(
    record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*arguments: object) -> None:
        raise OSError(95, "not supported")

    monkeypatch.setattr("reelmake.logs.os.link", link)
    log = record.parent / "job.log"
    for _ in range(2):
        assert run(record, ReelmakeError("video_missing", "gone")).failed
        assert log.read_text().count(BEGINS) == 1
        log.unlink()


def test_a_success_takes_the_record_of_an_earlier_failure_away(record: Path) -> None:
    run(record, ReelmakeError("video_missing", "gone"))
    assert not run(record).failed
    assert read_failure(record) is None


def test_one_format_leaves_the_failure_of_another_one(tmp_path: Path) -> None:
    results = Results(tmp_path)
    for log, error in (("pdf.log", "program_missing"), ("html.log", ""), ("pdf.log", "")):
        with job(TARGET, results, tmp_path / log, beside=True):
            if error:
                raise ReelmakeError(error, "no such program")
        failure = read_failure(results.failure(*TARGET.key))
        if log == "html.log":
            assert failure
            assert failure.code == "program_missing"
    assert failure is None


def test_an_interrupt_is_no_failure(record: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(record, KeyboardInterrupt())
    assert read_failure(record) is None


def test_a_job_that_the_end_of_the_run_gave_up_is_no_failure_of_its_video(record: Path) -> None:
    outcome = run(record, ReelmakeError("interrupted", "stopped"))
    assert outcome.failed
    assert read_failure(record) is None


def test_jobs_side_by_side_write_into_logs_of_their_own(tmp_path: Path) -> None:
    async def one(name: str) -> None:
        target = Target(video=f"{name}.mp4", name=name, template="t")
        with job(target, Results(tmp_path), tmp_path / f"{name}.log"):
            for number in range(3):
                logging.getLogger("reelmake.test").info("%s says %d", name, number)
                await asyncio.sleep(0)

    async def both() -> None:
        await asyncio.gather(one("a"), one("b"))

    asyncio.run(both())
    for name, other in (("a", "b"), ("b", "a")):
        text = (tmp_path / f"{name}.log").read_text()
        assert text.count(f"{name} says") == 3
        assert f"{other} says" not in text
