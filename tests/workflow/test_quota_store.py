"""Runs that share their quotas in a real Redis."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from gemini_double import GeminiDouble, Settings
from redis_server import PASSWORD, RedisServer
from sample_videos import many_videos
from workflow.conftest import Project, asking
from workflow.interruptions import processes

KEY = "key-that-nobody-may-see"


@pytest.fixture
def double() -> Iterator[GeminiDouble]:
    with GeminiDouble(Settings(keys={KEY: "project"})) as service:
        yield service


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    folder = tmp_path / "redis"
    folder.mkdir()
    server = RedisServer(folder)
    yield server
    server.stop()


def sharing(redis: RedisServer, double: GeminiDouble, folder: Path, **quotas: int) -> Project:
    project = asking(double, folder)
    project.environment |= {"GEMINI_API_KEY": KEY, "QUOTAS": redis.url}
    settings: dict[str, Any] = {"quota_store": "env:QUOTAS", **quotas}
    project.config["gemini"] = settings
    return project


def requests_left(project: Project) -> int | None:
    assert project.telling("plan").code == 0
    plan = json.loads((project.results / ".reelmake/plan.json").read_text())
    left: int | None = plan["requests_left_today"]
    return left


def test_two_runs_at_once_spend_one_day_together(
    redis: RedisServer, double: GeminiDouble, tmp_path: Path
) -> None:
    redis.start()
    double.settings.update({"latency": 1.0})
    runs = [sharing(redis, double, tmp_path / name, rpd=6, rpm=600, tpm=10**7) for name in "ab"]
    seen: set[str] = set()
    for number, run in enumerate(runs):
        many_videos(run.folder / "videos", 4, seconds=20.0 + number)
    running = [run.start(cores=4) for run in runs]
    while any(process.poll() is None for process in running):
        seen.update(line for _, _, line in processes())
        time.sleep(0.1)
    outputs = [process.communicate(timeout=60)[0] for process in running]

    failures = [row for run in runs for row in run.rows("failures.tsv")]
    assert [row["code"] for row in failures] == ["quota_per_day"] * 2, outputs
    assert len(double.ledger.billed()) == 6
    assert [requests_left(run) for run in runs] == [0, 0]

    with Redis.from_url(redis.url, decode_responses=True) as held:
        kept = " ".join(map(str, held.scan_iter()))
    assert "gemini-3.5-flash-lite" in kept
    logs = [path.read_text() for run in runs for path in run.folder.rglob("*.log")]
    for told in [kept, *outputs, *seen, *logs]:
        assert KEY not in told
        assert PASSWORD not in told


def test_without_its_redis_a_run_does_not_start_and_says_what_to_do(
    redis: RedisServer, double: GeminiDouble, tmp_path: Path
) -> None:
    project = sharing(redis, double, tmp_path / "project", rpm=60, rpd=6)
    many_videos(project.folder / "videos", 1)
    assert requests_left(project) is None
    run = project.run()
    assert run.code == 1
    assert (
        f"the Redis of `gemini.quota_store` at 127.0.0.1:{redis.port} can't be used" in run.output
    )
    assert "and that its Redis runs" in run.output
    assert "Traceback" not in run.output
    assert double.ledger.count("upload_start") == 0
