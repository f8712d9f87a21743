"""What is to be built: one target a report, from the video table."""

from pydantic import BaseModel, ConfigDict


class Target(BaseModel):
    """One report: a video seen through a template. ``extra`` goes into its front matter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    video: str
    name: str
    template: str
    language: str | None = None
    priority: int = 0
    start_s: float | None = None
    end_s: float | None = None
    tags: tuple[str, ...] = ()
    extra: dict[str, str] = {}
    parameters: dict[str, str | int | float] = {}
    problem: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What Snakemake's wildcards say of it: template and name."""
        return self.template, self.name


def is_url(video: str) -> bool:
    """Whether a video is read by its URL rather than from a file."""
    return "://" in video
