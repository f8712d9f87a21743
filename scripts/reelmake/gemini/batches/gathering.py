"""Reports that come one by one, gathered so that few and large batches are made of them."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from reelmake.targets import Target, is_url

# Jobs start within a moment of each other.
_QUIET_S = 1.0
# Videos that this run still fetches are waited for as long as others of them keep coming.
_QUIET_WHILE_FETCHING_S = 600.0

TargetKey = tuple[str, str]


class Gathering:
    """Those that are to be asked next, of the same video together, at most ``most`` at a time."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._expected: dict[TargetKey, Target] = {}
        self._waiting: dict[TargetKey, Target] = {}
        self._taken: set[TargetKey] = set()
        self._came = asyncio.Event()

    def expect(self, targets: Iterable[Target]) -> None:
        """These will come: whoever is ready goes with the first of them."""
        self._expected |= {target.key: target for target in targets}

    def add(self, target: Target) -> None:
        """One has come; the same again is no other one."""
        if target.key not in self._taken:
            self._waiting[target.key] = target
            self._taken.add(target.key)
            self._came.set()

    async def next(self) -> list[Target]:
        """Wait for the first, then for those that come with it."""
        while not self._waiting:
            self._came.clear()
            await self._came.wait()
        quiet_s = 0.0
        while len(self._waiting) < self._most:
            self._add_expected()
            self._came.clear()
            limit_s = _QUIET_WHILE_FETCHING_S if self._is_fetching() else _QUIET_S
            try:
                async with asyncio.timeout(min(limit_s - quiet_s, _QUIET_S)):
                    await self._came.wait()
                quiet_s = 0.0
            except TimeoutError:
                quiet_s += _QUIET_S
                if quiet_s >= limit_s:
                    break
        ordered = sorted(self._waiting.values(), key=self._rank)
        chosen, rest = ordered[: self._most], ordered[self._most :]
        self._waiting = {target.key: target for target in rest}
        return chosen

    def _add_expected(self) -> None:
        for key in [key for key, target in self._expected.items() if _is_there(target)]:
            self.add(self._expected.pop(key))

    def _is_fetching(self) -> bool:
        return any(
            target.source and key not in self._taken for key, target in self._expected.items()
        )

    def _rank(self, target: Target) -> tuple[int, str, str]:
        return -target.priority, target.video, target.template


def _is_there(target: Target) -> bool:
    return not target.problem and (is_url(target.video) or Path(target.video).exists())
