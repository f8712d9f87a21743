"""What a run counts of Gemini."""

import asyncio
from pathlib import Path

import pytest

from reelmake.config import GeminiSettings
from reelmake.gemini.account import Account
from reelmake.meter import Meter, kept, read_meter
from reelmake.results import Results
from unit import virtual_time


def test_it_is_written_as_it_changes_and_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "meter.json"
    meter = Meter()

    async def run() -> None:
        async with kept(meter.model_copy, path):
            await asyncio.sleep(5)
            assert not path.exists()  # nothing to say yet
            meter.bought = 1
            await asyncio.sleep(1)
            assert read_meter(path).bought == 1
            meter.bought = 2
        assert read_meter(path).bought == 2

    virtual_time.run(run())


def test_between_two_writings_is_a_second(tmp_path: Path) -> None:
    path = tmp_path / "meter.json"
    written = set()

    async def run() -> None:
        meter = Meter()
        async with kept(meter.model_copy, path):
            for _ in range(40):
                await asyncio.sleep(0.1)
                meter.bought += 1
                if path.exists():
                    written.add(path.stat().st_mtime_ns)

    virtual_time.run(run())
    assert len(written) <= 4
    assert read_meter(path).bought == 40


def test_a_disk_that_is_full_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    async def run() -> None:
        async with kept(lambda: Meter(bought=1), tmp_path / "file/meter.json"):
            await asyncio.sleep(1)

    virtual_time.run(run())


def test_what_can_not_be_read_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "meter.json").write_text('{"bought":')
    assert read_meter(tmp_path / "meter.json") == Meter() == read_meter(tmp_path / "none")


def test_retries_are_the_calls_beyond_the_first_of_each_answer() -> None:
    assert Meter(asked=3, tries=5).retries == 2


def test_a_gateway_that_died_is_followed_by_one_that_counts_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "test-key")
    results = Results(tmp_path)
    results.meter.parent.mkdir()
    before = Meter(bought=7, usd=0.75, limit_changes=2, tries=9, asked=8)
    results.meter.write_text(before.model_dump_json())
    account = Account(GeminiSettings(), results, run=asyncio.to_thread, budget_usd=1.0)
    assert account.meter() == before
