"""The one place that calls the SDK: requests as data in, answers as data out.

Facts this rests on (google-genai 3.6.1): no timeout and no retries unless asked for; timeouts in
milliseconds; redirects are followed, with the key, unless forbidden; a name that is not ASCII
breaks an upload, so files are sent as streams, without a name.
"""

import asyncio
import contextlib
import io
import json
import math
import re
import time
import warnings
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import httpx2
from google import genai
from google.genai import types

from reelmake.config import GeminiSettings
from reelmake.gemini.answers import kept_form
from reelmake.gemini.failures import ServiceError, details_of
from reelmake.gemini.request import Media, Request
from reelmake.gemini.sdk_request import contents_of, generation_of

# Calls are given their time here besides: the transport's own begins anew with each byte.
_SLOWEST_BYTES_A_SECOND = 20_000
_KEPT_OPEN = 8
_POLL_S = 1.0
_LONGEST_POLL_S = 15.0
_QUICK_S = 60.0
"""For calls that only look something up or delete it, at most."""
_ALREADY_EXISTS = 409
_BATCHES_A_PAGE = 100
_UNREAD = {
    "should_return_http_response": True,
    "automatic_function_calling": types.AutomaticFunctionCallingConfig(disable=True),
}

# A state of a batch that the SDK has not heard of is handed on as it came.
warnings.filterwarnings("ignore", message=".* is not a valid JobState")


class RemoteFile(NamedTuple):
    """An uploaded file that can be used, and the time (seconds since 1970) until which it can."""

    name: str
    uri: str
    expires: float
    mime_type: str | None
    """As which it was uploaded."""


class BatchJob(NamedTuple):
    """A batch at the service. ``state`` is its own word, such as RUNNING; ``results`` a file."""

    name: str
    display_name: str
    state: str
    results: str | None


class Service:
    """A project's access to Gemini: an API key's, or one of Vertex AI.

    Every method raises what the SDK and its transport raise; `retry.with_retries` names it.
    """

    def __init__(self, settings: GeminiSettings, *, api_key: str | None = None) -> None:
        self.clock_ahead_s: float | None = None
        """By so much this machine's clock is ahead of the service's; None: it has not said."""
        self._timeout_s = settings.timeout_s
        self._quick_s = min(_QUICK_S, settings.timeout_s)
        self._quick = types.HttpOptions(timeout=int(self._quick_s * 1000))
        # Vertex AI keeps nothing, and refuses to be told so.
        self._unread = {**_UNREAD, "store": None} if settings.vertex else _UNREAD
        # As many as may be in flight, and lookups and uploads beside them; the default is 100.
        connections = httpx2.Limits(max_connections=None, max_keepalive_connections=_KEPT_OPEN)
        options = types.HttpOptions(
            api_version=_api_version(settings),
            timeout=int(settings.timeout_s * 1000),
            client_args={"follow_redirects": False},
            async_client_args={
                "follow_redirects": False,
                "limits": connections,
                "event_hooks": {"response": [self._compare_clocks]},
            },
            retry_options=types.HttpRetryOptions(attempts=1),
        )
        if settings.vertex:
            self._client = genai.Client(
                vertexai=True,
                project=settings.vertex.project,
                location=settings.vertex.location,
                http_options=options,
            )
        else:
            self._client = genai.Client(vertexai=False, api_key=api_key, http_options=options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aio.aclose()
        self._client.close()

    async def _compare_clocks(self, response: httpx2.Response) -> None:
        # Refusals tell the time, too. The SDK hands on the headers of some answers only.
        with contextlib.suppress(ValueError):
            told = parsedate_to_datetime(response.headers.get("Date", ""))
            self.clock_ahead_s = time.time() - told.timestamp()

    async def check_model(self, model: str) -> None:
        """A free call that fails when the key is not valid or the model does not exist."""
        config = types.GetModelConfig(http_options=self._quick)
        async with asyncio.timeout(self._quick_s):
            await self._client.aio.models.get(model=model, config=config)

    async def generate(self, request: Request, media: Media | None, *, tier: str) -> dict[str, Any]:
        """Ask; the whole response as JSON values, with the SDK's own snake_case names."""
        async with asyncio.timeout(self._timeout_s):
            response = await self._client.aio.models.generate_content(
                model=request.model,
                contents=[contents_of(request, media)],
                # Its own reading refuses what it does not know: what is paid for is read by us.
                config=generation_of(request, tier).model_copy(update=self._unread),
            )
        http = response.sdk_http_response
        body = json.loads((http.body or "{}").removeprefix("\ufeff")) if http else {}
        if not isinstance(body, dict):
            raise ServiceError("connection_lost", "the answer that arrived is no JSON object")
        return kept_form(body)

    async def upload(self, path: Path, *, name: str, mime_type: str) -> RemoteFile | None:
        """Send a file under our own name; None: it can't be used at once, see `active_file`.

        That it is there already is as good: then the answer to an earlier upload was lost.
        """
        config = types.UploadFileConfig(name=name, mime_type=mime_type)
        try:
            with path.open("rb") as stream:
                patience_s = self._timeout_s + path.stat().st_size / _SLOWEST_BYTES_A_SECOND
                async with asyncio.timeout(patience_s):
                    file = await self._client.aio.files.upload(file=stream, config=config)
        except genai.errors.ClientError as error:
            if error.code != _ALREADY_EXISTS:
                raise
            return None
        except (KeyError, ValueError) as error:
            # How the SDK tells that the upload's status, or its end, was none that it knows.
            raise ServiceError("connection_lost", "the upload did not come to its end") from error
        if file.state == types.FileState.ACTIVE:
            return _remote(file)
        own_name = _name_of(file)
        return await self.active_file(own_name) if own_name != name else None

    async def active_file(self, name: str) -> RemoteFile | None:
        """Wait until an uploaded file is ready; None when there is no such file.

        Raises ServiceError ``video_refused`` when the service can't process it.
        """
        wait_s = _POLL_S
        deadline = time.monotonic() + self._timeout_s
        while True:
            file = await self._file(name)
            if file is None or file.state == types.FileState.ACTIVE:
                return _remote(file) if file else None
            if file.state == types.FileState.FAILED:
                reason = file.error.message if file.error else None
                await self.delete(name)  # else the next run would find it, failed
                raise ServiceError("video_refused", reason or "the service can't process it")
            if time.monotonic() > deadline:
                raise ServiceError("still_processing", "the service is not done with the video")
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 1.5, _LONGEST_POLL_S)

    async def _file(self, name: str) -> types.File | None:
        config = types.GetFileConfig(http_options=self._quick)
        try:
            async with asyncio.timeout(self._quick_s):
                return await self._client.aio.files.get(name=name, config=config)
        except genai.errors.ClientError as error:
            if _is_of_no_file(error):
                return None
            raise

    async def delete(self, name: str) -> bool:
        """Remove an uploaded file; False: there is none of this name."""
        config = types.DeleteFileConfig(http_options=self._quick)
        try:
            async with asyncio.timeout(self._quick_s):
                await self._client.aio.files.delete(name=name, config=config)
        except genai.errors.ClientError as error:
            if _is_of_no_file(error):
                return False
            raise
        return True

    async def upload_requests(self, requests: io.IOBase, *, name: str) -> str:
        """Send the requests of a batch, a JSON object a line; the name of the file."""
        config = types.UploadFileConfig(name=name, mime_type="jsonl")
        file = await self._client.aio.files.upload(file=requests, config=config)
        return str(file.name)

    async def create_batch(self, model: str, requests_file: str, display_name: str) -> BatchJob:
        """Submit it: from now on it costs money. The service does not mind the same one twice."""
        config = types.CreateBatchJobConfig(display_name=display_name, http_options=self._quick)
        return _batch_job(
            await self._client.aio.batches.create(model=model, src=requests_file, config=config)
        )

    async def batch(self, name: str) -> BatchJob:
        """Look up how a batch stands."""
        config = types.GetBatchJobConfig(http_options=self._quick)
        return _batch_job(await self._client.aio.batches.get(name=name, config=config))

    async def find_batch(self, display_name: str) -> BatchJob | None:
        """The batch that we gave this name, if the project has one."""
        config = types.ListBatchJobsConfig(page_size=_BATCHES_A_PAGE, http_options=self._quick)
        async for job in await self._client.aio.batches.list(config=config):
            if job.display_name == display_name:
                return _batch_job(job)
        return None

    async def cancel_batch(self, name: str) -> None:
        """Ask for its end; what it has answered by then may still arrive."""
        config = types.CancelBatchJobConfig(http_options=self._quick)
        await self._client.aio.batches.cancel(name=name, config=config)

    async def download(self, file: str, into: io.IOBase) -> None:
        """Write what a batch answered to ``into``."""
        await self._client.aio.files.download(file=file, destination=into)


def _api_version(settings: GeminiSettings) -> str:
    """Vertex AI has a name of its own for the default."""
    on_vertex = settings.vertex and settings.api_version == "v1beta"
    return "v1beta1" if on_vertex else settings.api_version


def _remote(file: types.File) -> RemoteFile:
    expires = file.expiration_time
    # A service that names no end keeps files for ever.
    until = expires.timestamp() if isinstance(expires, datetime) else math.inf
    return RemoteFile(_name_of(file), str(file.uri), until, file.mime_type)


def _name_of(file: types.File) -> str:
    """Ours, unless the service gives names of its own."""
    return str(file.name).removeprefix("files/")


def _batch_job(job: types.BatchJob) -> BatchJob:
    # The SDK knows some of the service's words, and renames those.
    state = re.sub(r"^(JOB|BATCH)_STATE_", "", job.state.value if job.state else "")
    results = job.dest.file_name if job.dest else None
    return BatchJob(str(job.name), job.display_name or "", state, results)


def _is_of_no_file(error: genai.errors.ClientError) -> bool:
    """The service says 403 of a file that is not there, lest names can be guessed."""
    # What forbids more than one file gives a reason, such as SERVICE_DISABLED.
    forbidden = any("reason" in detail for detail in details_of(error.details))
    return error.code in (403, 404) and not forbidden and not _is_key_error(error)


def _is_key_error(error: genai.errors.ClientError) -> bool:
    return "API_KEY" in str(error.details) or "API key" in str(error.message)
