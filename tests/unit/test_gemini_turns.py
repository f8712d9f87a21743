"""Whose turn it is at a project's model: nobody is overtaken, held up for nothing, or forgotten."""

import asyncio
from collections.abc import Sequence

import pytest

from reelmake.gemini.failures import ServiceError
from reelmake.gemini.pacing import Pace
from unit.virtual_time import now, run


async def _call(pace: Pace, tokens: float, begun: list[tuple[float, float]], **turn: bool) -> None:
    async with pace.turn(tokens, **turn):
        begun.append((now(), tokens))


def test_who_was_refused_goes_before_those_who_never_asked() -> None:
    async def main() -> list[float]:
        pace = Pace("model", rpm=None, tpm=None, max_in_flight=1)
        begun: list[tuple[float, float]] = []
        async with pace.turn(0):
            calls = [
                asyncio.create_task(_call(pace, tokens, begun, again=again))
                for tokens, again in ((1, False), (2, True), (3, False))
            ]
            await asyncio.sleep(1)
        await asyncio.gather(*calls)
        return [tokens for _, tokens in begun]

    assert run(main()) == [2, 1, 3]


def test_who_gives_up_at_the_moment_when_the_turn_comes_passes_it_on() -> None:
    async def main() -> tuple[int, int]:
        pace = Pace("model", rpm=None, tpm=None, max_in_flight=1)
        begun: list[tuple[float, float]] = []
        async with pace.turn(0):
            given_up, next_one = (asyncio.create_task(_call(pace, 0, begun)) for _ in range(2))
            await asyncio.sleep(1)
        given_up.cancel()
        await asyncio.wait([given_up, next_one], timeout=1)
        return len(begun), pace.in_flight

    assert run(main()) == (1, 0)


def test_who_waits_for_a_quota_that_others_use_too_is_not_overtaken() -> None:
    async def main() -> list[float]:
        pace = Pace("model", rpm=None, tpm=None, max_in_flight=8, shared=asyncio.sleep)
        begun: list[tuple[float, float]] = []
        await asyncio.gather(*(_call(pace, seconds, begun) for seconds in (3, 1, 2)))
        return [tokens for _, tokens in begun]

    assert run(main()) == [3, 1, 2]


def test_who_waits_for_tokens_takes_no_request_meanwhile() -> None:
    told: list[float] = []

    async def main() -> list[float]:
        pace = Pace("model", rpm=2, tpm=1000, max_in_flight=8, begins=told.append)
        begun: list[tuple[float, float]] = []
        began = now()
        await _call(pace, 1000, begun)
        await asyncio.sleep(30)
        await asyncio.gather(*(_call(pace, 500, begun) for _ in range(2)))
        return [at - began for at, _ in begun]

    assert run(main()) == pytest.approx([0, 60.5, 60.5], abs=0.1)
    assert told == [1000, 500, 500]  # nor is it noted before it begins


@pytest.mark.parametrize(
    ("earlier", "waits_s"),
    [([(30.0, 300.0), (20.0, 300.0)], 30.5), ([(30.0, 300.0)], 0.0), ([(61.0, 500.0)], 0.0)],
    ids=["more than the quota", "as much as leaves room", "a minute ago"],
)
def test_what_was_used_before_counts_as_far_as_there_is_room(
    earlier: Sequence[tuple[float, float]], waits_s: float
) -> None:
    async def main() -> float:
        pace = Pace("model", rpm=None, tpm=500, max_in_flight=8, earlier=earlier)
        began = now()
        await _call(pace, 200, [])
        return now() - began

    assert run(main()) == pytest.approx(waits_s, abs=0.1)


def test_calls_smaller_than_what_is_counted_by_add_up() -> None:
    async def main() -> int:
        pace = Pace("model", rpm=None, tpm=20_000, max_in_flight=64)
        begun: list[tuple[float, float]] = []
        small = [asyncio.create_task(_call(pace, tokens, begun)) for tokens in [19_990] + [1] * 40]
        await asyncio.sleep(59)
        at_once = len(begun)
        await asyncio.gather(*small)
        return at_once

    assert run(main()) == pytest.approx(1 + 10, abs=1)


@pytest.mark.parametrize(
    ("answers", "waits_s"),
    [
        ([503, 503], 2.0),
        ([529, 529], 2.0),
        ([500, 500], 0.0),
        ([503, 200, 503], 0.0),
        ([503, "of a call that began before", 503], 2.0),
    ],
    ids=str,
)
def test_only_overloads_with_no_answer_between_them_are_waited_out(
    answers: Sequence[int | str], waits_s: float
) -> None:
    async def main() -> float:
        pace = Pace("model", rpm=None, tpm=None, max_in_flight=64)

        async def call(status: int, seconds: float) -> None:
            async with pace.turn(0):
                await asyncio.sleep(seconds)
                if status != 200:
                    raise ServiceError("overloaded", "no answer", status=status)

        early = asyncio.create_task(call(200, 1))
        await asyncio.sleep(0.1)
        for answer in answers:
            if isinstance(answer, str):
                await early
            else:
                await asyncio.gather(call(answer, 0.1), return_exceptions=True)
        answered = now()
        begun: list[tuple[float, float]] = []
        await _call(pace, 0, begun)
        await early
        return begun[0][0] - answered

    assert run(main()) == pytest.approx(waits_s, abs=0.1)
