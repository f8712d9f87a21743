"""How many reports are asked for at a time: what `-j` says, while others get ready beside them.

Who is first is a matter of priority, then of who came first. A report of a higher priority that is
still getting ready is waited for, a little.
"""

import asyncio
import contextlib
import heapq
import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

# Most videos are sent in less. Longer, others are not held up for one that may take minutes.
_GETS_READY_WITHIN_S = 5.0


@dataclass(eq=False)
class Turn:
    """A report's: it takes one place, however many calls it has in flight."""

    priority: int = 0
    calls: int = 0
    taking: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(order=True)
class _Waiting:
    rank: tuple[int, int]
    turn: Turn = field(compare=False)
    place: asyncio.Future[None] = field(compare=False)


class Places:
    """So many reports may have calls in flight; None: as many as like."""

    def __init__(self, count: int | None) -> None:
        self._free = count
        self._waiting: list[_Waiting] = []
        self._numbers = itertools.count()
        self._getting_ready: dict[Turn, float] = {}
        """With the time until which they are waited for."""
        self._timer: asyncio.TimerHandle | None = None

    @contextlib.contextmanager
    def getting_ready(self, turn: Turn) -> Iterator[None]:
        """Have others of a lower priority wait until this one takes its place, or is done."""
        self._getting_ready[turn] = _now() + _GETS_READY_WITHIN_S
        try:
            yield
        finally:
            self._is_ready(turn)

    @contextlib.asynccontextmanager
    async def taken(self, turn: Turn) -> AsyncIterator[None]:
        """Hold one of a report's calls; the first waits until there is a place for the report."""
        if self._free is None:
            yield
            return
        async with turn.taking:
            if not turn.calls:
                await self._place(turn)
            turn.calls += 1
        try:
            yield
        finally:
            turn.calls -= 1
            if not turn.calls:
                self._give_back()

    async def _place(self, turn: Turn) -> None:
        place = asyncio.get_running_loop().create_future()
        rank = (-turn.priority, next(self._numbers))
        heapq.heappush(self._waiting, _Waiting(rank, turn, place))
        self._is_ready(turn)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # it came at the very moment
                self._give_back()
            raise

    def _is_ready(self, turn: Turn) -> None:
        self._getting_ready.pop(turn, None)
        self._advance()

    def _give_back(self) -> None:
        assert self._free is not None  # noqa: S101  nobody takes a place otherwise
        self._free += 1
        self._advance()

    def _advance(self) -> None:
        """Let as many take their places as there are."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        while self._waiting and self._free:
            first = self._waiting[0]
            if not first.place.cancelled():
                wait_s = self._wait_for_others_s(first.turn)
                if wait_s > 0:
                    loop = asyncio.get_running_loop()
                    self._timer = loop.call_later(wait_s, self._advance)
                    return
                self._free -= 1
                first.place.set_result(None)
            heapq.heappop(self._waiting)

    def _wait_for_others_s(self, turn: Turn) -> float:
        """Seconds in which a report that goes before this one may get ready."""
        before = (
            until for other, until in self._getting_ready.items() if other.priority > turn.priority
        )
        return max(before, default=0.0) - _now()


def _now() -> float:
    return asyncio.get_running_loop().time()
