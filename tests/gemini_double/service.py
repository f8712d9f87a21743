"""The Developer API itself: keys, routes, and one ledger record for every request."""

from __future__ import annotations

import asyncio
import json
import re
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.utils import formatdate
from functools import partial
from typing import Any

from . import errors, models
from .answers import Style
from .batches import Batches
from .errors import ServiceError, invalid
from .faults import ANSWER, Fault, FaultBoard, Target
from .files import GRANULARITY, FileStore, StoredFile
from .generation import Question, QuestionReader
from .interference import Interference, after
from .ledger import Ledger, Record
from .limits import Quota
from .replies import respond, token_details
from .settings import Settings
from .validation import check
from .wire import BodyTooLargeError, ConnectionDropError, Reply, Request

MAX_BODY_BYTES = 100 * 1024**2
_ROUTES = (
    ("upload_start", "POST", r"/upload/(?P<version>v1|v1beta)/files"),
    ("file_list", "GET", r"/(?P<version>v1|v1beta)/files"),
    ("file_get", "GET", r"/(?P<version>v1|v1beta)/files/(?P<name>[^/:]+)"),
    ("file_delete", "DELETE", r"/(?P<version>v1|v1beta)/files/(?P<name>[^/:]+)"),
    ("model_list", "GET", r"/(?P<version>v1|v1beta)/models"),
    ("model_get", "GET", r"/(?P<version>v1|v1beta)/models/(?P<name>[^/:]+)"),
    ("generate", "POST", r"/(?P<version>v1|v1beta)/models/(?P<name>[^/:]+):generateContent"),
    ("batch_create", "POST", r"/(?P<version>v1beta)/models/(?P<name>[^/:]+):batchGenerateContent"),
    ("batch_list", "GET", r"/(?P<version>v1beta)/batches"),
    ("batch_get", "GET", r"/(?P<version>v1beta)/batches/(?P<name>[^/:]+)"),
    ("batch_cancel", "POST", r"/(?P<version>v1beta)/batches/(?P<name>[^/:]+):cancel"),
    ("batch_delete", "DELETE", r"/(?P<version>v1beta)/batches/(?P<name>[^/:]+)"),
    (
        "file_download",
        "GET",
        r"(?:/download)?/(?P<version>v1|v1beta)/files/(?P<name>[^/:]+):download",
    ),
    ("count_tokens", "POST", r"/(?P<version>v1|v1beta)/models/(?P<name>[^/:]+):countTokens"),
)


@dataclass
class Call:
    """A request on its way through the service."""

    request: Request
    record: Record
    version: str = ""
    name: str = ""

    @property
    def project(self) -> str:
        return self.record.project or ""


class Service:
    def __init__(self, settings: Settings, faults: FaultBoard, ledger: Ledger) -> None:
        self.settings = settings
        self.ledger = ledger
        self.files = FileStore(settings)
        self.reader = QuestionReader(self.files)
        self.faults = faults
        self.quota = Quota(settings)
        self.interference = Interference(faults, self.files)
        self.batches = Batches(settings, self.files, self.reader, faults, ledger)

    async def handle(self, request: Request) -> Reply:
        record = Record("unknown", started=time.monotonic(), wall=time.time())
        try:
            reply = await self._answer(Call(request, record))
        except ServiceError as error:
            record.error = error.message
            reply = Reply.of_json(error.body(), error.code, error.headers)
        except (ConnectionDropError, asyncio.CancelledError, ConnectionError):
            self._note(record)(False)
            raise
        except Exception as bug:  # noqa: BLE001 - the double's own: say so, and keep serving
            traceback.print_exc()
            record.error = f"bug in the double: {bug!r}"
            reply = Reply.of_json(ServiceError(500, record.error).body(), 500)
        now = time.time() + self.settings.clock_ahead_s
        reply.headers = {"Date": formatdate(now, usegmt=True), **reply.headers}
        record.status = reply.status
        reply.written = self._note(record)
        return reply

    def _note(self, record: Record) -> Callable[[bool], None]:
        """Enter a record now, and complete it once it is known whether the answer arrived."""
        self.ledger.begin(record)

        def written(complete: bool) -> None:
            record.answered = complete
            record.finished = time.monotonic()
            self.ledger.end(record)

        return written

    async def _answer(self, call: Call) -> Reply:
        request, record = call.request, call.record
        if "upload_id" in request.query:
            record.kind = "upload_chunk"
            return await self._upload_chunk(call)
        for kind, method, pattern in _ROUTES:
            if method == request.method and (match := re.fullmatch(pattern, request.path)):
                record.kind = kind
                call.version, call.name = match["version"], match.groupdict().get("name", "")
                record.project = self._project(request)
                answer: Any = getattr(self, f"_{kind}")
                reply: Reply = await answer(call)
                return reply
        raise ServiceError(404, f"No such method: {request.method} {request.path}")

    def _project(self, request: Request) -> str:
        if "key" in request.query:
            raise ServiceError(403, "The double refuses API keys in URLs: use x-goog-api-key.")
        if "authorization" in request.headers:
            raise ServiceError(401, "Request had invalid authentication credentials.")
        key = request.headers.get("x-goog-api-key")
        if not key:
            raise errors.missing_key()
        if key not in self.settings.keys:
            raise errors.bad_key()
        return self.settings.keys[key]

    async def _before(
        self, call: Call, target: Target, more_actions: Iterable[str] = ()
    ) -> Fault | None:
        return await self.interference.before(call.request, call.record, target, more_actions)

    # --- files

    async def _upload_start(self, call: Call) -> Reply:
        headers = call.request.headers
        if headers.get("x-goog-upload-command") != "start":
            raise invalid("The first command of an upload must be start.")
        metadata = check(await _body(call.request), "CreateFileRequest").get("file", {})
        name = metadata.get("name", "").removeprefix("files/")
        call.record.file = name or None
        label = f"{name} {metadata.get('displayName', '')}"
        await self._before(call, Target("upload_start", call.project, file=label))
        upload_id = self.files.start(call.project, metadata, headers)
        host = headers.get("host", "")
        url = f"http://{host}{call.request.path}?upload_id={upload_id}&upload_protocol=resumable"
        upload_headers = {
            "X-Goog-Upload-URL": url,
            "X-Goog-Upload-Control-URL": url,
            "X-Goog-Upload-Status": "active",
            "X-Goog-Upload-Chunk-Granularity": str(GRANULARITY),
        }
        return Reply(headers=upload_headers)

    async def _upload_chunk(self, call: Call) -> Reply:
        record, request = call.record, call.request
        upload = self.files.upload(request.query["upload_id"])
        record.project, record.file = upload.project, upload.name
        commands = set(re.split(r",\s*", request.headers.get("x-goog-upload-command", "")))
        target = Target("upload_chunk", upload.project, file=upload.label)
        fault = await self._before(call, target)
        if commands == {"query"}:
            headers = {
                "X-Goog-Upload-Status": "final" if upload.finished else "active",
                "X-Goog-Upload-Size-Received": str(upload.received),
            }
            return Reply(headers=headers)
        if not commands <= {"upload", "finalize"}:
            raise invalid(f"Invalid upload command: {', '.join(sorted(commands))}")
        try:
            complete = await self.files.append(upload, request, commands)
            if not complete:
                return Reply(headers={"X-Goog-Upload-Status": "active"})
            stored = await self.files.finish(
                upload, partial(self.interference.processing_failure, record)
            )
        except ServiceError as error:
            error.headers["X-Goog-Upload-Status"] = "final"
            raise
        record.video, record.upload_finished = stored.sha256, True
        headers = {"X-Goog-Upload-Status": "final"}
        return after(fault, Reply.of_json({"file": stored.resource()}, headers=headers))

    async def _file_list(self, call: Call) -> Reply:
        fault = await self._before(call, Target("file_list", call.project))
        page, more = _page(call.request, self.files.list_of(call.project), 10, 100)
        resources = {"files": [stored.resource() for stored in page]} if page else {}
        return after(fault, Reply.of_json({**resources, **more}))

    async def _file_get(self, call: Call) -> Reply:
        stored, fault = await self._file(call)
        resource = self.files.get(stored.name, call.project, poll=True).resource()
        return after(fault, Reply.of_json(resource))

    async def _file_delete(self, call: Call) -> Reply:
        stored, fault = await self._file(call)
        self.files.delete(stored.name, call.project)
        return after(fault, Reply.of_json({}))

    async def _file(self, call: Call) -> tuple[StoredFile, Fault | None]:
        call.record.file = call.name
        stored = self.files.get(call.name, call.project)
        call.record.video = stored.sha256
        target = Target(
            call.record.kind, call.project, video=stored.sha256, file=stored.video().file
        )
        return stored, await self._before(call, target)

    # --- models

    async def _file_download(self, call: Call) -> Reply:
        stored, fault = await self._file(call)
        if call.request.query.get("alt") != "media" or not stored.generated:
            raise invalid("Only generated files can be downloaded.")
        self.batches.downloaded(stored.name)
        reply = Reply(200, stored.content, {"Content-Type": "application/octet-stream"})
        return after(fault, reply)

    # --- batches

    async def _batch_create(self, call: Call) -> Reply:
        self._check_model(call, "batchGenerateContent")
        body = check(await _body(call.request), "BatchGenerateContentRequest").get("batch", {})
        call.record.file = body.get("displayName")
        fault = await self._before(call, Target("batch_create", call.project, call.name))
        job = self.batches.create(body, call.name, call.project)
        return after(fault, Reply.of_json(job.operation()))

    async def _batch_list(self, call: Call) -> Reply:
        fault = await self._before(call, Target("batch_list", call.project))
        page, more = _page(call.request, self.batches.list_of(call.project), 10, 100)
        listed = {"operations": [job.operation() for job in page]} if page else {}
        return after(fault, Reply.of_json({**listed, **more}))

    async def _batch_get(self, call: Call) -> Reply:
        fault = await self._before(call, Target("batch_get", call.project))
        job = self.batches.get(call.name, call.project)
        return after(fault, Reply.of_json(job.operation()))

    async def _batch_cancel(self, call: Call) -> Reply:
        fault = await self._before(call, Target("batch_cancel", call.project))
        self.batches.cancel(call.name, call.project)
        return after(fault, Reply.of_json({}))

    async def _batch_delete(self, call: Call) -> Reply:
        self.batches.delete(call.name, call.project)
        return Reply.of_json({})

    # --- models

    async def _model_list(self, call: Call) -> Reply:
        await self._before(call, Target("model_list", call.project))
        page, more = _page(call.request, list(self.settings.prices), 50, 1000)
        return Reply.of_json({"models": [models.describe(name) for name in page], **more})

    async def _model_get(self, call: Call) -> Reply:
        self._check_model(call)
        await self._before(call, Target("model_get", call.project, call.name))
        return Reply.of_json(models.describe(call.name))

    def _check_model(self, call: Call, method: str = "generateContent") -> None:
        call.record.model = call.name
        if call.name not in self.settings.prices:
            raise errors.no_such_model(call.name, call.version, method)

    async def _count_tokens(self, call: Call) -> Reply:
        self._check_model(call, "countTokens")
        body = check(await _body(call.request), "CountTokensRequest")
        body = body.get("generateContentRequest", body)
        question = self._question(call, body)
        await self._before(call, _target(call, question))
        tokens = question.prompt_tokens()
        details = token_details(tokens)
        return Reply.of_json({"totalTokens": sum(tokens.values()), "promptTokensDetails": details})

    async def _generate(self, call: Call) -> Reply:
        self._check_model(call)
        body = check(await _body(call.request), "GenerateContentRequest")
        question = self._question(call, body)
        fault = await self._before(call, _target(call, question), ANSWER)
        self.quota.take(call.project, call.name, sum(question.prompt_tokens().values()))
        await asyncio.sleep(self.settings.latency)
        style = Style(relative=self.settings.timestamps == "relative")
        reply, usage = respond(question, fault, style)
        record = call.record
        record.prompt_tokens, record.output_tokens = usage.prompt, usage.candidates + usage.thoughts
        record.billed = True
        record.usd = models.cost(
            self.settings.prices[question.model],
            usage.prompt,
            usage.input.get("AUDIO", 0),
            record.output_tokens,
            question.service_tier,
        )
        return after(fault, Reply.of_json(reply))

    def _question(self, call: Call, body: dict[str, Any]) -> Question:
        question = self.reader.read(body, call.name, call.project)
        record, clip = call.record, question.clip
        record.prompt, record.store = question.prompt_sha256, question.store
        record.service_tier = question.service_tier
        if clip is not None:
            record.video, record.file = clip.video.identity, clip.video.file.split(" ")[0] or None
            record.start_offset, record.end_offset = clip.start_offset, clip.end_offset
        return question


def _target(call: Call, question: Question) -> Target:
    clip = question.clip
    return Target(
        call.record.kind,
        call.project,
        call.name,
        video=clip.video.identity if clip else None,
        file=clip.video.file if clip else "",
        prompt=question.prompt,
        start_offset=clip.start if clip else None,
    )


def _page(
    request: Request, items: list[Any], size: int, most: int
) -> tuple[list[Any], dict[str, str]]:
    """The page asked for; a page token is the offset of the next page."""
    query = request.query
    size = min(int(query.get("pageSize") or size), most)
    start = int(query.get("pageToken") or 0)
    more = {"nextPageToken": str(start + size)} if start + size < len(items) else {}
    return items[start : start + size], more


async def _body(request: Request) -> Any:
    try:
        return json.loads(await request.read(MAX_BODY_BYTES))
    except BodyTooLargeError:
        limit = f"Request payload size exceeds the limit: {MAX_BODY_BYTES} bytes."
        raise invalid(limit) from None
    except ValueError:
        raise invalid("Invalid JSON payload received.") from None
