"""What was recognised in a video: the record between the costly half of the engine and the rest."""

from pydantic import BaseModel, ConfigDict, Field

from reelmake.analysis import Passage, Seconds

RECOGNITION_VERSION = 1
"""Belongs into the digest of a recognition: raised when the same video gives another one."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Scene(_Record):
    """A stretch in which the picture stays about the same."""

    start_s: Seconds
    end_s: Seconds
    still_s: Seconds = Field(description="its last calm moment, when a slide is complete")


class TextLine(_Record):
    """A line of screen text; sizes are shares of the picture's height."""

    text: str
    top: float
    height: float


class Screen(_Record):
    """The text of a scene, when it has any that the scenes just before had not."""

    scene: Scene
    lines: list[TextLine]


class Recognition(_Record):
    """All that the engine knows of a video."""

    version: int = RECOGNITION_VERSION
    speech_version: str = Field(description="what recognised the speech, with its weights")
    ocr_version: str = Field(description="what read the screen")
    container_title: str | None
    has_sound: bool
    language: str | None = Field(description="as a BCP 47 tag; null: no speech was found")
    language_probability: float | None
    start_s: Seconds
    end_s: Seconds
    sentences: list[Passage] = Field(description="what is said, a sentence each")
    scenes: list[Scene]
    screens: list[Screen]
    seconds: Seconds = Field(description="wall time that it took")
