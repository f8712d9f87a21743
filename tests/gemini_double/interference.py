"""Where faults act on a request: before its work is done, and on the finished answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from . import errors
from .errors import ServiceError
from .faults import AFTER, BEFORE, Fault, FaultBoard, Target
from .files import FileStore
from .ledger import Record
from .wire import ConnectionDropError, Reply, Request

STALL_POLL_SECONDS = 0.05
CUT_UPLOAD_BYTES = 64 * 1024


class Interference:
    def __init__(self, faults: FaultBoard, files: FileStore) -> None:
        self.faults = faults
        self.files = files

    async def before(
        self, request: Request, record: Record, target: Target, more_actions: Iterable[str] = ()
    ) -> Fault | None:
        """Let the faults act that act before the work; one that acts later is handed back."""
        due = None
        for fault in self.faults.select(target, {*BEFORE, *AFTER, *more_actions} - {"file_failed"}):
            record.fault = fault.action
            if fault.action == "latency":
                await asyncio.sleep(fault.seconds or 0.0)
            else:
                due = fault
        if due is None or due.action not in BEFORE:
            return due
        match due.action:
            case "upload_reset":
                await _read_some(request, CUT_UPLOAD_BYTES)
                raise ConnectionDropError
            case "stall":
                await _stall(request, due.seconds)
                raise ConnectionDropError
            case "reset":
                raise ConnectionDropError
            case "redirect":
                raise ServiceError(302, "Found", headers={"Location": due.location})
            case "file_vanished":
                name = target.file.split(" ")[0]
                self.files.expire(name)
                raise errors.no_such_file(name)
        error = due.error(target.model or "")
        if target.kind == "upload_chunk" and not due.bare:
            error.headers["X-Goog-Upload-Status"] = "final"
        raise error

    def processing_failure(self, record: Record, sha256: str) -> str | None:
        """Why the processing of an uploaded file fails, if it is to."""
        target = Target("upload_chunk", record.project, video=sha256, file=record.file or "")
        for fault in self.faults.select(target, ("file_failed",)):
            record.fault = fault.action
            return fault.message or "The file failed to be processed."
        return None


def after(fault: Fault | None, reply: Reply) -> Reply:
    """What the faults do that act on a finished answer."""
    if fault is not None and fault.action == "lost_answer":
        raise ConnectionDropError
    if fault is not None and fault.action == "truncated_body":
        reply.cut_at = len(reply.body) // 2
    if fault is not None and fault.action == "slow_body":
        reply.seconds_a_byte = 0.1 if fault.seconds is None else fault.seconds
    return reply


async def _stall(request: Request, seconds: float | None) -> None:
    waited = 0.0
    while not request.client_gone() and (seconds is None or waited < seconds):
        await asyncio.sleep(STALL_POLL_SECONDS)
        waited += STALL_POLL_SECONDS


async def _read_some(request: Request, enough: int) -> None:
    seen = 0
    async for chunk in request.chunks:
        seen += len(chunk)
        if seen >= enough:
            return
