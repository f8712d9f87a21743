"""A run that begins within the minute of another one keeps the minute's quota."""

import asyncio
import contextlib
import json
from functools import partial
from pathlib import Path

import pytest

from gemini_double import GeminiDouble
from reelmake.gemini.calling import Source
from reelmake.gemini.pacing import Pace
from reelmake.gemini.projects import Projects
from reelmake.gemini.recent_calls import RecentCalls
from unit.gemini_client import Client, request
from unit.virtual_time import now, run

MINUTE_S = 60.0


@pytest.mark.parametrize(("rpm", "tpm"), [(5, None), (None, 1000), (5, 1000)])
def test_runs_one_after_the_other_are_within_the_quota(
    tmp_path: Path, rpm: int | None, tpm: int | None
) -> None:
    began: list[tuple[float, int]] = []

    async def one_run() -> None:
        recent = RecentCalls(tmp_path / "calls.jsonl", now)
        paced = Pace(
            "model",
            rpm=rpm,
            tpm=tpm,
            max_in_flight=8,
            earlier=recent.of("p", "m"),
            begins=partial(recent.add, "p", "m"),
        )

        async def call(tokens: int) -> None:
            async with paced.turn(tokens):
                began.append((now(), tokens))

        await asyncio.gather(*(call(tokens) for tokens in (10, 90, 300)))

    async def main() -> None:
        for _ in range(6):
            await one_run()

    run(main())
    assert len(began) == 18
    for first, _ in began:
        minute = [tokens for at, tokens in began if first <= at < first + MINUTE_S]
        assert len(minute) <= (rpm or 18)
        assert sum(minute) <= (tpm or 2400)


def test_a_limit_that_was_lowered_meanwhile_is_kept() -> None:
    async def main() -> float:
        earlier = [(30.0 - number, 100.0) for number in range(20)]
        paced = Pace("model", rpm=5, tpm=500, max_in_flight=8, earlier=earlier)
        began = now()
        async with paced.turn(1):
            return now() - began

    assert run(main()) == pytest.approx(30.5, abs=0.1)


@pytest.mark.usefixtures("double")
def test_what_one_run_asked_the_next_one_counts(tmp_path: Path, lecture: Source) -> None:
    asked = request(lecture)
    Client(tmp_path, rpm=3).ask(asked, lecture)
    client = Client(tmp_path, rpm=3)

    async def next_run(model: str) -> int:
        async with Projects(client.settings, client.keys, client.results) as projects:
            paced, begun = projects.all[0].pace(model), 0
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    while True:
                        async with paced.turn(0):
                            begun += 1
            return begun

    assert asyncio.run(next_run(asked.model)) == 2
    assert asyncio.run(next_run("another model")) == 3


def test_without_a_quota_of_the_minute_nothing_is_noted(
    double: GeminiDouble, tmp_path: Path, lecture: Source
) -> None:
    client = Client(tmp_path, rpd=9)
    client.ask(request(lecture), lecture)
    assert len(double.ledger.billed()) == 1
    assert not client.results.recent_calls.exists()


def test_what_is_old_damaged_or_of_others_does_not_count(tmp_path: Path) -> None:
    lines = [
        ["p", "m", 999.0, 7],
        ["p", "m", 950.5, 8],
        ["p", "other", 990.0, 1],
        ["other", "m", 990.0, 1],
        ["p", "m", 900.0, 1],
        ["p", "m", 1001.0, 1],  # the clock was set back
        ["p", "m", "soon", 1],
        ["p", "m"],
        7,
    ]
    path = tmp_path / "calls.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines) + '["p", "m", 99')
    recent = RecentCalls(path, lambda: 1000.0)
    assert recent.of("p", "m") == [(49.5, 8), (1.0, 7)]
    assert len(path.read_text().splitlines()) == 4
    path.write_bytes(b"\xff\xfe")
    assert recent.of("p", "m") == []


def test_what_can_not_be_noted_keeps_nobody_from_asking(tmp_path: Path) -> None:
    tmp_path.joinpath("file").touch()
    recent = RecentCalls(tmp_path / "file" / "calls.jsonl")
    recent.add("p", "m", 1)
    assert recent.of("p", "m") == []
