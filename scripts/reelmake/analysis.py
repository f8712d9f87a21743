"""The analysis of a video: what an engine found, validated, in seconds; one JSON file a report.

Both engines write this form and everything downstream reads only this form, so a report can be
laid out again without asking an engine again. ``schemas/analysis.schema.yaml`` is made from it.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from reelmake.files import write_atomically

Seconds = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class VideoFacts(_Record):
    """What the probe measured; a video that is analysed by its URL has only its source."""

    source: str
    sha256: str | None = None
    size_bytes: Count | None = None
    duration_s: Seconds | None = None
    start_s: Seconds | None = Field(None, description="analysed from here; null: the beginning")
    end_s: Seconds | None = Field(None, description="analysed up to here; null: the end")
    container: str | None = None
    width: Count | None = None
    height: Count | None = None
    frames_per_second: float | None = None
    video_codec: str | None = None
    audio_codec: str | None = Field(None, description="null: the video has no sound")


class Engine(_Record):
    """Who answered."""

    name: Literal["gemini", "local"]
    model: str = Field(description="the model that was asked; several where a fallback was, too")
    version: str = Field(description="what the service, or the weights, say that they are")


class Chapter(_Record):
    """A part of the video; chapters follow each other."""

    start_s: Seconds
    end_s: Seconds
    title: str
    summary: str


class Passage(_Record):
    """A stretch of the transcript."""

    start_s: Seconds
    end_s: Seconds
    text: str
    speaker: str | None = None
    confidence: float | None = Field(None, ge=0, le=1, description="null: the engine gives none")
    doubtful: bool = False


class KeyPoint(_Record):
    """Something that the video teaches, and when."""

    time_s: Seconds
    text: str


class KeyMoment(_Record):
    """A moment worth a picture."""

    time_s: Seconds
    why: str
    shown: str = Field(description="what the picture shows there")


class Term(_Record):
    """A word to know, from the video."""

    term: str
    translation: str | None = None
    explanation: str | None = None


class Usage(_Record):
    """Tokens as billed, added up over all the calls that the report needed."""

    calls: Count = 0
    input_tokens: Count = 0
    output_tokens: Count = 0
    thought_tokens: Count = 0
    cached_tokens: Count = 0


class Notice(_Record):
    """Something that was repaired, or that the reader should know: shown on the report."""

    code: str
    message: str
    values: dict[str, str | int | float] = Field({}, description="what the message was filled with")


class Analysis(_Record):
    """What an engine found in a video, for one template."""

    schema_version: Literal[1] = 1
    name: str
    template: str
    language: str = Field(description="language of the report's text, as a BCP 47 tag")
    engine: Engine
    video: VideoFacts
    title: str
    overview: str
    chapters: list[Chapter] = []
    transcript: list[Passage] = []
    key_points: list[KeyPoint] = []
    key_moments: list[KeyMoment] = []
    terms: list[Term] = []
    fields: dict[str, Any] = Field({}, description="what only this template asks for")
    not_given: list[str] = Field([], description="what the template asks for and the engine lacks")
    usage: Usage = Usage()
    cost_usd: float | None = Field(0.0, description="null: the model has no price in prices.yaml")
    seconds: Seconds = Field(0.0, description="wall time that the engine took")
    attempts: Count = 1
    finish_reason: str = "STOP"
    request_digests: list[str] = []
    warnings: list[Notice] = []
    created: str = Field(description="when the answer arrived, ISO 8601, UTC")


def write_analysis(analysis: Analysis, path: Path) -> None:
    write_atomically(path, analysis.model_dump_json(indent=1) + "\n")


def read_analysis(path: Path) -> Analysis:
    """Read what `write_analysis` wrote.

    Raises ValueError when the file is not an analysis of this schema version.
    """
    return Analysis.model_validate_json(path.read_bytes())
