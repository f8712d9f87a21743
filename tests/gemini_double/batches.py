"""The Batch API: jobs over a file of requests, answered together some time later at half the price.

A job is worked on when somebody looks after its time has come, so nothing runs in between.
"""

from __future__ import annotations

import json
import random
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from . import models
from .answers import Style
from .errors import ServiceError, invalid, quota_exceeded
from .faults import ANSWER, BATCH, LINE, Fault, FaultBoard, Target
from .files import FileStore
from .generation import Question, QuestionReader
from .ledger import Ledger, Record
from .replies import respond
from .settings import Settings
from .validation import check

_TYPE = "type.googleapis.com/google.ai.generativelanguage.v1main."
_MANNERS = {
    "batch_failed": ("BATCH_STATE_FAILED", 0.0),
    "batch_expired": ("BATCH_STATE_EXPIRED", 0.0),
    "batch_cancelled": ("BATCH_STATE_CANCELLED", 0.5),
    "batch_partial": ("JOB_STATE_PARTIALLY_SUCCEEDED", 0.5),
}
# gRPC's numbers, which the lines of a result file have.
_GRPC = {400: 3, 403: 7, 404: 5, 429: 8, 500: 13, 503: 14}


@dataclass
class Job:
    name: str
    display_name: str
    project: str
    model: str
    input_file: str
    lines: list[dict[str, Any]]
    tokens: int
    created: datetime
    began: float
    """Monotonic."""
    seconds: float
    fault: str = ""
    ended: str | None = None
    """The state it ended in."""
    responses_file: str | None = None
    failed: int = 0
    records: list[Record] = field(default_factory=list)

    @property
    def state(self) -> str:
        if self.ended:
            return self.ended
        pending = self.fault == "batch_stuck" or time.monotonic() < self.began + self.seconds / 2
        return "BATCH_STATE_PENDING" if pending else "BATCH_STATE_RUNNING"

    @property
    def is_due(self) -> bool:
        return (
            self.ended is None
            and self.fault != "batch_stuck"
            and time.monotonic() >= self.began + self.seconds
        )

    def operation(self) -> dict[str, Any]:
        """The long-running operation that stands for it."""
        count = len(self.lines)
        succeeded = len(self.records)
        stats = {"requestCount": count, "successfulRequestCount": succeeded}
        stats |= (
            {"failedRequestCount": self.failed} if self.ended else {"pendingRequestCount": count}
        )
        now = datetime.now(UTC)
        metadata: dict[str, Any] = {
            "@type": f"{_TYPE}GenerateContentBatch",
            "model": f"models/{self.model}",
            "displayName": self.display_name,
            "inputConfig": {"fileName": f"files/{self.input_file}"},
            "createTime": _timestamp(self.created),
            "updateTime": _timestamp(now),
            "batchStats": {key: str(number) for key, number in stats.items() if number},
            "state": self.state,
            "name": f"batches/{self.name}",
        }
        operation: dict[str, Any] = {"name": f"batches/{self.name}", "metadata": metadata}
        if self.ended:
            metadata["endTime"] = _timestamp(now)
            operation["done"] = True
            if self.responses_file:
                output = {"responsesFile": f"files/{self.responses_file}"}
                metadata["output"] = output
                operation["response"] = {"@type": f"{_TYPE}GenerateContentBatchOutput", **output}
            else:
                operation["error"] = {"code": 13, "message": f"The batch ended as {self.ended}."}
        return operation


class Batches:
    def __init__(
        self,
        settings: Settings,
        files: FileStore,
        reader: QuestionReader,
        faults: FaultBoard,
        ledger: Ledger,
    ) -> None:
        self.settings = settings
        self.files = files
        self.reader = reader
        self.faults = faults
        self.ledger = ledger
        self._jobs: dict[str, Job] = {}

    def __iter__(self) -> Iterator[Job]:
        return iter(list(self._jobs.values()))

    def described(self) -> list[dict[str, Any]]:
        return [job.operation() for job in self]

    def create(self, body: dict[str, Any], model: str, project: str) -> Job:
        display_name = body.get("displayName")
        file_name = body.get("inputConfig", {}).get("fileName", "").removeprefix("files/")
        if not display_name or not file_name:
            raise invalid(
                "* BatchGenerateContentRequest.batch: display_name and input_config are required"
            )
        lines = _read_lines(self.files.get(file_name, project).content)
        tokens = sum(self._tokens(line, model, project) for line in lines)
        self._refuse_what_is_too_much(model, project, tokens)
        target = Target("batch", project, model, file=display_name)
        fault = next(iter(self.faults.select(target, BATCH)), None)
        job = Job(
            name=secrets.token_hex(18),
            display_name=display_name,
            project=project,
            model=model,
            input_file=file_name,
            lines=lines,
            tokens=tokens,
            created=datetime.now(UTC),
            began=time.monotonic(),
            seconds=self.settings.batch_seconds,
            fault=fault.action if fault else "",
        )
        self._jobs[job.name] = job
        return job

    def get(self, name: str, project: str) -> Job:
        job = self._jobs.get(name)
        if job is None or job.project != project:
            raise ServiceError(404, f"Batch {name} not found.")
        if job.is_due:
            state, share = _MANNERS.get(job.fault, ("BATCH_STATE_SUCCEEDED", 1.0))
            self._end(job, state, share)
        return job

    def list_of(self, project: str) -> list[Job]:
        """Newest first."""
        names = [name for name, job in self._jobs.items() if job.project == project]
        return [self.get(name, project) for name in reversed(names)]

    def cancel(self, name: str, project: str) -> None:
        """What it has done by then is kept: nothing while it is pending, else half of it."""
        job = self.get(name, project)
        if job.ended:
            raise ServiceError(400, "The batch has ended.", "FAILED_PRECONDITION")
        running = job.state == "BATCH_STATE_RUNNING"
        self._end(job, "BATCH_STATE_CANCELLED", 0.5 if running else 0.0)

    def delete(self, name: str, project: str) -> None:
        del self._jobs[self.get(name, project).name]

    def downloaded(self, file: str) -> None:
        """The answers in this file have reached somebody."""
        for job in self:
            if job.responses_file == file:
                for record in job.records:
                    record.answered, record.finished = True, time.monotonic()

    def _refuse_what_is_too_much(self, model: str, project: str, tokens: int) -> None:
        active = [job for job in self.list_of(project) if not job.ended]
        if len(active) >= self.settings.batch_jobs:
            limit = self.settings.batch_jobs
            raise quota_exceeded("ConcurrentBatchJobs", "concurrent_batch_jobs", limit, model, 1.0)
        enqueued = sum(job.tokens for job in active if job.model == model)
        limit_tokens = self.settings.batch_enqueued_tokens
        if limit_tokens is not None and enqueued + tokens > limit_tokens:
            metric = "batch_enqueued_tokens"
            raise quota_exceeded("BatchEnqueuedTokensPerModel", metric, limit_tokens, model, 1.0)

    def _tokens(self, line: dict[str, Any], model: str, project: str) -> int:
        try:
            return sum(self._question(line, model, project).prompt_tokens().values())
        except ServiceError:
            return 0

    def _question(self, line: dict[str, Any], model: str, project: str) -> Question:
        body = check(line.get("request"), "GenerateContentRequest")
        # It has been seen to be without any effect in batches.
        body.get("generationConfig", {}).pop("responseJsonSchema", None)
        return self.reader.read(body, model, project)

    def _end(self, job: Job, state: str, share: float) -> None:
        job.ended = state
        lines = job.lines[: round(len(job.lines) * share)]
        written: list[bytes] = []
        for line in lines:
            said = list(self._answered(job, line, written))
            written += [json.dumps(each, ensure_ascii=False).encode() + b"\n" for each in said]
        if job.fault == "batch_shuffled":
            random.Random(len(written)).shuffle(written)  # noqa: S311 - reproducible on purpose
        content = b"".join(written)
        if job.fault == "batch_cut":
            content = content[: len(content) // 2]
        if share:
            job.responses_file = f"batch-{job.name}"
            self.files.add_generated(job.responses_file, job.project, content)

    def _answered(
        self, job: Job, line: dict[str, Any], written: list[bytes]
    ) -> Iterator[dict[str, Any]]:
        """Work on one line; what stands in the file for it."""
        key = line.get("key")
        error = fault = None
        try:
            question = self._question(line, job.model, job.project)
            target = _target(job, question)
            fault = next(iter(self.faults.select(target, {*LINE, *ANSWER})), None)
            if fault and fault.action == "line_failed":
                error = ServiceError(fault.code, fault.message or "The operation was cancelled.")
        except ServiceError as refusal:
            error = refusal
        if error:
            job.failed += 1
            code = _GRPC.get(error.code, error.code)
            yield {"key": key, "error": {"code": code, "message": error.message}}
            return
        response = self._response(job, question, fault)
        match fault.action if fault else "":
            case "line_missing":
                return
            case "line_keyless":
                yield {"response": response}
                return
            case "line_swapped":
                key = json.loads(written.pop())["key"]
            case "line_doubled":
                yield {"key": key, "response": response}
        yield {"key": key, "response": response}

    def _response(self, job: Job, question: Question, fault: Fault | None) -> dict[str, Any]:
        answer_fault = fault if fault and fault.action in ANSWER else None
        style = Style(relative=self.settings.timestamps == "relative")
        response, usage = respond(question, answer_fault, style)
        clip = question.clip
        record = Record("batch_line", started=time.monotonic(), wall=time.time(), status=200)
        record.project, record.model = job.project, job.model
        record.prompt, record.store, record.service_tier = (
            question.prompt_sha256,
            question.store,
            "batch",
        )
        if clip is not None:
            record.video = clip.video.identity
            record.start_offset, record.end_offset = clip.start_offset, clip.end_offset
        record.fault = fault.action if fault else None
        record.prompt_tokens = usage.prompt
        record.output_tokens = usage.candidates + usage.thoughts
        record.billed = True
        audio = usage.input.get("AUDIO", 0)
        price = self.settings.prices[job.model]
        record.usd = models.cost(price, usage.prompt, audio, record.output_tokens, "batch")
        self.ledger.begin(record)
        self.ledger.end(record)
        job.records.append(record)
        return response


def _target(job: Job, question: Question) -> Target:
    clip = question.clip
    return Target(
        "batch_line",
        job.project,
        job.model,
        video=clip.video.identity if clip else None,
        file=clip.video.file if clip else "",
        prompt=question.prompt,
        start_offset=clip.start if clip else None,
    )


def _read_lines(content: bytes) -> list[dict[str, Any]]:
    try:
        lines = [json.loads(line) for line in content.splitlines() if line.strip()]
    except ValueError:
        raise invalid("The input file is not valid JSONL.") from None
    if not lines or not all(isinstance(line, dict) and "request" in line for line in lines):
        raise invalid("Each line of the input file must have a request.")
    return lines


def _timestamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
