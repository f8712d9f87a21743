"""From what the SDK raises to the one taxonomy."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from reelmake.errors import ReelmakeError
from reelmake.gemini.pacific import renewal
from reelmake.redaction import redact

if TYPE_CHECKING:
    from google.genai.errors import APIError

# What may pass within the run; a longer wait than this is for the next one.
_RETRIED = frozenset(
    ["overloaded", "timed_out", "connection_lost", "upload_gone", "quota_per_minute"]
)
_LONGEST_WAIT_S = 300.0
_TRANSIENT_STATUS = frozenset({408, 409, 425, 499})
_NOT_IMPLEMENTED = 501
_FILE_IS_GONE = re.compile(r"\bfile\b", re.IGNORECASE)
_FILE_IS_NOT_READY = re.compile(r"\bfile\b.*\bnot in an ACTIVE state", re.IGNORECASE)


class ServiceError(ReelmakeError):
    """A call that failed. ``retry_after_s`` is what the service asked to wait, if it did."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(code, redact(message))
        self.status = status
        self.retry_after_s = retry_after_s
        self.gives_reason = False
        """Whether the service names what is wrong with the account, such as SERVICE_DISABLED."""

    @property
    def may_pass(self) -> bool:
        """Whether another try, in this run, may succeed."""
        if (self.retry_after_s or 0) > _LONGEST_WAIT_S:
            return False
        return self.code in _RETRIED


def classify(error: Exception) -> ServiceError:
    """Name an error of the SDK or of its transport; what is no such error is raised again."""
    # Half a second, which those that never call do without.
    import httpx2  # noqa: PLC0415
    from google.auth import exceptions as google_auth  # noqa: PLC0415
    from google.genai import errors as sdk  # noqa: PLC0415
    from pydantic import ValidationError  # noqa: PLC0415

    if isinstance(error, sdk.APIError):
        return _of_status(error)
    if isinstance(error, (httpx2.TimeoutException, TimeoutError)):
        return ServiceError("timed_out", f"no answer in time ({type(error).__name__})")
    if isinstance(error, (httpx2.TransportError, httpx2.DecodingError, ConnectionError)):
        # Its type alone: the text may quote headers, and so the key.
        return ServiceError("connection_lost", f"no answer arrived ({type(error).__name__})")
    if isinstance(error, google_auth.TransportError):
        return ServiceError("connection_lost", "the Google account could not be asked for")
    if isinstance(error, google_auth.GoogleAuthError):
        what = str(error.args[0]) if error.args else type(error).__name__
        return ServiceError("credentials_unusable", f"no Google account for Vertex AI: {what}")
    if isinstance(error, (sdk.UnknownApiResponseError, json.JSONDecodeError, ValidationError)):
        return ServiceError("connection_lost", "the answer arrived damaged or cut short")
    raise error


def _of_status(error: "APIError") -> ServiceError:
    details = list(details_of(error.details))
    reasons = {str(detail.get("reason")) for detail in details}
    message = f"{error.code} {error.status or ''}: {error.message or 'no message'}"
    status = int(error.code)
    wait_s = next((_seconds(d["retryDelay"]) for d in details if "retryDelay" in d), None)
    if wait_s is None:
        wait_s = _retry_after_s(error.response)
    if status == 429:
        quotas = (
            str(violation.get("quotaId"))
            for detail in details
            for violation in _mappings(detail.get("violations"))
        )
        per_day = next((quota for quota in quotas if "PerDay" in quota), None)
        if per_day:
            # Not in the service's words: they name a wait of seconds, which is misleading.
            message = f"429: the day's quota {per_day} is spent. It is renewed at {renewal()}."
            return ServiceError("quota_per_day", message, status=status)
        return ServiceError("quota_per_minute", message, status=status, retry_after_s=wait_s)
    if "API_KEY_INVALID" in reasons or status == 401:
        return ServiceError("key_invalid", message, status=status)
    gone = _FILE_IS_NOT_READY if status == 400 else _FILE_IS_GONE
    if status in (400, 403, 404) and gone.search(message):
        # What the service says of an uploaded file that expired, was deleted or is not ready.
        return ServiceError("upload_gone", f"{status}: the uploaded file is gone", status=status)
    code = {403: "permission_denied", 400: "request_refused"}.get(status, "")
    # Not what a proxy says of the address, which has the word, too.
    by_service = error.status in (None, "NOT_FOUND")
    if status == 404 and by_service and re.search(r"\bmodels?\b", message, re.IGNORECASE):
        code = "model_unknown"
    if status == 400 and re.search(
        r"token count\b.*\bexceeds|too many tokens", message, re.IGNORECASE
    ):
        code = "too_many_tokens"
    if status in _TRANSIENT_STATUS or (status >= 500 and status != _NOT_IMPLEMENTED):
        code = "overloaded"
    elif 300 <= status < 400:
        code = "redirected"
        message = f"{status}: the service answered with a redirect, which is not followed"
    fault = ServiceError(code or "request_refused", message, status=status, retry_after_s=wait_s)
    fault.gives_reason = any("reason" in detail for detail in details)
    return fault


def details_of(body: Any) -> Iterator[Mapping[str, Any]]:
    """What an error's body says besides its message: objects of many kinds."""
    error = body.get("error", body) if isinstance(body, Mapping) else {}
    yield from _mappings(error.get("details") if isinstance(error, Mapping) else None)


def _mappings(items: Any) -> Iterator[Mapping[str, Any]]:
    """Proxies answer in forms of their own: what is no list of objects has none."""
    for item in items if isinstance(items, list) else ():
        if isinstance(item, Mapping):
            yield item


def _retry_after_s(response: Any) -> float | None:
    """What a proxy says instead: seconds, or a time."""
    headers = getattr(response, "headers", None)
    told = headers.get("Retry-After") if isinstance(headers, Mapping) else None
    if told is None or told.isdecimal():
        return _seconds(f"{told}s")
    try:
        return max(0.0, parsedate_to_datetime(told).timestamp() - time.time())
    except ValueError:
        return None


def _seconds(delay: Any) -> float | None:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)s", str(delay))
    return float(match[1]) if match else None
