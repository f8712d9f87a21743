"""Stopping in good order: what is being paid for is waited for, all else is given up at once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from reelmake.errors import ReelmakeError

Entered = TypeVar("Entered")

# Longer than nearly every call takes, and short enough for who waits at a terminal.
_LONGEST_DRAIN_S = 300.0


def drain_limit_s(timeout_s: float) -> float:
    """Seconds that calls in flight are waited for, once everything is to end."""
    return min(timeout_s, _LONGEST_DRAIN_S)


class Stopping:
    """Whether new calls may begin; shared by all that asks."""

    def __init__(self) -> None:
        self.begun = False
        self._scopes: set[asyncio.Timeout] = set()

    def begin(self) -> None:
        """Give up whatever waits; from now on, nothing that could be given up begins."""
        if self.begun:
            return  # what is being given up can't be given up again
        self.begun = True
        for scope in self._scopes:
            scope.reschedule(0)

    @contextlib.asynccontextmanager
    async def may_be_given_up(self) -> AsyncIterator[None]:
        """Enclose what has not been paid for: waiting, uploading, looking something up.

        Raises ReelmakeError ``interrupted`` as soon as stopping has begun.
        """
        if self.begun:
            raise _interrupted()
        scope = asyncio.timeout(None)
        try:
            async with scope:
                self._scopes.add(scope)
                yield
        except TimeoutError:
            if scope.expired():
                raise _interrupted() from None
            raise
        finally:
            self._scopes.discard(scope)

    @contextlib.asynccontextmanager
    async def waiting_for(
        self, context: AbstractAsyncContextManager[Entered]
    ) -> AsyncIterator[Entered]:
        """Enter a context: the wait for it may be given up, what is done in it may not."""
        async with contextlib.AsyncExitStack() as stack:
            async with self.may_be_given_up():
                entered = await stack.enter_async_context(context)
            yield entered


def _interrupted() -> ReelmakeError:
    return ReelmakeError("interrupted", "the run was stopped before this was asked")
