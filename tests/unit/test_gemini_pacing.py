"""Quota is used and not hit; refusals slow everyone down, answers speed up again."""

import asyncio
import itertools
import logging
from collections import deque

import pytest

from reelmake.gemini.failures import ServiceError
from reelmake.gemini.pacing import Pace
from reelmake.gemini.retry import with_retries
from reelmake.gemini.stopping import Stopping
from unit.virtual_time import now, run

MINUTE_S = 60.0


class Service:
    """Counts in sliding minutes, as the real one does, and refuses what is too much."""

    def __init__(
        self,
        pace: Pace,
        *,
        rpm: int | None = None,
        tpm: int | None = None,
        told: float | None = 7.0,
        refusals_count: bool = False,
    ) -> None:
        self.pace = pace
        self.refusals_count = refusals_count
        self.told = told
        self.rpm, self.tpm = rpm, tpm
        self.taken: deque[tuple[float, float]] = deque()
        self.refused = 0
        self.in_flight = self.most_in_flight = 0
        self.order: list[str] = []

    async def call(
        self,
        tokens: float = 0,
        seconds: float = 1.0,
        priority: int = 0,
        name: str = "",
        again: bool = False,
    ) -> None:
        async with self.pace.turn(tokens, priority, again=again):
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            try:
                self._take(tokens)
                self.order.append(name)
                await asyncio.sleep(seconds)
            finally:
                self.in_flight -= 1

    def _take(self, tokens: float) -> None:
        recent = [taken for at, taken in self.taken if at > now() - MINUTE_S]
        too_many = self.rpm is not None and len(recent) >= self.rpm
        if too_many or (self.tpm is not None and sum(recent) + tokens > self.tpm):
            self.refused += 1
            if self.refusals_count:
                self.taken.append((now(), tokens))
            raise ServiceError("quota_per_minute", "429", status=429, retry_after_s=self.told)
        self.taken.append((now(), tokens))


def pace(*, rpm: int | None = None, tpm: int | None = None, max_in_flight: int = 64) -> Pace:
    return Pace("model, key 1 of 1", rpm=rpm, tpm=tpm, max_in_flight=max_in_flight)


async def refused(paced: Pace, seconds: float = 0) -> None:
    async def call() -> None:
        async with paced.turn(0):
            await asyncio.sleep(seconds)
            raise ServiceError("overloaded", "503")

    with pytest.raises(ServiceError):
        await call()


@pytest.mark.parametrize(
    ("rpm", "tpm", "tokens"),
    [
        (60, None, [0]),
        (None, 40_000, [100]),
        (None, 4_000_000, [500, 2_000, 120_000]),
        (600, 4_000_000, [2_000, 2_000, 20_000]),
        (7, 1_000_000_000, [1]),
    ],
)
def test_the_quota_that_binds_is_used_and_none_is_hit(
    rpm: int | None, tpm: int | None, tokens: list[int]
) -> None:
    minutes = 5

    async def main() -> Service:
        service = Service(pace(rpm=rpm, tpm=tpm, max_in_flight=1000), rpm=rpm, tpm=tpm)
        each = sum(tokens) / len(tokens)
        per_minute = min(rpm or 1e9, (tpm or 1e18) / max(each, 1))
        calls = [
            asyncio.create_task(service.call(tokens[number % len(tokens)]))
            for number in range(int(per_minute * minutes) + 1)
        ]
        began = now()
        await asyncio.gather(*calls)
        # The last of them begins as soon as the quota of that many minutes permits.
        assert now() - began <= MINUTE_S * minutes * 1.05 + 2
        return service

    assert run(main()).refused == 0


def test_never_more_are_in_flight_than_may_be() -> None:
    async def main() -> int:
        service = Service(pace(max_in_flight=5))
        await asyncio.gather(*(service.call() for _ in range(30)))
        return service.most_in_flight

    assert run(main()) == 5


def test_who_is_more_urgent_goes_first_and_else_who_came_first() -> None:
    async def main() -> list[str]:
        service = Service(pace(max_in_flight=1))
        ranks = {"a": 0, "b": 0, "c": 5, "d": -1, "e": 5}
        await asyncio.gather(*(service.call(priority=p, name=n) for n, p in ranks.items()))
        return service.order

    assert run(main()) == ["a", "c", "e", "b", "d"]


def test_a_refusal_halves_what_is_in_flight_pauses_everyone_and_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "reelmake")

    async def main() -> None:
        paced = pace(max_in_flight=8)
        service = Service(paced)
        calls = [asyncio.create_task(service.call(seconds=10)) for _ in range(7)]
        await asyncio.sleep(1)
        service.rpm = 7
        with pytest.raises(ServiceError):
            await service.call()
        assert paced.limit == 4
        service.rpm = None
        refused_at = now()
        next_one = asyncio.create_task(service.call(name="next", seconds=0))
        await next_one
        assert now() - refused_at == pytest.approx(9, abs=0.1)  # until fewer than four are left
        await asyncio.gather(*calls)

    run(main())
    assert "model, key 1 of 1: 4 calls in flight, was 8 (429)" in caplog.text


def test_the_pause_that_the_service_asks_for_is_kept() -> None:
    async def main() -> float:
        service = Service(pace(), rpm=1)
        await service.call(seconds=0)
        with pytest.raises(ServiceError):
            await service.call()
        service.rpm = None
        refused_at = now()
        await service.call(seconds=0)
        return now() - refused_at

    assert run(main()) == pytest.approx(7.0, abs=0.01)


@pytest.mark.parametrize("told", [None, 0.5, 7.0])
@pytest.mark.parametrize("refusals_count", [False, True])
def test_a_refusal_that_tells_none_or_too_short_a_wait_is_waited_out_within_three_tries(
    told: float | None, refusals_count: bool
) -> None:
    async def persistent(service: Service) -> None:
        tries = itertools.count()

        async def one_try() -> None:
            await service.call(seconds=0.3, again=next(tries) > 0)

        await with_retries(one_try, attempts=3, stopping=Stopping())

    async def main() -> float:
        service = Service(pace(max_in_flight=12), rpm=8, told=told, refusals_count=refusals_count)
        began = now()
        await asyncio.gather(*(persistent(service) for _ in range(40)))
        return now() - began

    # Five minutes' worth: the last of them can begin after four.
    assert 240 < run(main()) < 270


@pytest.mark.parametrize("lasts_s", [5, 60, 300])
def test_an_overload_that_lasts_is_waited_out_and_costs_few_videos_their_tries(
    lasts_s: float,
) -> None:
    async def main() -> list[object]:
        paced = pace(max_in_flight=16)

        async def video() -> None:
            tries = itertools.count()

            async def one_try() -> None:
                async with paced.turn(0, again=next(tries) > 0):
                    await asyncio.sleep(0.1)
                    if now() - began < lasts_s:
                        raise ServiceError("overloaded", "503", status=503)

            await with_retries(one_try, attempts=3, stopping=Stopping())

        began = now()
        outcomes = await asyncio.gather(*(video() for _ in range(100)), return_exceptions=True)
        assert now() - began < 2 * lasts_s + 75
        return [outcome for outcome in outcomes if outcome is not None]

    assert len(run(main())) < 8 + lasts_s / 30


def test_calls_that_are_refused_together_are_one_sign_not_many() -> None:
    async def main() -> int:
        paced = pace(max_in_flight=32)

        await asyncio.gather(*(refused(paced, seconds=1) for _ in range(32)))
        return paced.limit

    assert run(main()) == 16


def test_answers_bring_the_limit_back_step_by_step() -> None:
    async def main() -> list[int]:
        paced = pace(max_in_flight=64)
        service = Service(paced)
        limits = []
        await refused(paced)
        for _ in range(40):
            await asyncio.gather(*(service.call() for _ in range(paced.limit)))
            limits.append(paced.limit)
        return limits

    limits = run(main())
    assert limits == sorted(limits)
    assert limits[0] < 8
    assert limits[-1] == 64


def test_who_gives_up_waiting_holds_no_place() -> None:
    async def main() -> int:
        paced = pace(max_in_flight=1)
        service = Service(paced)
        first = asyncio.create_task(service.call(seconds=5))
        await asyncio.sleep(0)
        waiting = [asyncio.create_task(service.call()) for _ in range(3)]
        await asyncio.sleep(1)
        for task in waiting:
            task.cancel()
        await first
        await asyncio.wait(waiting)
        await service.call()
        return paced.in_flight

    assert run(main()) == 0


def test_a_call_larger_than_a_minutes_quota_goes_alone_rather_than_never() -> None:
    async def main() -> float:
        service = Service(pace(tpm=1000))
        began = now()
        await service.call(5000, seconds=0)
        await service.call(5000, seconds=0)
        return now() - began

    assert run(main()) == pytest.approx(60.5, abs=0.1)
