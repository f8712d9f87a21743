"""What is made of the service's refusals, whoever words them."""

import time
from email.utils import formatdate

import httpx2
import pytest
from google.genai import errors as sdk

from reelmake.gemini.failures import classify


def refusal(code: int, message: str, **headers: str) -> sdk.APIError:
    body = {"error": {"code": code, "message": message}}
    return sdk.APIError(code, body, httpx2.Response(code, headers=headers))


@pytest.mark.parametrize(
    ("told", "wait_s"),
    [
        ("7", 7.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("soon", None),
        ("", None),
    ],
)
def test_a_wait_that_stands_in_the_header_is_kept(told: str, wait_s: float | None) -> None:
    error = refusal(429, "slow down", **{"Retry-After": told})
    assert classify(error).retry_after_s == wait_s


def test_a_time_to_come_back_at_is_waited_for() -> None:
    wait_s = classify(refusal(503, "later", **{"Retry-After": formatdate(time.time() + 100)}))
    assert 90 < (wait_s.retry_after_s or 0) <= 100


@pytest.mark.parametrize(
    ("status", "code"),
    [("NOT_FOUND", "model_unknown"), (None, "model_unknown"), ("Not Found", "request_refused")],
)
def test_only_the_service_can_say_that_there_is_no_such_model(
    status: str | None, code: str
) -> None:
    error = refusal(404, "/v1beta/models/gemini-0-flash is not found")
    error.status = status
    assert classify(error).code == code
