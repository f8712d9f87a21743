"""Made-up analyses that show, when a template is loaded, whether its layout works."""

from typing import Any

from reelmake.analysis import (
    Analysis,
    Chapter,
    Engine,
    KeyMoment,
    KeyPoint,
    Notice,
    Passage,
    Term,
    Usage,
    VideoFacts,
)


def sample_analyses(
    template: str, language: str, schema: dict[str, Any]
) -> tuple[Analysis, Analysis]:
    """One with everything in it, and one with next to nothing."""
    rich = Analysis(
        name="sample",
        template=template,
        language=language,
        engine=Engine(name="gemini", model="model", version="version"),
        video=VideoFacts(source="sample.mp4", sha256="0" * 64, duration_s=600),
        title="Sample",
        overview="Text.",
        chapters=[Chapter(start_s=0, end_s=60, title="Chapter", summary="Text.")],
        transcript=[
            Passage(start_s=0, end_s=9, text="Text.", speaker="A", doubtful=True),
            Passage(start_s=9, end_s=60, text="Text."),
        ],
        key_points=[KeyPoint(time_s=5, text="Text.")],
        key_moments=[KeyMoment(time_s=6, why="Text.", shown="Text.")],
        terms=[Term(term="Term", translation="Text", explanation="Text."), Term(term="Term")],
        fields=sample_value(schema) if schema else {},
        usage=Usage(calls=1, input_tokens=1000, output_tokens=100, thought_tokens=10),
        cost_usd=None,
        request_digests=["0" * 64],
        warnings=[Notice(code="sample", message="Text.")],
        created="2026-01-01T00:00:00Z",
    )
    poor = Analysis(
        name="sample",
        template=template,
        language=language,
        engine=Engine(name="local", model="model", version="version"),
        video=VideoFacts(source="sample.mp4"),
        title="",
        overview="",
        not_given=list(schema.get("properties", {})),
        created="2026-01-01T00:00:00Z",
    )
    return rich, poor


def sample_value(schema: dict[str, Any], name: str = "") -> Any:
    """A value that a JSON schema of the subset in ``template_files`` allows."""
    kind = schema["type"]
    if kind == "object":
        return {key: sample_value(inner, key) for key, inner in schema["properties"].items()}
    if kind == "array":
        return [sample_value(schema["items"])]
    if "enum" in schema:
        return schema["enum"][0]
    numbers = {"integer": 1, "number": 1.0, "boolean": True}
    return numbers.get(kind, "00:05" if name in ("time", "start", "end") else "Text.")
