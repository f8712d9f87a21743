"""Telling somebody by Apprise: bounded in time, silent about addresses, never the end of a run."""

import logging
import os
import threading
import time
from collections.abc import Sequence
from types import ModuleType
from typing import Literal
from urllib.parse import urlsplit

from reelmake.errors import ReelmakeError

_PATIENCE_S = 10.0
"""For so long all of them together may hold up the end of a run."""

Tone = Literal["success", "warning", "failure"]


def addresses(entries: Sequence[str]) -> list[str]:
    """Look up what `notify` names in the environment.

    Raises ReelmakeError ``config_invalid``; its message holds no address.
    """
    found = [
        os.environ.get(entry.removeprefix("env:"), "") if entry.startswith("env:") else entry
        for entry in entries
    ]
    problems = [
        f"  notify[{number}]: {problem}"
        for number, (entry, address) in enumerate(zip(entries, found, strict=True))
        if (problem := _problem_of(entry, address))
    ]
    if problems:
        lines = ["The configuration can't be used:", *problems]
        raise ReelmakeError("config_invalid", "\n".join(lines))
    return found


def _problem_of(entry: str, address: str) -> str | None:
    if not address.strip():
        variable = entry.removeprefix("env:")
        return f"the environment variable {variable} is not set; export it, or take the line out"
    if _apprise().Apprise.instantiate(address) is None:
        return "no service takes such an address; expected one of Apprise's, such as mailto://…"
    return None


class Notifier:
    """Sends to every address at once, in threads that no exit waits for."""

    def __init__(self, addresses: Sequence[str], *, patience_s: float = _PATIENCE_S) -> None:
        self._addresses = addresses
        self._patience_s = patience_s
        self._sending: list[tuple[str, threading.Thread]] = []
        self._undelivered: list[str] = []

    def send(self, title: str, body: str, tone: Tone) -> None:
        """Begin to send; how it went is known after `wait`."""
        for number, address in enumerate(self._addresses):
            name = f"notify[{number}] ({_service(address)})"
            thread = threading.Thread(
                target=self._send, args=(name, address, title, body, tone), daemon=True
            )
            thread.start()
            self._sending.append((name, thread))

    def wait(self) -> list[str]:
        """Wait for all that was sent, a few seconds at most; what was not delivered, in words."""
        deadline = time.monotonic() + self._patience_s
        late = []
        for name, thread in self._sending:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                late.append(f"`{name}` did not answer within {self._patience_s:g} s.")
        self._sending = []
        return self._undelivered + late

    def _send(self, name: str, address: str, title: str, body: str, tone: Tone) -> None:
        try:
            delivered = _delivered(address, title, body, tone)
        except Exception as error:  # noqa: BLE001  a notifier is not to end anything
            self._undelivered.append(f"`{name}` could not be told ({type(error).__name__}).")
            return
        if not delivered:
            self._undelivered.append(
                f"`{name}` did not take the message: check the address and its service."
            )


def _service(address: str) -> str:
    """The part before ``://``, which alone is no secret."""
    return urlsplit(address).scheme or "no service"


def _apprise() -> ModuleType:
    # A fifth of a second that runs without notifications do without.
    import apprise  # noqa: PLC0415

    quiet = logging.getLogger("apprise")  # it would say addresses
    quiet.handlers, quiet.propagate = [logging.NullHandler()], False
    return apprise


def _delivered(address: str, title: str, body: str, tone: Tone) -> bool:
    apprise = _apprise()
    asset = apprise.AppriseAsset(app_id="reelmake", app_desc="reelmake", app_url="")
    service = apprise.Apprise(asset=asset)
    if not service.add(address):
        return False
    return bool(service.notify(title=title, body=body, notify_type=apprise.NotifyType(tone)))
