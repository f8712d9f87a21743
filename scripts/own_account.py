"""The account of a job that no gateway does."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from reelmake.config import GEMINI_SETTINGS, GeminiSettings
from reelmake.gemini.account import Account
from reelmake.gemini.stopping import Stopping
from reelmake.results import Results


@asynccontextmanager
async def own_account(results: Results) -> AsyncIterator[Account]:
    """By the settings in the environment; Ctrl-C and SIGTERM let no new call begin."""
    settings = GeminiSettings.model_validate_json(os.environ[GEMINI_SETTINGS])
    # Its job has one of the places that `gemini_calls` are, also for a video in many segments.
    settings = settings.model_copy(update={"max_in_flight": 1})
    stopping = Stopping()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.begin)
    account = Account(settings, results, run=asyncio.to_thread, stopping=stopping, alone=True)
    async with account:
        yield account
