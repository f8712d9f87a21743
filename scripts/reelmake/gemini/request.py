"""A request to Gemini as plain data: what its digest covers is what is sent, and nothing else."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import Any, NamedTuple

from reelmake.store import digest


@dataclass(frozen=True, slots=True)
class Clip:
    """The video of a request: ``identity`` is ``sha256:…`` of a file, else its URL.

    Offsets are seconds; null means from the beginning, up to the end.
    """

    identity: str
    fps: float
    media_resolution: str
    start_s: float | None = None
    end_s: float | None = None


class Media(NamedTuple):
    """Where the service finds the video: an uploaded file, a public URL, or a bucket."""

    uri: str
    mime_type: str


@dataclass(frozen=True)
class Request:
    """One call. ``clip`` is None for a call that has only text."""

    model: str
    prompt: str
    schema: Mapping[str, Any]
    clip: Clip | None = None
    generation: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def key(self) -> str:
        """Its answer's place in the store: a digest of all that is sent."""
        return digest(self._parts())

    def asking(self, model: str) -> "Request":
        """The same request to another model."""
        return replace(self, model=model)

    def summary(self) -> dict[str, Any]:
        """What the store says of it beside the answer: the digest's parts, the long ones hashed."""
        return self._parts() | {
            "prompt": digest({"prompt": self.prompt}),
            "schema": digest(self.schema),
        }

    def _parts(self) -> dict[str, Any]:
        # Not `asdict`, which would copy every part of the schema.
        parts = {each.name: getattr(self, each.name) for each in fields(self)}
        return parts | {"clip": self.clip and asdict(self.clip)}
