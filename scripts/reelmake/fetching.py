"""Bringing videos from the web: bounded, resumed, and there only when they are complete."""

import http.client
import json
import logging
import re
import ssl
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urljoin

from reelmake.connections import checked, connect
from reelmake.errors import ReelmakeError
from reelmake.files import write_atomically

log = logging.getLogger(__name__)

_MAX_REDIRECTS = 5
_BLOCK = 1 << 20
_TYPES = re.compile(r"(video/.+|application/(octet-stream|mp4|x-matroska)|binary/octet-stream|)")


@dataclass(frozen=True)
class Limits:
    """How much a download may take."""

    size_bytes: int = 20_000_000_000
    seconds: float = 6 * 3600.0
    silence_s: float = 60.0
    """Without a byte for so long, the connection counts as lost."""
    attempts: int = 5


LIMITS = Limits()


def fetch(
    url: str,
    path: Path,
    *,
    limits: Limits = LIMITS,
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Download ``url`` to ``path``, which appears when it is complete.

    What has arrived stays in ``<path>.part``, and the next attempt, or the next run, goes on from
    there when the server says that the file is still the same. Raises ReelmakeError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    download = _Download(url, path, limits)
    for attempt in range(1, limits.attempts + 1):
        try:
            download.run()
        except ReelmakeError as error:
            error.attempts = attempt
            if error.code != "fetch_failed" or attempt == limits.attempts:
                raise
            log.warning("%s Trying again.", error.message)
            wait(min(2.0**attempt, 30.0))
        else:
            return


class _Download:
    def __init__(self, url: str, path: Path, limits: Limits) -> None:
        self._url = url
        self._path = path
        self._limits = limits
        self._part = path.with_name(path.name + ".part")
        self._state = path.with_name(path.name + ".part.json")
        self._deadline = time.monotonic() + limits.seconds

    def run(self) -> None:
        try:
            self._follow()
        except ssl.SSLCertVerificationError as error:
            reason = error.verify_message
            message = f"{self._url}: its certificate is not to be trusted ({reason})."
            raise ReelmakeError("fetch_refused", message) from None
        except (OSError, http.client.HTTPException) as error:
            reason = str(error) or type(error).__name__
            raise ReelmakeError("fetch_failed", f"{self._url}: {reason}.") from None

    def _follow(self) -> None:
        """Ask, and go where the answer sends; each address is checked like the first."""
        url = self._url
        for _ in range(_MAX_REDIRECTS + 1):
            parts = checked(url)
            with (
                closing(connect(parts, timeout_s=self._limits.silence_s)) as connection,
                closing(self._ask(connection, parts)) as response,
            ):
                location = response.getheader("Location")
                if response.status not in (301, 302, 303, 307, 308) or not location:
                    self._receive(response)
                    return
                url = urljoin(url, location)
        message = f"{self._url} sends on more than {_MAX_REDIRECTS} times."
        raise ReelmakeError("fetch_refused", message)

    def _ask(
        self, connection: http.client.HTTPSConnection, parts: SplitResult
    ) -> http.client.HTTPResponse:
        headers = {"User-Agent": "reelmake", "Accept-Encoding": "identity"}
        validator = self._validator()
        if validator and self._part.exists():
            headers |= {"Range": f"bytes={self._part.stat().st_size}-", "If-Range": validator}
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", target, headers=headers)
        return connection.getresponse()

    def _receive(self, response: http.client.HTTPResponse) -> None:
        self._check(response)
        have = self._part.stat().st_size if response.status == 206 else 0
        if response.status == 206:
            said = re.fullmatch(r"bytes (\d+)-\d+/\d+", response.getheader("Content-Range", ""))
            if not said or int(said[1]) != have:
                self._forget()
                raise ReelmakeError("fetch_failed", f"{self._url} goes on at another place.")
            log.info("going on after %.1f MB", have / 1e6)
        length = response.length
        if have + (length or 0) > self._limits.size_bytes:
            self._too_large()
        etag, modified = response.getheader("ETag"), response.getheader("Last-Modified")
        # A weak tag does not promise the same bytes.
        strong = etag if etag and not etag.startswith("W/") else None
        write_atomically(self._state, json.dumps({"url": self._url, "same": strong or modified}))
        with self._part.open("ab" if have else "wb") as file:
            while block := response.read1(_BLOCK):
                have += len(block)
                if have > self._limits.size_bytes:
                    self._too_large()
                if time.monotonic() > self._deadline:
                    hours = self._limits.seconds / 3600
                    message = f"{self._url} takes longer than {hours:g} hours."
                    raise ReelmakeError("fetch_too_large", message)
                file.write(block)
        if response.length:  # what is still missing of what was promised
            raise ReelmakeError("fetch_failed", f"{self._url}: the connection was lost.")
        self._part.replace(self._path)
        self._state.unlink(missing_ok=True)

    def _check(self, response: http.client.HTTPResponse) -> None:
        status = response.status
        if status in (200, 206):
            kind = response.headers.get_content_type() if "Content-Type" in response.headers else ""
            if not _TYPES.fullmatch(kind):
                message = f"{self._url} is no video: the server says {kind!r}."
                raise ReelmakeError("fetch_refused", message)
            return
        if status == 416:  # what is here is not the beginning of what is there
            self._forget()
        told = f"{self._url}: the server answers {status} {response.reason}."
        passing = status in (408, 416, 425, 429) or status >= 500
        raise ReelmakeError("fetch_failed" if passing else "fetch_refused", told)

    def _validator(self) -> str | None:
        """What the server said of the part that is here; None when it can't be gone on with."""
        try:
            state = json.loads(self._state.read_text(encoding="utf-8"))
            same = state["same"] if state["url"] == self._url else None
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return same if isinstance(same, str) and same.isprintable() else None

    def _too_large(self) -> None:
        self._forget()
        gigabytes = self._limits.size_bytes / 1e9
        message = f"{self._url} is larger than {gigabytes:g} GB."
        raise ReelmakeError("fetch_too_large", message)

    def _forget(self) -> None:
        self._part.unlink(missing_ok=True)
        self._state.unlink(missing_ok=True)
