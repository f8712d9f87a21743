"""Quotas are shared by all who name the same Redis; without it nobody asks."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from redis_server import PASSWORD, RedisServer
from reelmake.config import GeminiSettings
from reelmake.gemini import quota_store
from reelmake.gemini.failures import ServiceError
from reelmake.gemini.projects import Projects
from reelmake.gemini.quota_store import QuotaStore
from reelmake.results import Results

# Long enough for a busy machine to look at each window before it is over.
WINDOW_S = 1.5


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    redis = RedisServer(tmp_path_factory.mktemp("redis"))
    redis.start()
    yield redis
    redis.stop()


@pytest.fixture
def short_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quota_store, "MINUTE_MS", round(WINDOW_S * 1000))


@asynccontextmanager
async def stores(
    server: RedisServer,
    number: int = 2,
    rpm: int | None = None,
    tpm: int | None = None,
    rpd: int | None = None,
) -> AsyncIterator[list[QuotaStore]]:
    """Of as many processes: each has connections of its own. The server is empty at first."""
    async with Redis.from_url(server.url) as redis:
        await redis.flushall()
    opened = [QuotaStore(server.url, rpm=rpm, tpm=tpm, rpd=rpd) for _ in range(number)]
    try:
        yield opened
    finally:
        for store in opened:
            await store.aclose()


async def entries(server: RedisServer) -> dict[str, float]:
    """All entries of windows, with the server's seconds at which they were made."""
    async with Redis.from_url(server.url, decode_responses=True) as redis:
        keys = [key async for key in redis.scan_iter("*:requests*")]
        found: dict[str, float] = {}
        for key in keys:
            pairs: Any = await redis.zrange(key, 0, -1, withscores=True)
            found |= {member: score / 1000 for member, score in pairs}
        return found


@pytest.mark.usefixtures("short_minutes")
def test_all_processes_together_stay_below_the_quota(server: RedisServer) -> None:
    async def main() -> list[float]:
        seen: dict[str, float] = {}
        async with stores(server, number=4, rpm=5) as shared:

            async def ask(store: QuotaStore) -> None:
                await store.wait_for_minute("p", "m", 0)
                seen.update(await entries(server))

            await asyncio.gather(*(ask(shared[number % 4]) for number in range(18)))
        return sorted(seen.values())

    began = asyncio.run(main())
    assert len(began) == 18
    for first, sixth in zip(began, began[5:], strict=False):
        assert round(sixth - first, 3) >= WINDOW_S  # the store counts milliseconds


@pytest.mark.usefixtures("short_minutes")
def test_who_waits_for_tokens_holds_back_nobody_who_needs_only_a_request(
    server: RedisServer,
) -> None:
    async def main() -> None:
        async with stores(server, rpm=2, tpm=1000) as (one, other):
            await one.wait_for_minute("p", "m", 990)
            waiting = asyncio.create_task(one.wait_for_minute("p", "m", 500))
            await asyncio.sleep(WINDOW_S / 4)
            assert not waiting.done()
            await other.wait_for_minute("p", "m", 1)
            assert not waiting.done()
            await waiting

    asyncio.run(main())


@pytest.mark.usefixtures("short_minutes")
def test_more_tokens_than_a_minute_has_take_a_whole_one(server: RedisServer) -> None:
    async def main() -> None:
        async with stores(server, tpm=1000) as (one, other):
            await one.wait_for_minute("p", "m", 5000)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(other.wait_for_minute("p", "m", 1), WINDOW_S / 4)

    asyncio.run(main())


def test_a_node_whose_clock_is_wrong_sees_the_same_minute(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ahead(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(hours=25)

    async def main() -> None:
        async with stores(server, rpm=1, rpd=1) as (right, ahead):
            await right.wait_for_minute("p", "m", 0)
            await right.take_of_day("p", "m")
            hours = 25 * 3600
            monkeypatch.setattr(time, "time_ns", lambda: time.monotonic_ns() + hours * 10**9)
            monkeypatch.setattr(time, "time", lambda: time.monotonic() + hours)
            monkeypatch.setattr(quota_store, "datetime", Ahead)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(ahead.wait_for_minute("p", "m", 0), 0.3)
            with pytest.raises(ServiceError):
                await ahead.take_of_day("p", "m")

    asyncio.run(main())


def test_the_day_is_counted_for_all_and_what_was_refused_is_given_back(
    server: RedisServer,
) -> None:
    async def main() -> None:
        async with stores(server, rpd=3) as (one, other):
            for store in (one, other, one):
                await store.take_of_day("p", "m")
            with pytest.raises(ServiceError, match="the 3 requests of"):
                await other.take_of_day("p", "m")
            await one.give_back_of_day("p", "m")
            await other.take_of_day("p", "m")
            await other.take_of_day("p", "another-model")
            await other.take_of_day("another-project", "m")

    asyncio.run(main())


def test_a_project_gives_back_for_all_what_was_refused(
    server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUOTAS", server.url)
    settings = GeminiSettings(rpd=1, quota_store="env:QUOTAS")

    async def main() -> None:
        async with Projects(settings, ["a-key-of-its-own"], Results(tmp_path)) as projects:
            (project,) = projects.all
            await project.count("m")
            await project.uncount("m")
            await project.count("m")
            with pytest.raises(ServiceError, match="are spent"):
                await project.count("m")

    asyncio.run(main())


def test_the_next_day_is_counted_anew(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with stores(server, rpd=1) as (one, _):
            await one.take_of_day("p", "m")
            tomorrow = datetime.now(UTC) + timedelta(days=1)

            async def its_time(store: QuotaStore) -> datetime:
                return tomorrow

            monkeypatch.setattr(QuotaStore, "_now", its_time)
            await one.take_of_day("p", "m")

    asyncio.run(main())


def test_a_redis_that_is_not_there_is_told_at_once_and_no_password_with_it(tmp_path: Path) -> None:
    nowhere = RedisServer(tmp_path)

    async def main() -> None:
        store = QuotaStore(nowhere.url, rpm=1, tpm=None, rpd=None)
        with pytest.raises(ServiceError) as caught:
            await store.check()
        assert caught.value.code == "quota_store_unreachable"
        assert f"127.0.0.1:{nowhere.port}" in str(caught.value)
        assert PASSWORD not in str(caught.value)

    asyncio.run(main())


def test_a_wrong_password_is_no_traceback_either(server: RedisServer) -> None:
    wrong = server.url.replace(PASSWORD, "wrong")

    async def main() -> None:
        with pytest.raises(ServiceError, match=r"AuthenticationError"):
            await QuotaStore(wrong, rpm=1, tpm=None, rpd=None).check()

    asyncio.run(main())


def test_a_redis_that_is_gone_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    redis = RedisServer(tmp_path)
    redis.start()

    async def main() -> None:
        async with stores(redis, rpm=1, rpd=9) as (one, _):
            await one.take_of_day("p", "m")
            redis.stop()
            waiting = asyncio.create_task(one.wait_for_minute("p", "m", 0))
            await asyncio.sleep(0.2)
            assert not waiting.done()
            redis.start()
            await waiting

    try:
        asyncio.run(main())
    finally:
        redis.stop()


def test_a_redis_that_stays_away_fails_the_call_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota_store, "_FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(quota_store, "_LONGEST_WAIT_S", 0.01)

    async def main() -> None:
        store = QuotaStore(RedisServer(tmp_path).url, rpm=1, tpm=1, rpd=1)
        for call in (store.wait_for_minute("p", "m", 1), store.take_of_day("p", "m")):
            with pytest.raises(ServiceError, match=r"can't be used \(ConnectionError\)"):
                await call

    asyncio.run(main())
