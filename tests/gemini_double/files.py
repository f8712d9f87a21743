"""The Files API: resumable uploads, and the files they become.

A file belongs to the project whose key started its upload. The upload URL is a capability: it
holds a random `upload_id` and needs no key, so tests search logs for that id.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import secrets
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import IO, Any

from .errors import ServiceError, invalid, no_such_file
from .media import Video, probe
from .settings import Settings
from .wire import Request

LIFETIME = timedelta(hours=48)
MAX_BYTES = 2 * 1024**3
GRANULARITY = 256 * 1024
IN_MEMORY_BYTES = 16 * 1024**2
URI_PREFIX = "https://generativelanguage.googleapis.com/v1beta/files/"
VIDEO_TYPES = frozenset(
    {"video/mp4", "video/mpeg", "video/mpg", "video/mov", "video/quicktime", "video/webm"}
    | {"video/avi", "video/x-msvideo", "video/x-matroska", "video/x-flv", "video/wmv"}
    | {"video/x-ms-wmv", "video/3gpp", "video/x-m4v", "video/mp2t"}
)
OTHER_TYPES = frozenset(
    {"text/plain", "application/json", "application/jsonl", "text/jsonl", "jsonl"}
    | {"audio/mpeg", "audio/mp3", "audio/wav", "audio/aac", "audio/flac", "audio/ogg"}
    | {"image/png", "image/jpeg", "image/webp", "application/pdf"}
)
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


@dataclass
class StoredFile:
    name: str
    project: str
    mime_type: str
    display_name: str | None
    size: int
    sha256: str
    duration: float
    has_audio: bool
    created: datetime
    ready_at: float
    """Monotonic time when processing ends, once the polls below are used up too."""
    polls_left: int
    failure: str | None = None
    content: bytes = b""
    """Of what is no video."""
    generated: bool = False

    @property
    def uri(self) -> str:
        return URI_PREFIX + self.name

    @property
    def is_video(self) -> bool:
        return self.mime_type in VIDEO_TYPES

    @property
    def state(self) -> str:
        if self.polls_left > 0 or time.monotonic() < self.ready_at:
            return "PROCESSING"
        return "FAILED" if self.failure else "ACTIVE"

    def video(self) -> Video:
        label = f"{self.name} {self.display_name or ''}"
        return Video(self.sha256, self.duration, self.has_audio, label)

    def resource(self) -> dict[str, Any]:
        """The File message; 64-bit numbers are strings, the hash is base64 of the hex digits."""
        state = self.state
        resource: dict[str, Any] = {
            "name": f"files/{self.name}",
            "displayName": self.display_name,
            "mimeType": self.mime_type,
            "sizeBytes": str(self.size),
            "createTime": _timestamp(self.created),
            "updateTime": _timestamp(self.created),
            "expirationTime": _timestamp(self.created + LIFETIME),
            "sha256Hash": base64.b64encode(self.sha256.encode()).decode(),
            "uri": self.uri,
            "state": state,
            "source": "GENERATED" if self.generated else "UPLOADED",
        }
        if state == "ACTIVE" and self.is_video:
            resource["videoMetadata"] = {"videoDuration": f"{self.duration:g}s"}
        if state == "FAILED":
            resource["error"] = {"code": 3, "message": self.failure}
        return {key: value for key, value in resource.items() if value is not None}


@dataclass
class Upload:
    """A started upload; its bytes go to a temporary file beyond a few MB."""

    name: str
    project: str
    mime_type: str
    display_name: str | None
    size: int
    received: int = 0
    finished: bool = False
    digest: Any = field(default_factory=hashlib.sha256)
    spool: IO[bytes] = field(
        default_factory=lambda: tempfile.SpooledTemporaryFile(  # noqa: SIM115 - closed by the store
            max_size=IN_MEMORY_BYTES
        )
    )

    @property
    def label(self) -> str:
        return f"{self.name} {self.display_name or ''}"


class FileStore:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._files: dict[str, StoredFile] = {}
        self._uploads: dict[str, Upload] = {}

    def __iter__(self) -> Any:
        return iter(list(self._files.values()))

    def __len__(self) -> int:
        return len(self._files)

    def upload_ids(self) -> list[str]:
        """Every upload_id ever handed out: none of them may turn up in a log."""
        return list(self._uploads)

    def expire(self, name: str | None = None) -> int:
        """Forget one file, or all, as the service does after 48 hours; how many it was."""
        gone = list(self._files) if name is None else [name.removeprefix("files/")]
        return sum(self._files.pop(each, None) is not None for each in gone)

    def close(self) -> None:
        for upload in self._uploads.values():
            upload.spool.close()

    def start(self, project: str, metadata: dict[str, Any], headers: dict[str, str]) -> str:
        """Begin a resumable upload; its upload_id."""
        size, mime_type = (
            headers.get(f"x-goog-upload-header-content-{part}", "") for part in ("length", "type")
        )
        if headers.get("x-goog-upload-protocol") != "resumable" or not size.isdigit():
            raise invalid("The upload protocol must be resumable, with a declared content length.")
        mime_type = metadata.get("mimeType") or mime_type
        if mime_type not in VIDEO_TYPES | OTHER_TYPES:
            raise invalid(f"Unsupported MIME type: {mime_type}")
        if int(size) > MAX_BYTES:
            raise invalid("* CreateFileRequest.file.size_bytes: exceeds the limit (2 GB).")
        wanted = None if self.settings.own_file_names else metadata.get("name")
        name = (wanted or f"files/{secrets.token_hex(6)}").removeprefix("files/")
        if not _NAME.fullmatch(name):
            raise invalid(
                "* CreateFileRequest.file.name: The file ID may hold up to 40 lowercase "
                "alphanumeric characters or dashes (-), and cannot start or end with a dash."
            )
        self._refuse_duplicate(name)
        upload_id = secrets.token_urlsafe(48)
        self._uploads[upload_id] = Upload(
            name, project, mime_type, metadata.get("displayName"), int(size)
        )
        return upload_id

    def upload(self, upload_id: str) -> Upload:
        try:
            return self._uploads[upload_id]
        except KeyError:
            raise ServiceError(404, "Upload not found.") from None

    async def append(self, upload: Upload, request: Request, commands: set[str]) -> bool:
        """Take one chunk at its offset; True once the file is complete."""
        offset = request.headers.get("x-goog-upload-offset", "")
        if upload.finished:
            raise invalid("Upload has already been terminated.")
        if offset != str(upload.received):
            raise invalid(f"Expected upload offset {upload.received}, got {offset or 'none'}.")
        before = upload.received
        async for chunk in request.chunks:
            upload.spool.write(chunk)
            upload.digest.update(chunk)
            upload.received += len(chunk)
        if upload.received > upload.size:
            raise invalid(f"Received {upload.received} bytes of {upload.size} declared.")
        if "finalize" not in commands:
            if (upload.received - before) % GRANULARITY:
                raise invalid(f"All chunks but the last must be multiples of {GRANULARITY} bytes.")
            return False
        if upload.received != upload.size:
            raise invalid(f"Upload finalized at {upload.received} of {upload.size} bytes.")
        return True

    async def finish(self, upload: Upload, failure: Callable[[str], str | None]) -> StoredFile:
        """Make a complete upload a file; `failure` may say, by sha256, that processing fails."""
        self._refuse_duplicate(upload.name)
        upload.finished = True
        sha256 = upload.digest.hexdigest()
        duration, has_audio = self.settings.default_duration, True
        is_video = upload.mime_type in VIDEO_TYPES
        content = b""
        if is_video:
            upload.spool.seek(0)
            probed = await asyncio.to_thread(probe, upload.spool)
            duration, has_audio = probed or (duration, has_audio)
        else:
            upload.spool.seek(0)
            content = upload.spool.read()
        upload.spool.close()
        stored = StoredFile(
            name=upload.name,
            project=upload.project,
            mime_type=upload.mime_type,
            display_name=upload.display_name,
            size=upload.size,
            sha256=sha256,
            duration=duration,
            has_audio=has_audio,
            created=datetime.now(UTC),
            ready_at=time.monotonic() + (self.settings.processing_seconds if is_video else 0.0),
            polls_left=self.settings.processing_polls if is_video else 0,
            failure=failure(sha256),
            content=content,
        )
        self._files[stored.name] = stored
        return stored

    def get(self, name: str, project: str, *, poll: bool = False) -> StoredFile:
        """A file of this project; a `poll` brings a file in processing one step nearer to ready."""
        stored = self._files.get(name)
        if stored is None or stored.project != project:
            raise no_such_file(name)
        if poll and stored.polls_left > 0:
            stored.polls_left -= 1
            return _in_processing(stored)
        return stored

    def by_uri(self, uri: str, project: str) -> StoredFile:
        name = uri.removeprefix(URI_PREFIX)
        if not _NAME.fullmatch(name):
            raise invalid(f"Invalid or unsupported file uri: {uri}")
        stored = self.get(name, project)
        if stored.state != "ACTIVE":
            raise ServiceError(
                400,
                f"The File {name} is not in an ACTIVE state and usage is not allowed.",
                "FAILED_PRECONDITION",
            )
        return stored

    def delete(self, name: str, project: str) -> None:
        del self._files[self.get(name, project).name]

    def add_generated(self, name: str, project: str, content: bytes) -> StoredFile:
        """A file that the service has made; its name may be longer than ours."""
        stored = StoredFile(
            name=name,
            project=project,
            mime_type="application/jsonl",
            display_name=None,
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            duration=0.0,
            has_audio=False,
            created=datetime.now(UTC),
            ready_at=0.0,
            polls_left=0,
            content=content,
            generated=True,
        )
        self._files[name] = stored
        return stored

    def list_of(self, project: str) -> list[StoredFile]:
        return [stored for stored in self._files.values() if stored.project == project]

    def _refuse_duplicate(self, name: str) -> None:
        if name in self._files:
            raise ServiceError(409, "Requested entity already exists")


def _in_processing(stored: StoredFile) -> StoredFile:
    """The file as this poll shows it: still processing, though it was the last such poll."""
    seen = StoredFile(**vars(stored))
    seen.polls_left = 1
    return seen


def _timestamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
