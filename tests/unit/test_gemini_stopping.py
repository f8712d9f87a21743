import asyncio

import pytest

from reelmake.errors import ReelmakeError
from reelmake.gemini.stopping import Stopping


async def stopped(*, times: int) -> None:
    stopping = Stopping()

    async def wait() -> None:
        async with stopping.may_be_given_up():
            await asyncio.sleep(3600)

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    for _ in range(times):
        stopping.begin()
        await asyncio.sleep(0)  # what waits is being given up, and is not yet
    await waiting


@pytest.mark.parametrize("times", [1, 2, 3])
def test_stopping_again_while_it_takes_effect_changes_nothing(times: int) -> None:
    """Ctrl-C, and the end of Snakemake right after it, left the gateway waiting for ever."""
    with pytest.raises(ReelmakeError, match="stopped before this was asked"):
        asyncio.run(stopped(times=times))


def test_what_has_not_begun_when_it_stops_never_does() -> None:
    async def late() -> None:
        stopping = Stopping()
        stopping.begin()
        async with stopping.may_be_given_up():
            pytest.fail("it began")

    with pytest.raises(ReelmakeError, match="stopped before this was asked"):
        asyncio.run(late())
