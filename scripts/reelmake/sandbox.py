"""Jinja for templates that strangers may have written: nothing is reached, and little is made.

The sandbox of Jinja keeps them from Python. Here they are also kept in their folders, and from
making numbers and texts that no machine can hold.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, TemplateNotFound
from jinja2.loaders import split_template_path
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reelmake.errors import ReelmakeError

_LARGEST_FILE = 1_000_000
"""Bytes of a file of a template: a thousand times what ours have."""
_LONGEST_TEXT = 1_000_000
_LARGEST_POWER = 1_000


def check_size(file: Path) -> None:
    """Raises ReelmakeError ``template_invalid``, and OSError."""
    if file.stat().st_size > _LARGEST_FILE:
        message = f"{file}: it is larger than {_LARGEST_FILE / 1e6:g} MB"
        raise ReelmakeError("template_invalid", message)


class Folders(FileSystemLoader):
    """Files that are in these folders, not behind links that lead out of them."""

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        parts = split_template_path(template)
        for folder in self.searchpath:
            file = os.path.join(folder, *parts)  # noqa: PTH118  as the loader names it
            if os.path.isfile(file):  # noqa: PTH113  likewise
                self._check(Path(file))
                break
        else:
            raise TemplateNotFound(template)
        return super().get_source(environment, template)

    def _check(self, file: Path) -> None:
        real = file.resolve()
        if not any(real.is_relative_to(Path(folder).resolve()) for folder in self.searchpath):
            message = f"{file}: it is a link that leads out of the template's folders"
            raise ReelmakeError("template_invalid", message)
        check_size(file)


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, without sums that never end."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Work it out, unless what comes of it is absurdly large."""
        if operator == "**" and abs(right) > _LARGEST_POWER:
            raise OverflowError(f"expected a power up to {_LARGEST_POWER}")
        if operator == "*":
            for one, other in ((left, right), (right, left)):
                if hasattr(one, "__len__") and len(one) * other > _LONGEST_TEXT:
                    raise OverflowError(f"expected a text or list of up to {_LONGEST_TEXT:,}")
        if operator == "%" and isinstance(left, str):
            raise TypeError("expected numbers around %; a text is filled by the filter `format`")
        return super().call_binop(context, operator, left, right)
