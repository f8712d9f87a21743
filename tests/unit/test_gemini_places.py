"""How many reports have calls in flight at a time."""

import asyncio

import pytest

from reelmake.gemini.places import Places, Turn
from unit.virtual_time import now, run


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


def test_a_report_keeps_its_one_place_until_the_last_of_its_calls_has_ended() -> None:
    async def main() -> list[tuple[str, float]]:
        places, began = Places(1), now()
        begun: list[tuple[str, float]] = []

        async def report(name: str, *seconds: float) -> None:
            turn = Turn()

            async def call(lasts_s: float) -> None:
                async with places.taken(turn):
                    begun.append((name, now() - began))
                    await asyncio.sleep(lasts_s)

            await asyncio.gather(*map(call, seconds))

        await asyncio.gather(report("a", 2, 5), report("b", 1, 3), report("c", 1))
        return begun

    assert run(main()) == [("a", 0), ("a", 0), ("b", 5), ("b", 5), ("c", 8)]


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


def test_who_is_more_urgent_goes_first_and_else_who_came_first() -> None:
    async def main() -> list[str]:
        places, order = Places(1), list[str]()

        async def call(name: str, priority: int) -> None:
            async with places.taken(Turn(priority)):
                order.append(name)
                await asyncio.sleep(1)

        priorities = {"a": 0, "b": 0, "c": 5, "d": -1, "e": 5}
        await asyncio.gather(*(call(name, priority) for name, priority in priorities.items()))
        return order

    assert run(main()) == ["a", "c", "e", "b", "d"]


@pytest.mark.parametrize(
    ("priority", "ready_after_s", "waited_s"),
    [(9, 2, 3), (9, 60, 5), (5, 2, 0), (1, 2, 0), (9, None, 2)],
    ids=["soon", "not soon", "of the same priority", "of a lower one", "never: it has failed"],
)
def test_one_that_goes_before_it_is_waited_for_a_little_while_it_gets_ready(
    priority: int, ready_after_s: float | None, waited_s: float
) -> None:
    async def main() -> float:
        places, began = Places(1), now()

        async def urgent() -> None:
            turn = Turn(priority)
            with places.getting_ready(turn):
                await asyncio.sleep(ready_after_s or 2)
                if ready_after_s:
                    async with places.taken(turn):
                        await asyncio.sleep(1)

        async def ready() -> float:
            async with places.taken(Turn(5)):
                return now() - began

        waiting = asyncio.create_task(urgent())
        await asyncio.sleep(0)
        waited = await ready()
        await waiting
        return waited

    assert run(main()) == pytest.approx(waited_s, abs=0.01)


def test_who_gives_up_at_the_very_moment_leaves_the_place_to_others() -> None:
    async def main() -> None:
        places = Places(1)
        holding = places.taken(Turn())
        await holding.__aenter__()
        waiting = asyncio.create_task(places.taken(Turn()).__aenter__())
        await asyncio.sleep(0)
        await holding.__aexit__(None, None, None)  # the place is its, which it does not know yet
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        async with asyncio.timeout(1), places.taken(Turn()):
            pass

    asyncio.run(main())
