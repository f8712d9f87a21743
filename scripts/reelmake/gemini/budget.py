"""The money of a run: never more than was set aside, but for at most one call."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from reelmake.errors import ReelmakeError

# From so many answers on, what calls cost is known well enough to trust it.
_ENOUGH_ANSWERS = 3
_CAUTION = 1.5


@dataclass(frozen=True)
class Estimate:
    """What a call is going to cost: tokens that go in, USD expected and at the very most."""

    input_tokens: float
    usd: float
    most_usd: float


class Budget:
    """Spent is what was billed in this run; reserved what calls in flight may come to."""

    def __init__(self, limit_usd: float | None) -> None:
        self._limit_usd = limit_usd
        self.spent_usd = 0.0
        self._reserved: dict[object, float] = {}
        self._answers = 0
        self._highest_ratio = 1.0
        self._changed = asyncio.Condition()

    @contextlib.asynccontextmanager
    async def reserved(self, estimate: Estimate) -> AsyncIterator[None]:
        """Hold the money for one call. Raises ReelmakeError ``budget_reached``.

        While calls in flight may take what is left, it waits for them. With none in flight what
        was spent is known exactly, so that even a call dearer than expected is the only one.
        """
        if self._limit_usd is None:
            yield
            return
        call = object()
        async with self._changed:
            await self._changed.wait_for(lambda: self._fits(estimate) or not self._reserved)
            if not self._fits_alone(estimate):
                raise self._reached()
            self._reserved[call] = self._most(estimate)
        try:
            yield
        finally:
            async with self._changed:
                del self._reserved[call]
                self._changed.notify_all()

    def bill(self, usd: float | None, estimate: Estimate) -> None:
        """Count what an answer has cost; None: nobody knows, so what was expected."""
        cost = estimate.usd if usd is None else usd
        self.spent_usd += cost
        self._answers += 1
        if estimate.usd > 0:
            self._highest_ratio = max(self._highest_ratio, cost / estimate.usd)

    def _fits(self, estimate: Estimate) -> bool:
        reserved = sum(self._reserved.values())
        return self.spent_usd + reserved + self._most(estimate) <= (self._limit_usd or 0)

    def _fits_alone(self, estimate: Estimate) -> bool:
        if self._reserved:
            return self._fits(estimate)
        return self.spent_usd + estimate.usd <= (self._limit_usd or 0)

    def _most(self, estimate: Estimate) -> float:
        if self._answers < _ENOUGH_ANSWERS:
            return estimate.most_usd
        return min(estimate.most_usd, estimate.usd * self._highest_ratio * _CAUTION)

    def _reached(self) -> ReelmakeError:
        return ReelmakeError(
            "budget_reached",
            f"`budget_usd: {self._limit_usd:g}` is reached: "
            f"{self.spent_usd:.4f} USD were spent in this run",
        )
