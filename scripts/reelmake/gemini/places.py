"""How many reports are asked for at a time: what `-j` says, while others get ready beside them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field


@dataclass
class Turn:
    """A report's: it takes one place, however many calls it has in flight."""

    calls: int = 0
    taking: asyncio.Lock = field(default_factory=asyncio.Lock)


class Places:
    """So many reports may have calls in flight; None: as many as like."""

    def __init__(self, count: int | None) -> None:
        self._free = asyncio.Semaphore(count) if count else None

    @contextlib.asynccontextmanager
    async def taken(self, turn: Turn) -> AsyncIterator[None]:
        """Hold one of a report's calls; the first waits until there is a place for the report."""
        if self._free is None:
            yield
            return
        async with turn.taking:
            if not turn.calls:
                await self._free.acquire()
            turn.calls += 1
        try:
            yield
        finally:
            turn.calls -= 1
            if not turn.calls:
                self._free.release()
