from pathlib import Path

import pytest

from reelmake.errors import ReelmakeError
from reelmake.jobs import Failure, job, read_failure
from reelmake.results import Results
from reelmake.targets import Target

TARGET = Target(video="v.mp4", name="v", template="t")


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return Results(tmp_path).failure(*TARGET.key)


def run(record: Path, error: BaseException | None = None) -> None:
    results = Results(record.parents[3])
    with job(TARGET, results, record.parent / "job.log"):
        if error:
            raise error


def test_a_failure_leaves_its_record_and_one_message(
    record: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        run(record, ReelmakeError("video_unreadable", "v.mp4 is no video"))
    assert left.value.code == 1
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
    told = capsys.readouterr().err
    assert "v (t): v.mp4 is no video" in told
    assert "Traceback" not in told


def test_a_fault_of_ours_leaves_its_traceback_in_the_log_alone(
    record: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run(record, ZeroDivisionError("oh"))
    failure = read_failure(record)
    assert failure
    assert (failure.kind, failure.code) == ("internal", "crashed")
    assert "Traceback" in Path(failure.log).read_text()
    assert "Traceback" not in capsys.readouterr().err


def test_a_success_takes_the_record_of_an_earlier_failure_away(record: Path) -> None:
    with pytest.raises(SystemExit):
        run(record, ReelmakeError("video_missing", "gone"))
    run(record)
    assert read_failure(record) is None


def test_an_interrupt_is_no_failure(record: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(record, KeyboardInterrupt())
    assert read_failure(record) is None
