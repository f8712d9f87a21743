"""What is made of the service's refusals, whoever words them."""

import json
import time
from email.utils import formatdate
from typing import Any

import httpx2
import pytest
from google.auth import exceptions as google_auth
from google.genai import errors as sdk
from pydantic import TypeAdapter, ValidationError

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


@pytest.mark.parametrize(
    ("wait_s", "may_pass"), [(None, True), (300, True), (301, False), (7200, False)]
)
def test_what_is_to_be_waited_for_longer_is_for_the_next_run(
    wait_s: int | None, may_pass: bool
) -> None:
    headers = {} if wait_s is None else {"Retry-After": str(wait_s)}
    for status in (429, 503):
        assert classify(refusal(status, "later", **headers)).may_pass == may_pass


def shape_error() -> ValidationError:
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(int).validate_json('"no number"')
    return raised.value


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (httpx2.ReadTimeout("x"), "timed_out"),
        (TimeoutError(), "timed_out"),
        (httpx2.ConnectError("x"), "connection_lost"),
        (httpx2.DecodingError("x"), "connection_lost"),
        (ConnectionResetError(), "connection_lost"),
        (sdk.UnknownApiResponseError("x"), "connection_lost"),
        (json.JSONDecodeError("x", "", 0), "connection_lost"),
        (shape_error(), "connection_lost"),
        (google_auth.TransportError("x"), "connection_lost"),  # type: ignore[no-untyped-call]
        (google_auth.RefreshError("x"), "credentials_unusable"),  # type: ignore[no-untyped-call]
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
def test_a_call_that_brings_no_answer_is_tried_again_unless_it_needs_an_account(
    error: Exception, code: str
) -> None:
    fault = classify(error)
    assert fault.code == code
    assert fault.may_pass == (code != "credentials_unusable")


def test_a_fault_of_ours_is_none_of_the_service() -> None:
    with pytest.raises(KeyError):
        classify(KeyError("ours"))


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [
        (300, "Multiple choices", "redirected"),
        (400, "File abc is not in an ACTIVE state", "upload_gone"),
        (400, "The file is too large", "request_refused"),
        (401, "Who are you?", "key_invalid"),
        (403, "You may not read File abc, or it does not exist", "upload_gone"),
        (403, "The project is not allowed to", "permission_denied"),
        (404, "File abc not found", "upload_gone"),
        (408, "", "overloaded"),
        (425, "", "overloaded"),
        (500, "", "overloaded"),
        (501, "", "request_refused"),
        (502, "", "overloaded"),
    ],
)
def test_a_refusal_is_named_by_its_status_and_what_it_says(
    status: int, message: str, code: str
) -> None:
    assert classify(refusal(status, message)).code == code


@pytest.mark.parametrize(
    ("status", "details", "code", "gives_reason"),
    [
        (400, [{"reason": "API_KEY_INVALID"}], "key_invalid", False),
        (403, [{"reason": "SERVICE_DISABLED"}], "permission_denied", True),
        (403, [{"retryDelay": "1s"}], "permission_denied", False),
        (403, "reason", "permission_denied", False),
        (403, ["reason"], "permission_denied", False),
        (429, [{"violations": [{"quotaId": "GenerateRequestsPerDay"}]}], "quota_per_day", False),
        (429, [{"violations": [{"quotaId": "RequestsPerMinute"}]}], "quota_per_minute", False),
        (429, [{"violations": "PerDay"}], "quota_per_minute", False),
    ],
)
def test_details_name_what_is_wrong_whatever_their_form(
    status: int, details: Any, code: str, gives_reason: bool
) -> None:
    body = {"error": {"code": status, "message": "no", "details": details}}
    fault = classify(sdk.APIError(status, body, httpx2.Response(status)))
    assert (fault.code, fault.gives_reason) == (code, gives_reason)


@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_that_the_service_names_goes_before_that_of_a_proxy(status: int) -> None:
    body = {"error": {"code": status, "message": "no", "details": [{"retryDelay": "2.5s"}]}}
    response = httpx2.Response(status, headers={"Retry-After": "9"})
    assert classify(sdk.APIError(status, body, response)).retry_after_s == 2.5
