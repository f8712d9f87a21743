"""What the system refuses while results are written, and clocks that are wrong."""

import errno
import json
import os
import resource
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reelmake.config import Config
from reelmake.errors import ReelmakeError, of_system
from reelmake.files import room_for
from reelmake.gateway.launch import Setting
from reelmake.gemini.day_quota import DayQuota
from reelmake.jobs import Outcome, job, read_failure
from reelmake.pricing import cost_usd
from reelmake.results import Results
from reelmake.store import Store
from reelmake.targets import Target

KEY = "ab" * 32
TARGET = Target(video="v.mp4", name="v", template="t")


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EDQUOT, "disk_full"),
        (errno.EFBIG, "disk_full"),
        (errno.EROFS, "results_unwritable"),
        (errno.EACCES, "results_unwritable"),
        (errno.ENOTDIR, "results_unwritable"),
        (errno.EMFILE, "too_many_files"),
    ],
)
def test_what_the_system_refuses_is_named_with_its_place(number: int, code: str) -> None:
    error = of_system(OSError(number, os.strerror(number), "results/x"))
    assert error is not None
    assert error.code == code
    assert error.message == f"results/x: {os.strerror(number)}"


def test_what_the_user_can_do_nothing_about_stays_a_fault_of_ours() -> None:
    assert of_system(OSError(errno.EBADF, "Bad file descriptor")) is None


def test_room_is_used_by_the_answer_it_was_set_aside_for(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.room(KEY) as room:
        (aside,) = (tmp_path / "locks").iterdir()
        assert aside.stat().st_blocks * 512 >= 512 * 1024
        store.put(KEY, {"text": "光"}, request={}, room=room)
        assert not aside.exists()
    stored = store.get(KEY)
    assert stored is not None
    assert stored.answer == {"text": "光"}
    assert (tmp_path / KEY[:2] / f"{KEY}.json").stat().st_size < 1000
    assert not any((tmp_path / "locks").iterdir())


def test_room_that_is_not_needed_is_given_back(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(ConnectionError), store.room(KEY):
        raise ConnectionError
    assert not any((tmp_path / "locks").iterdir())


def test_without_room_nothing_begins_and_nothing_is_left(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with (
            pytest.raises(OSError, match="too large"),
            room_for(tmp_path / "file", 8192, aside=tmp_path / "aside"),
        ):
            pytest.fail("there was room")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert os.listdir(tmp_path) == []


def test_a_failure_that_can_not_be_recorded_travels_with_the_outcome(tmp_path: Path) -> None:
    results = Results(tmp_path)
    record = results.failure(*TARGET.key)
    (record / "in the way").mkdir(parents=True)
    with job(TARGET, results, tmp_path / "job.log") as outcome:
        raise OSError(errno.ENOSPC, "No space left on device")
    assert outcome.unrecorded is not None
    assert outcome.unrecorded.code == "disk_full"
    assert read_failure(record) is None
    assert Outcome.of_reply(outcome.as_reply(7)) == (7, outcome)


@pytest.mark.parametrize("said", ["", '{"config": {"videos": "vid'])
def test_a_gateway_whose_snakemake_is_stopped_amid_a_word_ends_quietly(said: str) -> None:
    program = Path(__file__).parents[2] / "scripts/gateway.py"
    ended = subprocess.run(
        [sys.executable, program], input=said, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.parametrize("folder", ["n" * 256, "/".join(["n" * 254] * 17)])
def test_results_whose_name_is_too_long_are_told_before_anything_runs(folder: str) -> None:
    with pytest.raises(ReelmakeError) as told:
        Results(Path(folder)).check_folders([])
    assert told.value.code == "results_unwritable"
    assert "File name too long" in told.value.message


def test_a_gateway_leaves_nothing_among_the_temporary_files(tmp_path: Path) -> None:
    setting = Setting(config=Config(videos="videos"), processes=1)
    ended = subprocess.run(
        [sys.executable, Path(__file__).parents[2] / "scripts/gateway.py"],
        input=f"{setting.model_dump_json()}\n",
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("jump", [timedelta(days=-400), timedelta(days=400)])
def test_a_clock_that_jumps_makes_the_days_quota_begin_anew(
    tmp_path: Path, jump: timedelta
) -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    quota = DayQuota(tmp_path / "today.json", limit=2, now=lambda: moment)
    quota.take("p", "m")
    quota.take("p", "m")
    later = DayQuota(tmp_path / "today.json", limit=2, now=lambda: moment + jump)
    assert later.left("p", "m") == 2
    later.take("p", "m")
    assert json.loads((tmp_path / "today.json").read_text())["taken"] == {"p m": 1}


@pytest.mark.parametrize("year", [1970, 2099])
def test_an_answer_of_another_century_has_a_price(year: int) -> None:
    usage = {"prompt_token_count": 1000, "candidates_token_count": 10}
    day = datetime(year, 1, 1, tzinfo=UTC).date()
    assert cost_usd("gemini-3.5-flash-lite", usage, tier="standard", day=day)
