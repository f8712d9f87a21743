"""run.json: the record of each run."""

import json
from pathlib import Path
from typing import Any

import pytest

from reelmake.config import Config
from reelmake.jobs import Failure
from reelmake.meter import Meter
from reelmake.results import Results
from reelmake.runs.record import (
    KEPT,
    Reports,
    RunRecord,
    begin_run,
    mark_vanished,
    read_runs,
    told_of_vanished,
    write_run,
)
from reelmake.translation import ENGLISH

BLOCKED = Failure("a", "t", "blocked", "answer_blocked", "refused", "hint", 1, "logs/a.log")


def config(root: Path, **values: Any) -> Config:
    return Config(videos="videos", results=str(root), **values)


@pytest.mark.parametrize(
    ("reports", "changes", "ending"),
    [
        (Reports(asked=3, done=2, up_to_date=1), {}, "complete"),
        (Reports(asked=3, done=2, failed=1), {}, "failures"),
        (Reports(asked=3, done=2, failed=1), {"stopped_by": "budget_reached"}, "failures"),
        (Reports(asked=3, done=1, failed=1, unfinished=1), {}, "interrupted"),
        (Reports(asked=3, done=3), {"other_failures": ["build_index"]}, "failures"),
    ],
)
def test_how_it_ended(
    tmp_path: Path, reports: Reports, changes: dict[str, Any], ending: str
) -> None:
    record = begin_run(config(tmp_path), jobs=4).model_copy(update=changes)
    record.end(reports, [BLOCKED] * reports.failed, Meter(usd=1.0))
    assert record.ending == ending
    assert record.failures == ({"blocked": 1} if reports.failed else {})


def test_it_says_with_what_it_was_made(tmp_path: Path) -> None:
    begin_run(config(tmp_path, budget_usd=2.5, gemini={"rpm": 10}), jobs=64)
    content = json.loads((tmp_path / "run.json").read_text())
    assert content["jobs"] == 64
    assert set(content["versions"]) == {"reelmake", "snakemake", "google-genai", "python"}
    assert content["settings"]["budget_usd"] == 2.5
    assert content["settings"]["gemini"]["rpm"] == 10


def test_addresses_stay_out_of_it(tmp_path: Path) -> None:
    begin_run(config(tmp_path, notify=["mailto://me:canary@mail.example"]), jobs=1)
    assert "canary" not in (tmp_path / "run.json").read_text()


def test_the_last_runs_are_kept_and_the_newest_is_run_json(tmp_path: Path) -> None:
    results = Results(tmp_path)
    for number in range(KEPT + 3):
        minute, second = divmod(number, 60)
        started = f"2026-11-24T10:{minute:02}:{second:02}.000+00:00"
        write_run(results, RunRecord(started=started, ending="complete", jobs=number))
    records = read_runs(results)
    assert [record.jobs for record in records] == list(range(3, KEPT + 3))
    newest = RunRecord.model_validate_json(results.newest_run.read_bytes())
    assert newest.jobs == KEPT + 2


def test_a_run_that_was_killed_is_said_of_by_the_next(tmp_path: Path) -> None:
    results = Results(tmp_path)
    assert mark_vanished(results) is None
    begin_run(config(tmp_path), jobs=1)
    results.meter.write_text(Meter(bought=7, usd=0.5).model_dump_json())
    record = mark_vanished(results)
    assert record
    assert "ended without saying how" in told_of_vanished(record, ENGLISH)
    assert "7 answers" in told_of_vanished(record, ENGLISH)
    assert [(each.ending, each.gemini and each.gemini.usd) for each in read_runs(results)] == [
        ("vanished", 0.5)
    ]
    assert mark_vanished(results) is None


def test_a_run_counts_from_the_beginning(tmp_path: Path) -> None:
    results = Results(tmp_path)
    results.meter.parent.mkdir(parents=True)
    results.meter.write_text(Meter(bought=7).model_dump_json())
    begin_run(config(tmp_path), jobs=1)
    assert not results.meter.exists()


def test_records_that_can_not_be_read_are_left_out(tmp_path: Path) -> None:
    results = Results(tmp_path)
    begin_run(config(tmp_path), jobs=1)
    (results.runs / "20000101T000000.json").write_text("{")
    (results.runs / "20000101T000001.json").write_text("[]")
    assert len(read_runs(results)) == 1
