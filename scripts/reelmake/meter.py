"""What a run has asked Gemini and what came of it: counted in one place, read while it runs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, PrivateAttr, computed_field

from reelmake.files import write_atomically

_EVERY_S = 1.0


class Meter(BaseModel):
    """The counters of one run, and how things stand just now."""

    model_config = ConfigDict(extra="ignore")

    found: int = 0
    """Answers that were in the store."""
    bought: int = 0
    """Answers that arrived and were paid for, whether they could be used or not."""
    asked: int = 0
    """Answers that were wanted of the service."""
    tries: int = 0
    """Calls that it took, those before the last one failed."""
    rate_limited: int = 0
    """Refusals with 429."""
    overloaded: int = 0
    """Refusals with 503."""
    lost: int = 0
    """Calls without an answer that may have been billed all the same."""
    input_tokens: int = 0
    output_tokens: int = 0
    """Of the answers, thoughts included."""
    usd: float = 0.0
    """What was billed, as far as one can know it."""
    waited_s: float = 0.0
    """For quotas and the limit of calls in flight, summed over all calls."""
    limit: int = 0
    """Calls that may be in flight just now; it adapts to what the service bears."""
    lowest_limit: int = 0
    limit_changes: int = 0
    in_flight: int = 0
    waiting: int = 0
    """Calls whose turn has not come yet."""
    _brought: set[str] = PrivateAttr(default_factory=set)

    def buy(self, usage: Mapping[str, Any]) -> None:
        """Count an answer that arrived, by the tokens that it says it took."""
        self.bought += 1
        self.input_tokens += _number(usage, "prompt_token_count")
        self.output_tokens += _number(usage, "candidates_token_count")
        self.output_tokens += _number(usage, "thoughts_token_count")

    def bring(self, key: str, usage: Mapping[str, Any]) -> None:
        """Count one that a batch has brought, which its report is going to find in the store."""
        self.buy(usage)
        self._brought.add(key)

    def find(self, key: str) -> None:
        """Count one that was found in the store, unless it has just been brought there."""
        if key in self._brought:
            self._brought.discard(key)
        else:
            self.found += 1

    @computed_field  # type: ignore[prop-decorator]
    @property
    def retries(self) -> int:
        return max(0, self.tries - self.asked)

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


def _number(usage: Mapping[str, Any], name: str) -> int:
    number = usage.get(name)
    return number if isinstance(number, int) else 0


def read_meter(path: Path) -> Meter:
    """Read what a gateway wrote last; all zero when it never did."""
    try:
        return Meter.model_validate_json(path.read_bytes())
    except (OSError, ValueError):
        return Meter()


@contextlib.asynccontextmanager
async def kept(read: Callable[[], Meter], path: Path) -> AsyncIterator[None]:
    """Write to ``path`` what is read, whenever it has changed: once a second, and at the end."""
    written = Meter()

    def write() -> None:
        nonlocal written
        now = read()
        if now != written:
            # Whoever reads it does without; answers are not to be lost for it.
            with contextlib.suppress(OSError):
                write_atomically(path, now.model_dump_json())
            written = now

    async def keep() -> None:
        while True:
            write()
            await asyncio.sleep(_EVERY_S)

    keeping = asyncio.create_task(keep())
    try:
        yield
    finally:
        keeping.cancel()
        write()
