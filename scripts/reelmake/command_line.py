"""What `--config key=value` means: Snakemake leaves ``no``, and all within braces, as text."""

import contextlib
import copy
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

_NO_TEXT = frozenset(["int_type", "float_type", "bool_type"])
"""What pydantic calls the mistake of giving text where there is to be none."""


def as_meant(
    values: Mapping[str, Any], typed: Mapping[str, Any], kind: type[BaseModel]
) -> dict[str, Any]:
    """The values of a ``kind``, with those that were ``typed`` as YAML reads them in a file.

    Only where no text is expected: a language is ``no``, and a folder may be called 2024.
    """
    meant = copy.deepcopy(dict(values))
    try:
        kind.model_validate(meant)
    except ValidationError as error:
        for found in error.errors(include_url=False):
            text, path = found["input"], found["loc"]
            if found["type"] not in _NO_TEXT or not isinstance(text, str):
                continue
            if _at(typed, path) == text:
                with contextlib.suppress(yaml.YAMLError):
                    _at(meant, path[:-1])[path[-1]] = yaml.safe_load(text)
    return meant


def _at(values: Any, path: Sequence[str | int]) -> Any:
    """What stands there; None for nothing."""
    for part in path:
        values = values.get(part) if isinstance(values, Mapping) else None
    return values
