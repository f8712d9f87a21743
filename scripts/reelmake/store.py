"""The store of answers: what was paid for, or took long, kept by the digest of its request.

An answer is written the moment it arrives, before anything else can fail, and found again by
whatever rerun asks the same. Nothing here ever deletes an answer.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import json
import logging
import os
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, NamedTuple

from reelmake.files import Room, room_for, write_atomically

log = logging.getLogger(__name__)

_POLL_S = 0.1
_ROOM_BYTES = 512 * 1024
"""More than the longest answer takes: 65,536 tokens."""


# Where a file is in a folder's place, asking fails for room: it need not stop the others here.
_NOT_THERE = (FileNotFoundError, NotADirectoryError)


class StoredAnswer(NamedTuple):
    """An answer as it came."""

    answer: dict[str, Any]
    received: str
    """When it arrived: ISO 8601, UTC."""
    request: dict[str, Any]
    """What was said of the request when it was put."""


class Rejection(NamedTuple):
    """Why an answer was not taken: its failure code, and what was wrong."""

    code: str
    message: str


def digest(request: Mapping[str, Any]) -> str:
    """Hexadecimal sha256 of a request; the order of its keys is without effect."""
    return hashlib.sha256(_canonical(request)).hexdigest()


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8",
        "surrogatepass",  # half a character, which JSON can carry, is kept as it came
    )


def _try_to_lock(path: Path) -> IO[str] | None:
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The holder before us removed the file: others may already hold a new one.
        if _is_still(path, file.fileno()):
            return file
    except BlockingIOError:
        pass
    file.close()
    return None


def _entry_text(entry: Mapping[str, Any]) -> bytes:
    text = json.dumps(entry, ensure_ascii=False, indent=1) + "\n"
    return text.encode("utf-8", "surrogatepass")


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


class Store:
    """A folder of answers, one JSON file each, in 256 subfolders by the digest's first byte.

    ``<digest>.json`` is an answer to be used; ``<digest>.rejected.json`` the last one that was
    not valid, kept as evidence and never taken for good.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def get(self, key: str) -> StoredAnswer | None:
        """The answer to this request, or None. A damaged file is set aside and said."""
        return self._read(self._path(key))

    def room(self, key: str) -> AbstractContextManager[Room]:
        """Set room on the disk aside for an answer, while asking: before it is paid for.

        Raises OSError when the answer could not be kept.
        """
        return room_for(self._path(key), _ROOM_BYTES, aside=self._lock_path(f"{key}.room"))

    def put(
        self,
        key: str,
        answer: Mapping[str, Any],
        *,
        request: Mapping[str, Any],
        room: Room | None = None,
    ) -> None:
        """Keep an answer; returns when the disk has it. ``request`` says what it was for."""
        entry = {
            "digest": key,
            "received": datetime.now(UTC).isoformat(timespec="seconds"),
            "request": request,
            "sha256": hashlib.sha256(_canonical(answer)).hexdigest(),
            "answer": answer,
        }
        text = _entry_text(entry)
        if room:
            room.fill(self._path(key), text)
        else:
            write_atomically(self._path(key), text, durable=True)

    def reject(self, key: str, rejection: Rejection) -> None:
        """Mark the answer as not valid: kept as evidence, no longer found by `get`."""
        path = self._path(key)
        entry = json.loads(path.read_text(encoding="utf-8", errors="surrogatepass"))
        entry["rejected"] = rejection._asdict()
        write_atomically(self._rejected_path(key), _entry_text(entry), durable=True)
        path.unlink()

    def rejection(self, key: str) -> Rejection | None:
        """Why the last answer to this request was not taken, if one was rejected."""
        try:
            entry = json.loads(
                self._rejected_path(key).read_text(encoding="utf-8", errors="surrogatepass")
            )
            return Rejection(**entry["rejected"])
        except _NOT_THERE:
            return None
        except (ValueError, TypeError, KeyError):
            self._set_aside(self._rejected_path(key))
            return None

    @contextlib.contextmanager
    def asking(self, key: str) -> Iterator[None]:
        """Hold while asking: of two jobs with the same request the second waits for the first."""
        while (lock := self._try_to_lock(key)) is None:
            time.sleep(_POLL_S)  # rather than a wait in the kernel, which ignores Ctrl-C
        with self._held(key, lock):
            yield

    @contextlib.asynccontextmanager
    async def asking_async(self, key: str) -> AsyncIterator[None]:
        """The same, while others go on."""
        while (lock := self._try_to_lock(key)) is None:
            await asyncio.sleep(_POLL_S)
        with self._held(key, lock):
            yield

    def _try_to_lock(self, key: str) -> IO[str] | None:
        path = self._lock_path(key)
        try:
            return _try_to_lock(path)
        except FileNotFoundError:  # the first lock ever
            path.parent.mkdir(parents=True, exist_ok=True)
            return _try_to_lock(path)

    @contextlib.contextmanager
    def _held(self, key: str, lock: IO[str]) -> Iterator[None]:
        with lock:
            try:
                yield
            finally:
                self._lock_path(key).unlink(missing_ok=True)

    def _lock_path(self, key: str) -> Path:
        return self.root / "locks" / key

    def _path(self, key: str) -> Path:
        return self.root / key[:2] / f"{key}.json"

    def _rejected_path(self, key: str) -> Path:
        return self.root / key[:2] / f"{key}.rejected.json"

    def _read(self, path: Path) -> StoredAnswer | None:
        try:
            entry = json.loads(path.read_text(encoding="utf-8", errors="surrogatepass"))
            answer = entry["answer"]
            if hashlib.sha256(_canonical(answer)).hexdigest() == entry["sha256"]:
                return StoredAnswer(answer, entry["received"], entry["request"])
        except _NOT_THERE:
            return None
        except (ValueError, TypeError, KeyError):
            pass
        self._set_aside(path)
        return None

    def _set_aside(self, path: Path) -> None:
        aside = self.root / "damaged" / path.name
        aside.parent.mkdir(parents=True, exist_ok=True)
        path.replace(aside)
        log.warning("%s is damaged: moved to %s, and asked for again", path, aside)
