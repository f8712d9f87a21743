"""Quotas that processes share, on one machine or many: `gemini.quota_store`, a Redis.

Every entry bears the time of the server, whatever the clocks of the nodes say. Keys name projects
by their fingerprint.
"""

import asyncio
import logging
import math
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

from pyrate_limiter import Rate, RateItem, RedisBucket

from reelmake.gemini.day_quota import day_spent
from reelmake.gemini.failures import ServiceError
from reelmake.gemini.pacific import in_pacific_time
from reelmake.gemini.pacing import MINUTE_MS, UNITS

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = logging.getLogger(__name__)

_ANSWER_S = 5.0
_TRIES_MORE = 6  # about half a minute
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 8.0
# A process that is killed in the middle holds up the others for as long as this.
_HOLD_S = 10.0
_DAY_S = 48 * 3600


class QuotaStore:
    """Windows and counts of all projects and models.

    Its methods raise ServiceError ``quota_store_unreachable`` after half a minute of tries.
    """

    def __init__(self, address: str, *, rpm: int | None, tpm: int | None, rpd: int | None) -> None:
        """``address`` is a redis:// URL, or env:NAME of a variable that holds one."""
        self._url = os.environ[address[4:]] if address.startswith("env:") else address
        self._rpm, self._tpm, self._rpd = rpm, tpm, rpd
        self._redis = self._client(_TRIES_MORE)

    async def check(self) -> None:
        """Fail at once, rather than in every job, when it is not there."""
        redis = self._client(tries_more=0)
        async with self._classified():
            try:
                await redis.ping()
            finally:
                await redis.aclose()

    async def aclose(self) -> None:
        await self._redis.aclose()

    async def wait_for_minute(self, project: str, model: str, tokens: float) -> None:
        """Take one request of so many tokens, as soon as the quotas of the minute have room."""
        key = f"reelmake:{project}:{model}"
        while wait_s := await self._take(key, tokens):
            await asyncio.sleep(wait_s)

    async def take_of_day(self, project: str, model: str) -> None:
        """Count one request of today. Raises ServiceError ``quota_per_day`` when none is left."""
        if self._rpd is None:
            return
        async with self._classified():
            now = await self._now()
            key = self._day_key(project, model, now)
            taken = await self._redis.incr(key)
            await self._redis.expire(key, _DAY_S)
            if taken <= self._rpd:
                return
            await self._redis.decr(key)
        raise day_spent(self._rpd, in_pacific_time(now))

    async def give_back_of_day(self, project: str, model: str) -> None:
        """The service refused the request, and so did not count it."""
        if self._rpd is not None:
            async with self._classified():
                await self._redis.decr(self._day_key(project, model, await self._now()))

    async def left_of_day(self, project: str, model: str) -> int | None:
        """Requests that remain today; None: no limit is set. Fails at once."""
        if self._rpd is None:
            return None
        await self.check()
        async with self._classified():
            taken = await self._redis.get(self._day_key(project, model, await self._now()))
        return max(0, self._rpd - int(taken or 0))

    def _day_key(self, project: str, model: str, now: datetime) -> str:
        return f"reelmake:{project}:{model}:{in_pacific_time(now):%Y-%m-%d}"

    async def _take(self, key: str, tokens: float) -> float:
        """Take from all windows, or from none; seconds to wait for it."""
        async with self._classified(), self._redis.lock(f"{key}:lock", _HOLD_S, sleep=0.01):
            now_ms = round((await self._now()).timestamp() * 1000)
            requests = _Window(self._redis, f"{key}:requests", self._rpm, units=self._rpm)
            # Entries are parts of the quota: runs that share a window mean the same parts.
            each = _Window(self._redis, f"{key}:tokens:{self._tpm}", self._tpm, units=UNITS)
            wait_ms = await requests.take(1, now_ms)
            if not wait_ms and (wait_ms := await each.take(tokens, now_ms)):
                await requests.give_back(now_ms)
        return wait_ms / 1000

    async def _now(self) -> datetime:
        seconds, microseconds = await self._redis.time()
        return datetime.fromtimestamp(seconds + microseconds / 1e6, UTC)

    def _client(self, tries_more: int) -> "Redis":
        # Here, because only who shares quotas has it installed.
        from redis.asyncio import Redis  # noqa: PLC0415
        from redis.asyncio.retry import Retry  # noqa: PLC0415
        from redis.backoff import ExponentialBackoff  # noqa: PLC0415

        return Redis.from_url(
            self._url,
            decode_responses=True,
            socket_timeout=_ANSWER_S,
            socket_connect_timeout=_ANSWER_S,
            retry=Retry(ExponentialBackoff(_LONGEST_WAIT_S, _FIRST_WAIT_S), tries_more),
        )

    @asynccontextmanager
    async def _classified(self) -> AsyncIterator[None]:
        from redis.exceptions import RedisError  # noqa: PLC0415

        try:
            yield
        except (RedisError, OSError) as error:
            parts = urlsplit(self._url)  # of which user and password are never said
            where = f"{parts.hostname}:{parts.port or 6379}"
            raise ServiceError(
                "quota_store_unreachable",
                f"the Redis of `gemini.quota_store` at {where} can't be used "
                f"({type(error).__name__})",
            ) from error


class _Window:
    """A sliding minute in which at most ``limit`` may begin; without a limit, anything may.

    Only one process at a time works with it.
    """

    def __init__(self, redis: "Redis", key: str, limit: int | None, *, units: int | None) -> None:
        self._redis = redis
        self._key = key
        self._limit = limit
        self._units = min(limit or 0, units or 0)
        self._name = uuid4().hex

    async def take(self, amount: float, now_ms: int) -> int:
        """Take so much if it fits, and return 0; else the milliseconds to wait until it does."""
        if self._limit is None:
            return 0
        units = math.ceil(amount * self._units / self._limit)
        item = RateItem(self._name, now_ms, weight=min(max(1, units), self._units))
        rates = [Rate(self._units, MINUTE_MS)]
        # Anew each time: a Redis that was started again has forgotten the script.
        bucket = await RedisBucket.init(rates, self._redis, self._key)
        await bucket.leak(now_ms)
        if await bucket.put(item):
            await self._redis.pexpire(self._key, 2 * MINUTE_MS)
            return 0
        wait_ms = bucket.waiting(item)
        assert isinstance(wait_ms, int)  # noqa: S101  `put` has noted it
        return max(1, wait_ms)

    async def give_back(self, now_ms: int) -> None:
        """Undo `take`."""
        if self._limit is not None:
            at_this_time = map(str, await self._redis.zrangebyscore(self._key, now_ms, now_ms))
            own = [member for member in at_this_time if member.startswith(self._name)]
            await self._redis.zrem(self._key, *own)
