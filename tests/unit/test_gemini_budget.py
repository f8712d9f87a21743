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
