"""The one taxonomy of failures: what kind it is decides what happens, the hint what to do.

Codes, kinds and hints are data: ``failures.yaml`` beside this file.
"""

import errno
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import NamedTuple

import yaml

from reelmake.translation import ENGLISH, Say


class Kind(StrEnum):
    """What a failure means for the run."""

    TRANSIENT = "transient"
    """Passes by itself: retried in the run, and by the next one."""
    QUOTA = "quota"
    """The account's quota is spent: goes on when it is renewed."""
    PERMANENT = "permanent"
    """The answer was not usable: the next run asks again."""
    BLOCKED = "blocked"
    """The service refuses this content: asked again only on request."""
    INVALID_INPUT = "invalid_input"
    """The video or its row can't be used as it is."""
    AUTH = "auth"
    """The key or its rights are wrong: nothing can go on."""
    BUDGET = "budget"
    """The money set aside is spent."""
    INTERNAL = "internal"
    """A fault of reelmake or of this machine."""


class _Explanation(NamedTuple):
    kind: Kind
    hint: str


@cache
def _explanations() -> dict[str, _Explanation]:
    text = resources.files(__package__).joinpath("failures.yaml").read_text(encoding="utf-8")
    return {
        code: _Explanation(Kind(entry["kind"]), entry["hint"])
        for code, entry in yaml.safe_load(text).items()
    }


_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NOT_WRITABLE = frozenset(
    {errno.EROFS, errno.EACCES, errno.EPERM}
    # A file where a folder should be, and the reverse.
    | {errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY}
)
_NO_MORE_FILES = frozenset({errno.EMFILE, errno.ENFILE})


class ReelmakeError(Exception):
    """A failure that a user can understand: one code of ``failures.yaml`` and what happened."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.kind, self.hint = _explanations()[code]
        self.attempts = 1

    def __reduce__(self) -> tuple[type["ReelmakeError"], tuple[str, str]]:
        return type(self), (self.code, self.message)

    def __str__(self) -> str:
        return self.told(ENGLISH)

    def told(self, say: Say) -> str:
        """What happened and, translated, what to do."""
        return f"{self.message}\n  → {say(self.hint)}"


def of_system(error: OSError) -> ReelmakeError | None:
    """What the user can do about an error of the system while results are written, if anything."""
    what = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
    for code, numbers in (
        ("disk_full", _NO_ROOM),
        ("results_unwritable", _NOT_WRITABLE),
        ("too_many_files", _NO_MORE_FILES),
    ):
        if error.errno in numbers:
            return ReelmakeError(code, what)
    return None
