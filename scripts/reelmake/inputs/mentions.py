"""What `videos:` says of a video, before it is known which reports come of it."""

from dataclasses import dataclass, field
from typing import NamedTuple


class Problem(NamedTuple):
    """Why a row can't be used: a code of failures.yaml and what was found."""

    code: str
    message: str


@dataclass(frozen=True)
class Mention:
    """A video that is named somewhere: a path or URL, and what the place says of it.

    ``where`` is file and line of a list or table. Templates and languages are lists, since a cell
    may hold several: each pair is a report. Times are seconds.
    """

    video: str
    where: str | None = None
    name: str | None = None
    templates: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    priority: int = 0
    start_s: float | None = None
    end_s: float | None = None
    tags: tuple[str, ...] = ()
    extra: dict[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    explicit: bool = False
    """Of a table with columns: what its row leaves empty is meant to be the default."""

    @property
    def says_nothing(self) -> bool:
        """Whether only the video is named, as by a folder, so that any row says more."""
        return not (
            self.explicit
            or self.name
            or self.templates
            or self.languages
            or self.tags
            or self.extra
            or self.priority
            or self.start_s is not None
            or self.end_s is not None
        )
