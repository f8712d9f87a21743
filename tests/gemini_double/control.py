"""Endpoints under /_control/ that steer the double while another process runs against it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from .faults import Fault
from .service import MAX_BODY_BYTES, Service
from .wire import Reply, Request

PREFIX = "/_control/"


async def control(service: Service, request: Request) -> Reply:
    """Not part of the API: no key, no ledger record."""
    name = f"{request.method} {request.path.removeprefix(PREFIX)}"
    try:
        text = await request.read(MAX_BODY_BYTES)
        return Reply.of_json(_ACTIONS[name](service, json.loads(text) if text else None) or {})
    except KeyError:
        known = ", ".join(_ACTIONS)
        return Reply.of_json({"error": f"no such control: {name}; there are {known}"}, 404)
    except (ValueError, TypeError) as error:
        return Reply.of_json({"error": str(error)}, 400)


def _settings(service: Service, _: Any) -> dict[str, Any]:
    """All but the keys themselves."""
    return {**asdict(service.settings), "keys": len(service.settings.keys)}


def _add_faults(service: Service, body: Any) -> None:
    listed = body if isinstance(body, list) else [body]
    service.faults.add(*[Fault.of(each) for each in listed])


_ACTIONS: dict[str, Callable[[Service, Any], dict[str, Any] | None]] = {
    "GET ledger": lambda service, _: {"records": service.ledger.snapshot()},
    "DELETE ledger": lambda service, _: service.ledger.clear(),
    "GET settings": _settings,
    "POST settings": lambda service, body: service.settings.update(body),
    "GET faults": lambda service, _: {"fired": service.faults.fired()},
    "POST faults": _add_faults,
    "DELETE faults": lambda service, _: service.faults.clear(),
    "GET files": lambda service, _: {"files": [each.resource() for each in service.files]},
    "POST expire": lambda service, body: {
        "expired": service.files.expire((body or {}).get("file"))
    },
    "GET batches": lambda service, _: {"batches": service.batches.described()},
    "GET upload_ids": lambda service, _: {"upload_ids": service.files.upload_ids()},
}
