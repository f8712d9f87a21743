"""One upload of a video serves all its calls: retries, templates, segments and reruns."""

import asyncio
import io
import logging
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

from reelmake.gemini.request import Media
from reelmake.results import Results

if TYPE_CHECKING:  # else it brings the SDK
    from reelmake.gemini.service import RemoteFile, Service

log = logging.getLogger(__name__)

_A_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")

# More would only share the same line, keep the first calls waiting, and hold 8 MB each in memory.
_AT_ONCE = 4

# Set by us: the SDK guesses some of them wrongly and others not at all.
MIME_TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".avi": "video/x-msvideo",
    ".mkv": "video/x-matroska",
    ".webm": "video/webm",
    ".mpeg": "video/mpeg",
    ".mpg": "video/mpeg",
    ".3gp": "video/3gpp",
    ".flv": "video/x-flv",
    ".wmv": "video/x-ms-wmv",
    ".ts": "video/mp2t",
}


def upload_name(content: str, project: str) -> str:
    """Derive a file's name at the service from its sha256: 40 characters, the most it takes.

    The project is part of it since names may be one space for all projects.
    """
    return f"reelmake-{content[:22]}-{project[:8]}"


def is_of_project(name: str, project: str) -> bool:
    """Whether a file of this name was uploaded with the key of this fingerprint."""
    return name.endswith(project[:8])


class UploadRecords:
    """A folder with a file for each name that these results may have uploaded.

    What is not in it need not be looked for at the service, which saves a call a video. Where the
    service gave another name than was asked for, the file holds that.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def knows(self, name: str) -> bool:
        return (self._folder / name).exists()

    def add(self, name: str) -> None:
        """Before the upload, so that one which was interrupted is looked for too."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / name).touch()

    def add_given(self, name: str, given: str) -> None:
        """After the upload: what the service calls it."""
        if given != name and _A_NAME.fullmatch(given):
            (self._folder / name).write_text(given, encoding="ascii")

    def given(self, name: str) -> str:
        """What the service calls it."""
        try:
            given = (self._folder / name).read_text(encoding="ascii")
        except (OSError, UnicodeError):
            return name
        return given if _A_NAME.fullmatch(given) else name

    def remove(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)

    def names(self) -> list[str]:
        """All of them, sorted."""
        return sorted(os.listdir(self._folder)) if self._folder.is_dir() else []


class Uploads:
    """The files of one project. Of several that need the same video one uploads, others wait."""

    def __init__(self, service: "Service", results: Results, project: str) -> None:
        self._service = service
        self._store = results.store
        self._records = UploadRecords(results.uploads)
        self._project = project
        self._files: dict[str, RemoteFile] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    async def media(self, path: Path, sha256: str, *, lasting_s: float = 0.0) -> Media:
        """Find the video at the service, or bring it there; it stays for so many seconds.

        Raises ServiceError ``video_refused``, and what the SDK and its transport raise.
        """
        mime_type = MIME_TYPES[path.suffix.lower()]
        name = upload_name(sha256, self._project)
        async with self._locks.setdefault(sha256, asyncio.Lock()):
            known = self._files.get(sha256)
            if known is None or not _lasts(known, lasting_s):
                async with self._store.asking_async(name):
                    self._files[sha256] = await self._bring(path, name, mime_type, lasting_s)
            file = self._files[sha256]
            # A copy whose suffix is another is asked about as what was uploaded.
            return Media(file.uri, file.mime_type or mime_type)

    async def send_requests(self, requests: io.IOBase, unique: str) -> str:
        """Upload the lines of a batch; the name that it is submitted by."""
        name = upload_name(unique, self._project)
        self._records.add(name)
        uploaded = await self._service.upload_requests(requests, name=name)
        self._records.add_given(name, uploaded.removeprefix("files/"))
        return uploaded

    def forget(self, sha256: str) -> None:
        """Look again next time: the service says that the file is gone."""
        self._files.pop(sha256, None)

    def may_have(self, sha256: str) -> bool:
        """Whether the video may be at the service, by what is on record."""
        return self._records.knows(upload_name(sha256, self._project))

    async def delete(self, sha256: str) -> None:
        """Remove the video from the service."""
        async with self._locks.setdefault(sha256, asyncio.Lock()):
            self.forget(sha256)
            await self.delete_named(upload_name(sha256, self._project))

    async def delete_named(self, name: str) -> bool:
        """Remove a file that is on record; False: it was gone already."""
        there = await self._service.delete(self._records.given(name))
        self._records.remove(name)
        return there

    async def _bring(self, path: Path, name: str, mime_type: str, lasting_s: float) -> "RemoteFile":
        file = None
        if self._records.knows(name):
            file = await self._service.active_file(self._records.given(name))
            if file and not _lasts(file, lasting_s):
                await self._service.delete(file.name)
                file = None
        if file is None:
            self._records.add(name)
            log.info("uploading %s (%.1f MB)", path.name, path.stat().st_size / 1e6)
            async with self._at_once:
                file = await self._service.upload(path, name=name, mime_type=mime_type)
        if file is None:
            file = await self._service.active_file(name)
        if file is None:
            raise ConnectionError("the uploaded file can't be found at the service")
        self._records.add_given(name, file.name)
        return file


def _lasts(file: "RemoteFile", seconds: float) -> bool:
    return seconds == 0.0 or file.expires > time.time() + seconds
