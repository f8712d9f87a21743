"""How many reports have calls in flight at a time."""

import asyncio

import pytest

from reelmake.gemini.places import Places, Turn


class Calls:
    """Calls that take a moment, and how many were in flight together."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._in_flight = self.most = 0

    async def make(self, turn: Turn) -> None:
        async with self._places.taken(turn):
            self._in_flight += 1
            self.most = max(self.most, self._in_flight)
            await asyncio.sleep(0)
            self._in_flight -= 1


@pytest.mark.parametrize(
    ("count", "reports", "calls_each", "most"),
    [(2, 5, 1, 2), (1, 3, 4, 4), (2, 3, 4, 8), (None, 5, 1, 5), (9, 3, 1, 3)],
)
def test_a_place_is_a_report_s_however_many_calls_it_makes(
    count: int | None, reports: int, calls_each: int, most: int
) -> None:
    async def main() -> int:
        calls = Calls(Places(count))
        turns = [Turn() for _ in range(reports)]
        await asyncio.gather(*(calls.make(turn) for turn in turns for _ in range(calls_each)))
        return calls.most

    assert asyncio.run(main()) == most


def test_who_gives_up_waiting_leaves_the_place_to_others() -> None:
    async def main() -> None:
        places = Places(1)
        first, second, third = Turn(), Turn(), Turn()
        async with places.taken(first):
            waiting = asyncio.create_task(places.taken(second).__aenter__())
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        async with asyncio.timeout(1), places.taken(third), places.taken(third):
            assert third.calls == 2
        assert first.calls == second.calls == third.calls == 0

    asyncio.run(main())
