"""Quota used and not hit: when a call may begin, for one project and model.

Three things hold a call back: the quotas of a minute, the limit of calls in flight, and a pause
that the service asked for. Waiting costs nothing; who is first is a matter of priority, then of
who came first.
"""

import asyncio
import contextlib
import heapq
import itertools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from pyrate_limiter import InMemoryBucket, Rate, RateItem

from reelmake.gemini.failures import ServiceError

log = logging.getLogger(__name__)

# A little more than the service's minute: requests arrive there later than they are counted here.
MINUTE_MS = 60_500
# The library keeps an entry a unit: tokens are counted in parts of the quota as large as this.
UNITS = 10_000
# Recovers in so many rounds of calls what one cut has taken.
_ROUNDS_TO_RECOVER = 16
# Where the service does not say how long to wait.
_HICCUP_S = 2.0
# Where it says that it is overloaded, as it may say of a few videos for ever.
_LONGEST_PAUSE_S = 10.0
_OVERLOADED_STATUS = frozenset({503, 529})
_SLOWING_CODES = frozenset(["overloaded", "quota_per_minute"])


class _MinuteQuota:
    """A sliding window of a minute, in which at most ``limit`` of something may begin."""

    def __init__(self, limit: int) -> None:
        units = min(limit, UNITS)
        self._each = limit / units
        self._most = units
        self._rest = self._rest_before = 0.0
        self._bucket = InMemoryBucket([Rate(units, MINUTE_MS)])

    def take(self, amount: float, now: float) -> float:
        """Take so much if it fits, and return 0; else the seconds to wait until it does."""
        units = min(amount / self._each + self._rest, self._most)
        item = RateItem("", int(now * 1000), weight=max(0, round(units)))
        self._bucket.leak(item.timestamp)
        if not self._bucket.put(item):
            wait_ms = self._bucket.waiting(item)
            assert isinstance(wait_ms, int)  # noqa: S101  only other buckets answer later
            return max(1, wait_ms) / 1000
        # What rounding took too much, or too little, is made up for by the next one.
        self._rest_before, self._rest = self._rest, units - item.weight
        return 0.0

    def count(self, amount: float, at: float) -> None:
        """Count what was taken by others, as far as there is room; the oldest comes first."""
        units = min(round(amount / self._each), self._most - self._bucket.count())
        self._bucket.put(RateItem("", int(at * 1000), weight=units))

    def give_back(self, amount: float) -> None:
        """Undo the last `take`, of this amount."""
        units = min(amount / self._each + self._rest_before, self._most)
        weight = max(0, round(units))
        if weight:
            del self._bucket.items[-weight:]
        self._rest = self._rest_before


@dataclass(order=True)
class _Waiting:
    rank: tuple[int, bool, int]
    tokens: float = field(compare=False)
    turn: asyncio.Future[None] = field(compare=False)


class Pace:
    """When calls of one project to one model begin. Use `turn` around each."""

    def __init__(
        self,
        label: str,
        *,
        rpm: int | None,
        tpm: int | None,
        max_in_flight: int,
        shared: Callable[[float], Awaitable[None]] | None = None,
        earlier: Sequence[tuple[float, float]] = (),
        begins: Callable[[float], None] | None = None,
    ) -> None:
        """``shared`` waits for quotas that other processes use too, given a call's tokens.

        ``earlier`` calls count, too: seconds ago, and tokens, the oldest first. ``begins`` is told
        the tokens of each.
        """
        self._label = label
        self._shared = shared
        self._first = asyncio.Lock()
        self._requests = _MinuteQuota(rpm) if rpm else None
        self._tokens = _MinuteQuota(tpm) if tpm else None
        self._begins = begins
        for seconds_ago, tokens in earlier:
            self._count(tokens, _now() - seconds_ago)
        self._most = float(max_in_flight)
        self._limit = float(max_in_flight)
        self._waiting: list[_Waiting] = []
        self._numbers = itertools.count()
        self._paused_until = 0.0
        self._slowed_at = 0.0
        self._quota_is_spent = False
        self._overloads = 0
        """In a row: signs of it, and no answer between them."""
        self._timer: asyncio.TimerHandle | None = None
        self.in_flight = 0
        self.lowest_limit = max_in_flight
        self.limit_changes = 0

    @property
    def waiting(self) -> int:
        """Calls whose turn has not come yet."""
        return len(self._waiting)

    @property
    def limit(self) -> int:
        """Calls that may be in flight now."""
        return int(self._limit)

    @contextlib.asynccontextmanager
    async def turn(
        self, tokens: float, priority: int = 0, *, again: bool = False
    ) -> AsyncIterator[None]:
        """Wait until a call of so many input tokens may begin; it is in flight until the end.

        The service's refusals slow everyone down, its answers speed up again. Who asks ``again``
        goes before others of the same priority, lest the same one is refused until it gives up.
        """
        await self._my_turn(tokens, (-priority, not again, next(self._numbers)))
        try:
            if self._shared:
                async with self._first:  # in the order of their turns
                    await self._shared(tokens)
            began = _now()
            yield
        except ServiceError as error:
            if error.code in _SLOWING_CODES:
                self._slow_down(began, error)
            raise
        else:
            self._speed_up(began)
        finally:
            self.in_flight -= 1
            self._advance()

    async def _my_turn(self, tokens: float, rank: tuple[int, bool, int]) -> None:
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, _Waiting(rank, tokens, turn))
        self._advance()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it came at the very moment
                self.in_flight -= 1
            self._advance()
            raise

    def _advance(self) -> None:
        """Let as many begin as may."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        while self._waiting and self.in_flight < self.limit:
            first = self._waiting[0]
            if first.turn.cancelled():
                heapq.heappop(self._waiting)
                continue
            wait_s = self._take(first.tokens, _now())
            if wait_s > 0:
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(wait_s + 0.001, self._advance)
                return
            heapq.heappop(self._waiting)
            self.in_flight += 1
            first.turn.set_result(None)

    def _take(self, tokens: float, now: float) -> float:
        """Take one call's share of every quota, or none; seconds to wait for it."""
        wait_s = max(0.0, self._paused_until - now)
        if not wait_s and self._requests:
            wait_s = self._requests.take(1, now)
        if not wait_s and self._tokens:
            wait_s = self._tokens.take(tokens, now)
            if wait_s and self._requests:
                self._requests.give_back(1)
        if not wait_s and self._begins:
            self._begins(tokens)
        return wait_s

    def _count(self, tokens: float, at: float) -> None:
        if self._requests:
            self._requests.count(1, at)
        if self._tokens:
            self._tokens.count(tokens, at)

    def _slow_down(self, began: float, error: ServiceError) -> None:
        now = _now()
        self._pause(now, error.retry_after_s or 0.0)
        # Calls that were in flight together are refused together: that is one sign, not many.
        if began < self._slowed_at:
            return
        self._slowed_at = now
        if error.code == "quota_per_minute":
            if self._quota_is_spent:
                # No wait was told, or one that was too short: then all of it is renewed.
                self._pause(now, MINUTE_MS / 1000)
            elif not error.retry_after_s:
                self._pause(now, _HICCUP_S)
            self._quota_is_spent = True
        elif error.status in _OVERLOADED_STATUS:
            # Once is a hiccup. What lasts is waited for, lest it uses up the tries of every video.
            if self._overloads:
                self._pause(now, min(_HICCUP_S * 2 ** (self._overloads - 1), _LONGEST_PAUSE_S))
            self._overloads += 1
        self._set_limit(max(1.0, min(self._limit, self.in_flight) / 2), error.message)

    def _pause(self, now: float, seconds: float) -> None:
        self._paused_until = max(self._paused_until, now + seconds)

    def _speed_up(self, began: float) -> None:
        if began > self._slowed_at:
            self._quota_is_spent = False
            self._overloads = 0
        step = self._most / 2 / _ROUNDS_TO_RECOVER
        self._set_limit(min(self._most, self._limit + step / self._limit), "answers arrive again")

    def _set_limit(self, limit: float, why: str) -> None:
        before, self._limit = self.limit, limit
        if self.limit != before:
            self.limit_changes += 1
            self.lowest_limit = min(self.lowest_limit, self.limit)
            log.info("%s: %d calls in flight, was %d (%s)", self._label, self.limit, before, why)


def _now() -> float:
    return asyncio.get_running_loop().time()
