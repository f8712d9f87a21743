"""One upload of a video serves all its calls: retries, templates, segments and reruns."""

import asyncio
import logging
from pathlib import Path

from reelmake.gemini.service import Media, Service
from reelmake.results import Results

log = logging.getLogger(__name__)

# More would only share the same line, and keep the first calls waiting.
_AT_ONCE = 8

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


def upload_name(sha256: str, project: str) -> str:
    """Derive a file's name at the service from its content: 40 characters, the most it takes.

    The project is part of it since names may be one space for all projects.
    """
    return f"reelmake-{sha256[:22]}-{project[:8]}"


class UploadRecords:
    """A folder with an empty file for each name that these results may have uploaded.

    What is not in it need not be looked for at the service, which saves a call a video.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def knows(self, name: str) -> bool:
        return (self._folder / name).exists()

    def add(self, name: str) -> None:
        """Before the upload, so that one which was interrupted is looked for too."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / name).touch()


class Uploads:
    """The files of one project. Of several that need the same video one uploads, others wait."""

    def __init__(self, service: Service, results: Results, project: str) -> None:
        self._service = service
        self._store = results.store
        self._records = UploadRecords(results.uploads)
        self._project = project
        self._uris: dict[str, str] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    async def media(self, path: Path, sha256: str) -> Media:
        """Find the video at the service, or bring it there.

        Raises ServiceError ``video_refused``, and what the SDK and its transport raise.
        """
        mime_type = MIME_TYPES[path.suffix.lower()]
        name = upload_name(sha256, self._project)
        async with self._locks.setdefault(sha256, asyncio.Lock()):
            if sha256 not in self._uris:
                async with self._store.asking_async(name):
                    self._uris[sha256] = await self._bring(path, name, mime_type)
            return Media(self._uris[sha256], mime_type)

    def forget(self, sha256: str) -> None:
        """Look again next time: the service says that the file is gone."""
        self._uris.pop(sha256, None)

    async def _bring(self, path: Path, name: str, mime_type: str) -> str:
        uri = None
        if self._records.knows(name):
            uri = await self._service.active_uri(name)
        if uri is None:
            self._records.add(name)
            log.info("uploading %s (%.1f MB)", path.name, path.stat().st_size / 1e6)
            async with self._at_once:
                uri = await self._service.upload(path, name=name, mime_type=mime_type)
        if uri is None:
            uri = await self._service.active_uri(name)
        if uri is None:
            raise ConnectionError("the uploaded file can't be found at the service")
        return uri
