"""What is to be built: one target a report, from the video table."""

from pydantic import BaseModel, ConfigDict

from reelmake.probes import Probe

VIDEO_SUFFIXES = frozenset(
    ".mp4 .mov .avi .mkv .webm .m4v .mpeg .mpg .3gp .flv .wmv .ts".split()  # noqa: SIM905
)
"""What a file is called that is taken for a video."""


class Target(BaseModel):
    """One report: a video seen through a template. ``extra`` goes into its front matter.

    ``video`` is what an engine reads, a path or a URL; ``source`` is the address that it is
    fetched from first, if it is. ``probe`` is what the file was seen to be, so that jobs need not
    look again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    video: str
    source: str | None = None
    name: str
    template: str
    language: str | None = None
    priority: int = 0
    start_s: float | None = None
    end_s: float | None = None
    tags: tuple[str, ...] = ()
    extra: dict[str, str] = {}
    parameters: dict[str, str | int | float] = {}
    probe: Probe | None = None
    problem: str | None = None
    problem_code: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What Snakemake's wildcards say of it: template and name."""
        return self.template, self.name


def is_url(video: str) -> bool:
    """Whether a video is read by its URL rather than from a file."""
    return "://" in video
