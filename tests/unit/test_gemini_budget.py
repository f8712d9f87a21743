"""The money of a run is never exceeded by more than one call, however wrong the estimates are."""

import asyncio
import random

import pytest

from reelmake.gemini.budget import Budget, Estimate
from unit.virtual_time import run


async def spend(
    budget: Budget, calls: int, *, expected: float, actual: list[float], most: float
) -> list[float]:
    """Make calls side by side; what those cost that were permitted."""
    paid: list[float] = []

    async def call(cost: float) -> None:
        estimate = Estimate(input_tokens=1, output_tokens=1, usd=expected, most_usd=most, seconds=1)
        async with budget.reserved(estimate):
            await asyncio.sleep(random.Random(cost).uniform(1, 10))  # noqa: S311  no secret
            paid.append(cost)
            budget.bill(cost, estimate)

    outcomes = await asyncio.gather(
        *(call(actual[number % len(actual)]) for number in range(calls)), return_exceptions=True
    )
    refused = [outcome for outcome in outcomes if outcome is not None]
    assert {getattr(error, "code", error) for error in refused} <= {"budget_reached"}
    return paid


@pytest.mark.parametrize("actual", [[1.0], [0.5, 2.0], [9.0], [0.1], [1.0, 1.1, 0.9, 7.0]])
def test_a_budget_is_exceeded_by_one_call_at_most(actual: list[float]) -> None:
    budget = Budget(20.0)
    paid = run(spend(budget, 200, expected=1.0, actual=actual, most=10.0))
    assert sum(paid) == pytest.approx(budget.spent_usd)
    assert budget.spent_usd <= 20.0 + max(actual)
    # What is left would not have been enough for another call as expected.
    assert budget.spent_usd > 20.0 - 1.0 - max(actual)


def test_a_large_budget_holds_nobody_up() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await spend(Budget(1e6), 200, expected=1.0, actual=[1.0], most=10.0)
        return loop.time() - began

    assert run(main()) <= 10.0


def test_without_a_budget_anything_goes() -> None:
    assert len(run(spend(Budget(None), 50, expected=1.0, actual=[5.0], most=10.0))) == 50


def test_a_budget_of_nothing_buys_nothing() -> None:
    assert run(spend(Budget(0.0), 5, expected=1.0, actual=[1.0], most=10.0)) == []


def calling(usd: float, most_usd: float) -> Estimate:
    return Estimate(input_tokens=1, output_tokens=1, usd=usd, most_usd=most_usd, seconds=1)


@pytest.mark.parametrize(
    ("limit", "most_usd", "begun_s"),
    [(3.0, 1.0, [0, 0, 0]), (3.0, 2.0, [0, 5, 10]), (2.5, 1.0, [0, 0])],
    ids=["exactly enough", "the most that they can come to is too much", "not enough for all"],
)
def test_calls_wait_for_those_in_flight_that_may_take_what_is_left(
    limit: float, most_usd: float, begun_s: list[float]
) -> None:
    async def main() -> list[float]:
        budget, begun = Budget(limit), list[float]()
        loop = asyncio.get_running_loop()
        began = loop.time()

        async def call() -> None:
            async with budget.reserved(calling(1.0, most_usd)):
                begun.append(loop.time() - began)
                await asyncio.sleep(5)
                budget.bill(1.0, calling(1.0, most_usd))

        await asyncio.gather(*(call() for _ in range(3)), return_exceptions=True)
        return begun

    assert run(main()) == begun_s


def test_a_call_that_fails_gives_its_money_back() -> None:
    async def main() -> None:
        budget = Budget(1.0)

        async def fail() -> None:
            async with budget.reserved(calling(1.0, 1.0)):
                assert budget.left_usd == 0.0
                raise ConnectionError

        with pytest.raises(ConnectionError):
            await fail()
        assert budget.left_usd == 1.0
        async with asyncio.timeout(1), budget.reserved(calling(1.0, 1.0)):
            pass

    run(main())


@pytest.mark.parametrize(("billed", "spent"), [(0.0, 0.0), (0.5, 0.5), (None, 2.0)])
def test_what_nobody_knows_the_cost_of_counts_as_expected(
    billed: float | None, spent: float
) -> None:
    budget = Budget(5.0)
    budget.bill(billed, calling(2.0, 3.0))
    assert (budget.spent_usd, budget.left_usd) == (spent, 5.0 - spent)
