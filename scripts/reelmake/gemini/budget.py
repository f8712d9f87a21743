"""The money of a run: never more than was set aside, but for at most one call."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass

from reelmake.errors import ReelmakeError


@dataclass(frozen=True)
class Estimate:
    """What a call is going to cost: tokens and seconds, USD expected and at the very most."""

    input_tokens: float
    usd: float
    most_usd: float
    output_tokens: float = 0.0
    seconds: float = 0.0


class Budget:
    """Spent is what was billed in this run; reserved the most that calls in flight can come to.

    So a run slows down when little is left, rather than be surprised by many dear answers at once.
    """

    def __init__(self, limit_usd: float | None) -> None:
        self._limit_usd = limit_usd
        self.spent_usd = 0.0
        self._reserved: dict[object, float] = {}
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
            await self._changed.wait_for(lambda: self._fits(estimate))
            if self.spent_usd + estimate.usd > self._limit_usd:
                raise self._reached()
            self._reserved[call] = estimate.most_usd
        try:
            yield
        finally:
            async with self._changed:
                del self._reserved[call]
                self._changed.notify_all()

    @property
    def left_usd(self) -> float:
        """What is neither spent nor reserved."""
        if self._limit_usd is None:
            return math.inf
        return self._limit_usd - self.spent_usd - sum(self._reserved.values())

    def bill(self, usd: float | None, estimate: Estimate) -> None:
        """Count what an answer has cost; None: nobody knows, so what was expected."""
        self.spent_usd += estimate.usd if usd is None else usd

    def _fits(self, estimate: Estimate) -> bool:
        if not self._reserved:
            return True
        in_flight = sum(self._reserved.values())
        return self.spent_usd + in_flight + estimate.most_usd <= (self._limit_usd or 0)

    def _reached(self) -> ReelmakeError:
        return ReelmakeError(
            "budget_reached",
            f"`budget_usd: {self._limit_usd:g}` is reached: "
            f"{self.spent_usd:.4f} USD were spent in this run",
        )
