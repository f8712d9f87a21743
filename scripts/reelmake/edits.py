"""Reports that were edited by hand are kept; a new version lands beside them.

A report carries the digest of its own text in its front matter: when it doesn't fit any more,
someone else has written there since.
"""

import hashlib
import os
import re
from pathlib import Path

from reelmake.files import write_atomically
from reelmake.translation import say_on_terminal

_DIGEST = re.compile(r"^digest: ([0-9a-f]{64})\n", re.MULTILINE)


def signed(report: str) -> str:
    """The report with its digest as the last line of its front matter."""
    head, fence, text = report.partition("\n---\n")
    return f"{head}\ndigest: {_digest(report)}{fence}{text}"


def is_edited(report: str) -> bool:
    """Whether anyone changed it since `signed` gave it; true also of what never was signed."""
    found = _DIGEST.search(report)
    if not found:
        return True
    return _digest(report[: found.start()] + report[found.end() :]) != found[1]


def new_version(report: Path) -> Path:
    """Where a new version of an edited report goes."""
    return report.with_name(f"{report.name.removesuffix('.md')}.new.md")


def write_report(path: Path, report: str) -> Path:
    """Write a signed report, beside one that was edited; where this version is now.

    An edited report keeps its content and gets a new time, so that it counts as up to date.
    """
    newer = new_version(path)
    there = _read(path)
    if there is None or not is_edited(there):
        write_atomically(path, report)
        beside = _read(newer)
        if beside is not None and not is_edited(beside):
            newer.unlink()  # the user took it, or did away with their own
        return path
    os.utime(path)
    if _signature(there) == _signature(report):
        return path  # nothing has come since that was edited
    # The version beside it may have been edited as well: then to the next free name.
    return write_report(newer, report)


def told(report: Path, written: Path) -> str:
    """What to tell a user whose report was kept; empty when it was written."""
    if written == report:
        return ""
    return (
        say_on_terminal()(
            "{report} was edited and is kept; its new version is {written}",
            report=report,
            written=written,
        )
        + "\n"
    )


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


def _signature(report: str) -> str | None:
    found = _DIGEST.search(report)
    return found[1] if found else None


def _digest(report: str) -> str:
    return hashlib.sha256(report.encode()).hexdigest()
