"""The batch tier through the real SDK against the double, without Snakemake."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gemini_double import TEST_KEY, GeminiDouble, Settings
from reelmake.analysis import Analysis
from reelmake.config import GeminiSettings
from reelmake.gemini.account import Account
from reelmake.gemini.batches.records import BatchRecord, list_batches
from reelmake.gemini.stopping import Stopping
from reelmake.meter import Meter
from reelmake.results import Results
from reelmake.targets import Target
from sample_videos import BLUE, GREEN, RED, make_video
from workflow.interruptions import wait_until

SECOND_KEY = "second-key"
COLOURS = {"red": RED, "green": GREEN, "blue": BLUE, "black": (0, 0, 0), "white": (250, 250, 250)}


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("videos")
    return {
        name: make_video(folder / f"{name}.mp4", [(colour, 20.0)], size=(64, 64), fps=1)
        for name, colour in COLOURS.items()
    }


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[GeminiDouble]:
    keys = {TEST_KEY: "first", SECOND_KEY: "second"}
    with GeminiDouble(Settings(keys=keys)) as service:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", service.url)
        monkeypatch.setenv("GEMINI_API_KEY", TEST_KEY)
        monkeypatch.delenv("GEMINI_API_KEYS", raising=False)
        monkeypatch.chdir(tmp_path)
        yield service


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    be_quick(monkeypatch)


def be_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for something looks again at once."""

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr("reelmake.gemini.retry.sleep", sleep)
    monkeypatch.setattr("reelmake.gemini.batches.watching._POLL_S", 0.02)
    monkeypatch.setattr("reelmake.gemini.batches.watching._LONGEST_POLL_S", 0.02)
    monkeypatch.setattr("reelmake.gemini.batches.gathering._QUIET_S", 0.02)
    monkeypatch.setattr("reelmake.gemini.batches.submitting._REFUSED_WAIT_S", 0.05)
    monkeypatch.setattr("reelmake.gemini.batches.submitting._LONGEST_REFUSED_WAIT_S", 0.05)


class Runs:
    """Runs over the same videos with the same results folder."""

    def __init__(self, root: Path, videos: dict[str, Path]) -> None:
        self.results = Results(root / "results")
        self.videos = dict(videos)
        self.budget_usd: float | None = None
        self.meter = Meter()

    def targets(self, template: str = "summary_report") -> list[Target]:
        return [
            Target(video=str(path), name=name, template=template)
            for name, path in self.videos.items()
        ]

    def run(
        self,
        *,
        beside: Callable[[], bool] = lambda: True,
        then_stop: bool = False,
        **settings: Any,
    ) -> dict[str, Analysis | BaseException]:
        """Analyse all, as the gateway does; what came of each.

        ``beside`` is called until it is true; then the run is stopped, if it is to.
        """
        checked = GeminiSettings.model_validate({"tier": "batch", **settings})

        async def once() -> dict[str, Analysis | BaseException]:
            stopping = Stopping()
            account = Account(
                checked,
                self.results,
                run=asyncio.to_thread,
                stopping=stopping,
                budget_usd=self.budget_usd,
            )
            async with account:
                targets = self.targets()
                account.batches.expect(targets)
                work = asyncio.gather(
                    *(account.analyse(target) for target in targets), return_exceptions=True
                )
                while not beside():
                    await asyncio.sleep(0.01)
                if then_stop:
                    stopping.begin()
                outcomes = await work
                self.meter = account.meter()
                return dict(zip(self.videos, outcomes, strict=True))

        return asyncio.run(asyncio.wait_for(once(), 60))

    def check(self, *, budget_usd: float) -> None:
        """Whether a run may start. Raises ReelmakeError."""
        checked = GeminiSettings(tier="batch")

        async def once() -> None:
            account = Account(checked, self.results, run=asyncio.to_thread, budget_usd=budget_usd)
            async with account:
                await account.check(self.targets())

        asyncio.run(asyncio.wait_for(once(), 60))

    def killed(self, moment: Callable[[], bool]) -> None:
        """The same in a process of its own, which is killed at this moment."""
        program = (
            "import sys, pathlib, pytest; from batches.conftest import Runs, be_quick;"
            "be_quick(pytest.MonkeyPatch()); root, *videos = map(pathlib.Path, sys.argv[1:]);"
            "Runs(root, {path.stem: path for path in videos}).run()"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", program, self.results.root.parent, *self.videos.values()],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        try:
            wait_until(moment)
        finally:
            process.kill()
            process.wait()

    def batches(self) -> list[BatchRecord]:
        return list_batches(self.results)


@pytest.fixture
def runs(tmp_path: Path, videos: dict[str, Path]) -> Runs:
    return Runs(tmp_path, videos)


def all_answered(outcomes: dict[str, Analysis | BaseException]) -> bool:
    failures = [outcome for outcome in outcomes.values() if isinstance(outcome, BaseException)]
    assert not failures, failures
    return True


def tiers(double: GeminiDouble) -> list[str]:
    return sorted(str(record.service_tier) for record in double.ledger.billed())
