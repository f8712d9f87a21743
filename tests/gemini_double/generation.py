"""What a generateContent request asks for, once its body is known to be well-formed.

The checks here need more than the body: the model, the project's files, the video's duration.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .errors import invalid
from .files import FileStore
from .media import Clip, Video, probe, text_tokens
from .models import INPUT_TOKEN_LIMIT, OUTPUT_TOKEN_LIMIT
from .validation import check_schema, refuse, seconds

MAX_VIDEOS = 10
OFFSET_TOLERANCE = 1.0
YOUTUBE_HOSTS = frozenset({"www.youtube.com", "youtube.com", "m.youtube.com", "youtu.be"})
_JSON_TYPES = frozenset({"application/json", "text/x.enum"})
_THOUGHTS = {"MINIMAL": 0, "LOW": 64, "MEDIUM": 256, "HIGH": 1024}


@dataclass(frozen=True)
class Question:
    model: str
    prompt: str
    """All text of the request, the system instruction first."""
    clips: tuple[Clip, ...] = ()
    schema: Mapping[str, Any] | None = None
    wants_json: bool = False
    max_output_tokens: int = OUTPUT_TOKEN_LIMIT
    thoughts_tokens: int = 0
    service_tier: str = "standard"
    store: bool | None = None
    prompt_sha256: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha256(self.prompt.encode()).hexdigest()
        object.__setattr__(self, "prompt_sha256", digest)

    @property
    def clip(self) -> Clip | None:
        """The first video, which the answer is about."""
        return self.clips[0] if self.clips else None

    def prompt_tokens(self) -> dict[str, int]:
        """Input tokens by modality, summed over the videos."""
        tokens = {"TEXT": text_tokens(self.prompt)}
        for clip in self.clips:
            for modality, count in clip.tokens(self.model).items():
                tokens[modality] = tokens.get(modality, 0) + count
        return tokens


class QuestionReader:
    """Turns a checked body into a Question, or refuses it as the service does."""

    def __init__(self, files: FileStore) -> None:
        self.files = files
        self.settings = files.settings

    def read(self, body: dict[str, Any], model: str, project: str) -> Question:
        config = body.get("generationConfig", {})
        question = Question(
            model=model,
            prompt=_prompt(body),
            clips=self._clips(body.get("contents", []), config, project),
            schema=config.get("responseSchema") or config.get("responseJsonSchema"),
            wants_json=config.get("responseMimeType") == "application/json",
            max_output_tokens=config.get("maxOutputTokens", OUTPUT_TOKEN_LIMIT),
            thoughts_tokens=_thoughts(config.get("thinkingConfig", {}), model),
            service_tier=body.get("serviceTier", "STANDARD").lower(),
            store=body.get("store"),
        )
        _check_config(config)
        total = sum(question.prompt_tokens().values())
        if total > INPUT_TOKEN_LIMIT:
            raise invalid(
                f"The input token count ({total}) exceeds the maximum number of tokens allowed "
                f"({INPUT_TOKEN_LIMIT})."
            )
        return question

    def _clips(
        self, contents: list[dict[str, Any]], config: dict[str, Any], project: str
    ) -> tuple[Clip, ...]:
        if not contents:
            raise refuse(["GenerateContentRequest.contents: contents is not specified"])
        clips = []
        has_text = False
        for index, content in enumerate(contents):
            if content.get("role", "user") not in ("user", "model"):
                raise invalid("Please use a valid role: user, model.")
            for position, part in enumerate(content.get("parts", [])):
                path = f"GenerateContentRequest.contents[{index}].parts[{position}]"
                data = [name for name in ("text", "fileData", "inlineData") if name in part]
                if len(data) != 1:
                    raise refuse([f"{path}.data: required oneof field 'data' must have one field"])
                has_text = has_text or bool(part.get("text", "").strip())
                if data != ["text"]:
                    clips.append(self._clip(part, path, config, project))
                elif "videoMetadata" in part:
                    raise refuse([f"{path}.video_metadata: only allowed beside video data"])
        if not has_text:
            raise refuse(["GenerateContentRequest.contents: contains no text"])
        if len(clips) > MAX_VIDEOS:
            raise invalid(f"Please use at most {MAX_VIDEOS} videos in one request.")
        return tuple(clips)

    def _clip(self, part: dict[str, Any], path: str, config: dict[str, Any], project: str) -> Clip:
        video = self._video(part, path, project)
        metadata = part.get("videoMetadata", {})
        fps = metadata.get("fps", 1.0)
        if not 0 < fps <= 24:
            raise refuse([f"{path}.video_metadata.fps: must be in the range (0.0, 24.0]"])
        start, end = (
            seconds(metadata[name]) if name in metadata else None
            for name in ("startOffset", "endOffset")
        )
        if (start or 0.0) >= (video.duration if end is None else end):
            raise refuse([f"{path}.video_metadata: start_offset must be before end_offset"])
        if end is not None and end > video.duration + OFFSET_TOLERANCE:
            raise refuse(
                [f"{path}.video_metadata.end_offset: {end:g}s is beyond the end of the video"]
            )
        layers = metadata.get("contentLayers") or ["FRAMES", "AUDIO"]
        level = part.get("mediaResolution", {}).get("level") or config.get("mediaResolution") or ""
        return Clip(
            video,
            start=start or 0.0,
            end=video.duration if end is None else min(end, video.duration),
            start_offset=start,
            end_offset=end,
            fps=fps,
            high_resolution=level.endswith("_HIGH"),
            low_resolution=level.endswith("_LOW"),
            frames="FRAMES" in layers,
            audio="AUDIO" in layers,
        )

    def _video(self, part: dict[str, Any], path: str, project: str) -> Video:
        if "inlineData" in part:
            data = part["inlineData"].get("data", b"")
            if not data or not part["inlineData"].get("mimeType"):
                raise refuse([f"{path}.inline_data: data and mime_type are required"])
            duration, has_audio = probe(io.BytesIO(data)) or (self.settings.default_duration, True)
            return Video(hashlib.sha256(data).hexdigest(), duration, has_audio)
        uri = part["fileData"].get("fileUri", "")
        mime_type = part["fileData"].get("mimeType", "")
        url = urlsplit(uri)
        if url.scheme != "https" or not url.hostname:
            raise invalid(f"Invalid or unsupported file uri: {uri}")
        if url.hostname == "generativelanguage.googleapis.com":
            stored = self.files.by_uri(uri, project)
            if mime_type != stored.mime_type:
                raise refuse([f"{path}.file_data.mime_type: must be {stored.mime_type}"])
            return stored.video()
        if not mime_type and url.hostname not in YOUTUBE_HOSTS:
            raise refuse([f"{path}.file_data.mime_type: is required"])
        return Video(uri, self.settings.url_durations.get(uri, self.settings.default_duration))


def _prompt(body: dict[str, Any]) -> str:
    contents = [body.get("systemInstruction", {}), *body.get("contents", [])]
    return "\n".join(
        part["text"] for content in contents for part in content.get("parts", []) if "text" in part
    )


def _check_config(config: dict[str, Any]) -> None:
    where = "GenerateContentRequest.generation_config"
    problems = []
    limit = config.get("maxOutputTokens", 1)
    if not 1 <= limit <= OUTPUT_TOKEN_LIMIT:
        raise invalid(
            f"Unable to submit request because it has a maxOutputTokens value of {limit} but the "
            f"supported range is from 1 (inclusive) to {OUTPUT_TOKEN_LIMIT + 1} (exclusive). "
            "Update the value and try again."
        )
    if not 0.0 <= config.get("temperature", 1.0) <= 2.0:
        problems.append(f"{where}.temperature: must be in the range [0.0, 2.0]")
    if config.get("candidateCount", 1) != 1:
        problems.append(f"{where}.candidate_count: only one candidate can be specified")
    mime_type = config.get("responseMimeType", "text/plain")
    if mime_type not in _JSON_TYPES | {"text/plain"}:
        problems.append(
            f"{where}.response_mime_type: allowed mimetypes are `text/plain`, `application/json`, "
            "`application/xml`, `application/yaml` and `text/x.enum`."
        )
    schemas = [name for name in ("responseSchema", "responseJsonSchema") if name in config]
    if schemas and mime_type not in _JSON_TYPES:
        problems.append(f"{where}.response_mime_type: must be application/json with a schema")
    if len(schemas) > 1:
        problems.append(f"{where}: only one of response_schema and response_json_schema may be set")
    if "responseSchema" in config:
        problems += check_schema(config["responseSchema"], f"{where}.response_schema")
    if problems:
        raise refuse(problems)


def _thoughts(config: dict[str, Any], model: str) -> int:
    level, budget = config.get("thinkingLevel"), config.get("thinkingBudget")
    if level and budget is not None:
        raise invalid("You can only set only one of thinking budget and thinking level.")
    if level == "MINIMAL" and "lite" not in model:
        raise invalid("Thinking level MINIMAL is not supported for this model.")
    if budget is not None and budget >= 0:
        return min(int(budget), 256)
    if level in _THOUGHTS:
        return _THOUGHTS[level]
    return _THOUGHTS["MINIMAL" if "lite" in model else "MEDIUM"]
