"""Error bodies in the service's own words.

Clients branch on what an error body says (`RetryInfo`, `quotaId`, `reason`), so the double has to
say it in the same places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

STATUS_OF_CODE = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
SERVICE = "generativelanguage.googleapis.com"
OVERLOADED = "This model is currently experiencing high demand. Please try again later."


@dataclass(eq=False)
class ServiceError(Exception):
    """An HTTP error answer; `details` are the typed objects of google.rpc."""

    code: int
    message: str
    status: str | None = None
    details: Sequence[Mapping[str, Any]] = ()
    headers: dict[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {
            "code": self.code,
            "message": self.message,
            "status": self.status or STATUS_OF_CODE.get(self.code, "UNKNOWN"),
        }
        if self.details:
            error["details"] = list(self.details)
        return {"error": error}


def invalid(message: str, violations: Sequence[tuple[str, str]] = ()) -> ServiceError:
    """400 INVALID_ARGUMENT, with the fields at fault when they are known."""
    details = [
        {
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [
                {"field": name, "description": text} if name else {"description": text}
                for name, text in violations
            ],
        }
    ]
    return ServiceError(400, message, details=details if violations else ())


def bad_key() -> ServiceError:
    message = "API key not valid. Please pass a valid API key."
    return ServiceError(
        400,
        message,
        details=[
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
                "metadata": {"service": SERVICE},
            },
            {
                "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
                "locale": "en-US",
                "message": message,
            },
        ],
    )


def missing_key() -> ServiceError:
    return ServiceError(
        403,
        "Method doesn't allow unregistered callers (callers without established identity). "
        "Please use API Key or other form of API consumer identity to call this API.",
    )


def no_such_file(name: str) -> ServiceError:
    """The service hides whether a file is another project's or missing: both are 403."""
    return ServiceError(
        403, f"You do not have permission to access the File {name} or it may not exist."
    )


def no_such_model(model: str, version: str, method: str = "generateContent") -> ServiceError:
    return ServiceError(
        404,
        f"models/{model} is not found for API version {version}, or is not supported for "
        f"{method}. Call ListModels to see the list of available models and their supported "
        "methods.",
    )


def quota_exceeded(
    quota_id: str, metric: str, limit: int, model: str, delay: float
) -> ServiceError:
    """429 with the three details the service sends: QuotaFailure, Help and RetryInfo."""
    metric = f"{SERVICE}/{metric}"
    return ServiceError(
        429,
        "You exceeded your current quota, please check your plan and billing details. For more "
        "information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits. "
        "To monitor your current usage, head to: https://ai.dev/rate-limit. \n"
        f"* Quota exceeded for metric: {metric}, limit: {limit}, model: {model}\n"
        f"Please retry in {delay:g}s.",
        details=[
            {
                "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [
                    {
                        "quotaMetric": metric,
                        "quotaId": quota_id,
                        "quotaDimensions": {"location": "global", "model": model},
                        "quotaValue": str(limit),
                    }
                ],
            },
            {
                "@type": "type.googleapis.com/google.rpc.Help",
                "links": [
                    {
                        "description": "Learn more about Gemini API quotas",
                        "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
                    }
                ],
            },
            {
                "@type": "type.googleapis.com/google.rpc.RetryInfo",
                "retryDelay": f"{delay:g}s",
            },
        ],
    )
