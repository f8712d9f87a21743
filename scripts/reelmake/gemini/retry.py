"""The one retry layer: what may pass is tried again, at the pace that the service asks for."""

import logging
from asyncio import sleep
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import tenacity

from reelmake.errors import ReelmakeError
from reelmake.gemini.failures import ServiceError, classify
from reelmake.gemini.stopping import Stopping

log = logging.getLogger(__name__)

Result = TypeVar("Result")

_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, ServiceError) and error.may_pass


class _WaitAsAsked(tenacity.wait.wait_base):
    """RetryInfo when the service gave one, else exponential with jitter; a bit more than asked."""

    def __init__(self) -> None:
        self._backoff = tenacity.wait_random_exponential(_FIRST_WAIT_S, max=_LONGEST_WAIT_S)

    def __call__(self, retry_state: tenacity.RetryCallState) -> float:
        backoff = self._backoff(retry_state)
        error = retry_state.outcome.exception() if retry_state.outcome else None
        asked = error.retry_after_s if isinstance(error, ServiceError) else None
        return backoff if asked is None else asked + min(backoff, 1.0)


def _say(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    wait_s = state.next_action.sleep if state.next_action else 0.0
    what = error.message if isinstance(error, ReelmakeError) else error
    log.warning("try %d failed, next in %.1f s: %s", state.attempt_number, wait_s, what)


async def _sleep(stopping: Stopping, seconds: float) -> None:
    async with stopping.may_be_given_up():
        await sleep(seconds)


async def with_retries(
    call: Callable[[], Awaitable[Result]], *, attempts: int, stopping: Stopping
) -> Result:
    """Await ``call`` up to ``attempts`` times.

    Raises the last ServiceError, its ``attempts`` set to the tries that were made, and
    ReelmakeError ``interrupted`` when everything stops before another try.
    """

    async def classified() -> Result:
        try:
            return await call()
        except ReelmakeError:
            raise
        except Exception as error:
            raise classify(error) from error

    retrying = tenacity.AsyncRetrying(
        sleep=partial(_sleep, stopping),
        stop=tenacity.stop_after_attempt(attempts),
        wait=_WaitAsAsked(),
        retry=tenacity.retry_if_exception(_may_pass),
        before_sleep=_say,
        reraise=True,
    )
    try:
        return await retrying(classified)
    except ServiceError as error:
        error.attempts = retrying.statistics["attempt_number"]
        raise
