"""Strict checks of request bodies: every field known, every value of its type, as the service does.

`TYPES` is the wire format as far as reelmake can use it. Its source is the public protos
(google-ai-generativelanguage 0.12.1, v1beta). Fields that are known from the SDK (3.6.1) only:

- GenerateContentRequest: serviceTier, store
- Part: mediaProcessing, mediaResolution (with PartMediaResolution: level, numTokens)
- VideoMetadata: contentLayers
- GenerationConfig: audioTranscriptionConfig, responseFormat (left out here)
- ThinkingConfig: thinkingLevel
- Schema: additionalProperties, ref, defs (refused here, as by the protos)

Tools, cached content and streaming are left out: a request that has them is refused.

The service reads protobuf JSON, where a field may be spelled in lowerCamelCase or snake_case; the
SDK sends both in one body (`fileData: {file_uri: …}`), so both are taken here and the checked copy
is all lowerCamelCase.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from .errors import ServiceError, invalid

_PROTO = "type.googleapis.com/google.ai.generativelanguage.v1beta."
_WRONG = object()
_DURATION = re.compile(r"\d+(\.\d{1,9})?s")

# A type is a scalar, the name of a message or enum, or `[]` (repeated) or `{}` (map) of one.
TYPES: dict[str, dict[str, str]] = {
    "GenerateContentRequest": {
        "model": "string",
        "contents": "[]Content",
        "systemInstruction": "Content",
        "safetySettings": "[]SafetySetting",
        "generationConfig": "GenerationConfig",
        "serviceTier": "ServiceTier",
        "store": "bool",
    },
    "CountTokensRequest": {
        "contents": "[]Content",
        "generateContentRequest": "GenerateContentRequest",
    },
    "BatchGenerateContentRequest": {"batch": "GenerateContentBatch"},
    "GenerateContentBatch": {
        "model": "string",
        "displayName": "string",
        "inputConfig": "InputConfig",
        "priority": "int64",
    },
    "InputConfig": {"fileName": "string"},
    "CreateFileRequest": {"file": "File"},
    "File": {"name": "string", "displayName": "string", "mimeType": "string", "sizeBytes": "int64"},
    "Content": {"role": "string", "parts": "[]Part"},
    "Part": {
        "text": "string",
        "fileData": "FileData",
        "inlineData": "Blob",
        "videoMetadata": "VideoMetadata",
        "mediaResolution": "PartMediaResolution",
        "mediaProcessing": "MediaProcessing",
        "thought": "bool",
        "thoughtSignature": "bytes",
        "partMetadata": "any",
    },
    "FileData": {"fileUri": "string", "mimeType": "string"},
    "Blob": {"data": "bytes", "mimeType": "string"},
    "VideoMetadata": {
        "startOffset": "duration",
        "endOffset": "duration",
        "fps": "float",
        "contentLayers": "[]ContentLayer",
    },
    "PartMediaResolution": {"level": "PartMediaResolutionLevel", "numTokens": "int32"},
    "SafetySetting": {"category": "HarmCategory", "threshold": "HarmBlockThreshold"},
    "GenerationConfig": {
        "candidateCount": "int32",
        "stopSequences": "[]string",
        "maxOutputTokens": "int32",
        "temperature": "float",
        "topP": "float",
        "topK": "float",
        "seed": "int32",
        "presencePenalty": "float",
        "frequencyPenalty": "float",
        "responseMimeType": "string",
        "responseSchema": "Schema",
        "responseJsonSchema": "any",
        "responseModalities": "[]Modality",
        "mediaResolution": "MediaResolution",
        "thinkingConfig": "ThinkingConfig",
    },
    "ThinkingConfig": {
        "includeThoughts": "bool",
        "thinkingBudget": "int32",
        "thinkingLevel": "ThinkingLevel",
    },
    "Schema": {
        "type": "Type",
        "format": "string",
        "title": "string",
        "description": "string",
        "nullable": "bool",
        "enum": "[]string",
        "items": "Schema",
        "minItems": "int64",
        "maxItems": "int64",
        "properties": "{}Schema",
        "required": "[]string",
        "minProperties": "int64",
        "maxProperties": "int64",
        "minimum": "float",
        "maximum": "float",
        "minLength": "int64",
        "maxLength": "int64",
        "pattern": "string",
        "example": "any",
        "default": "any",
        "anyOf": "[]Schema",
        "propertyOrdering": "[]string",
    },
}
_RESOLUTIONS = "MEDIA_RESOLUTION_UNSPECIFIED MEDIA_RESOLUTION_LOW MEDIA_RESOLUTION_MEDIUM "
_RESOLUTIONS += "MEDIA_RESOLUTION_HIGH"
ENUMS: dict[str, frozenset[str]] = {
    name: frozenset(values.split())
    for name, values in {
        "ServiceTier": "UNSPECIFIED FLEX STANDARD PRIORITY",
        "MediaProcessing": "MEDIA_PROCESSING_UNSPECIFIED STATIC AGENTIC",
        "ContentLayer": "CONTENT_LAYER_UNSPECIFIED FRAMES AUDIO TRANSCRIPT",
        "MediaResolution": _RESOLUTIONS,
        "PartMediaResolutionLevel": f"{_RESOLUTIONS} MEDIA_RESOLUTION_ULTRA_HIGH",
        "Modality": "MODALITY_UNSPECIFIED TEXT IMAGE AUDIO",
        "ThinkingLevel": "THINKING_LEVEL_UNSPECIFIED MINIMAL LOW MEDIUM HIGH",
        "Type": "STRING NUMBER INTEGER BOOLEAN ARRAY OBJECT NULL",
        "HarmCategory": "HARM_CATEGORY_HARASSMENT HARM_CATEGORY_HATE_SPEECH "
        "HARM_CATEGORY_SEXUALLY_EXPLICIT HARM_CATEGORY_DANGEROUS_CONTENT "
        "HARM_CATEGORY_CIVIC_INTEGRITY",
        "HarmBlockThreshold": "HARM_BLOCK_THRESHOLD_UNSPECIFIED BLOCK_LOW_AND_ABOVE "
        "BLOCK_MEDIUM_AND_ABOVE BLOCK_ONLY_HIGH BLOCK_NONE OFF",
    }.items()
}
_SCALARS = {
    "string": "TYPE_STRING",
    "bool": "TYPE_BOOL",
    "bytes": "TYPE_BYTES",
    "int32": "TYPE_INT32",
    "int64": "TYPE_INT64",
    "float": "TYPE_FLOAT",
    "duration": "type.googleapis.com/google.protobuf.Duration",
}


def check(value: Any, type_name: str) -> dict[str, Any]:
    """The body in lowerCamelCase, or a 400 that names every field at fault."""
    checker = _Checker()
    checked = checker.convert(value, type_name, "")
    if checker.violations:
        text = "\n".join(description for _, description in checker.violations)
        raise invalid(text, checker.violations)
    if not isinstance(checked, dict):
        raise invalid("Invalid JSON payload received. Expected an object.")
    return checked


def check_schema(schema: dict[str, Any], path: str) -> list[str]:
    """What is wrong with a responseSchema beyond its fields, in the service's words."""
    kind = schema.get("type")
    problems = [] if kind or schema.get("anyOf") else [f"{path}.type: must be specified"]
    problems += _check_properties(schema, path) + _check_enum(schema, path)
    if kind == "ARRAY" and "items" not in schema:
        problems.append(f"{path}.items: missing field.")
    if kind == "STRING" and schema.get("format", "enum") not in ("enum", "date-time"):
        problems.append(f"{path}.format: only 'enum' and 'date-time' are supported for STRING type")
    children = {f"properties[{name}]": it for name, it in schema.get("properties", {}).items()}
    children |= {f"any_of[{index}]": it for index, it in enumerate(schema.get("anyOf", []))}
    if "items" in schema:
        children["items"] = schema["items"]
    for name, child in children.items():
        problems += check_schema(child, f"{path}.{name}")
    return problems


def _check_properties(schema: dict[str, Any], path: str) -> list[str]:
    properties = schema.get("properties", {})
    if schema.get("type") != "OBJECT":
        return [f"{path}.properties: only allowed for OBJECT type"] if properties else []
    if not properties:
        return [f"{path}.properties: should be non-empty for OBJECT type"]
    return [
        f"{path}.{_snake(key)}[{index}]: property is not defined"
        for key in ("required", "propertyOrdering")
        for index, name in enumerate(schema.get(key, []))
        if name not in properties
    ]


def _check_enum(schema: dict[str, Any], path: str) -> list[str]:
    values = schema.get("enum", [])
    if values and schema.get("type") not in ("STRING", "INTEGER", "NUMBER"):
        return [f"{path}.enum: only allowed for STRING type"]
    return [f"{path}.enum[{i}]: cannot be empty" for i, text in enumerate(values) if not text]


def seconds(duration: str) -> float:
    """The value of a protobuf JSON duration, `12.5s`."""
    return float(duration.removesuffix("s"))


def unknown_name(name: str, path: str) -> str:
    where = f" at '{path}'" if path else ""
    return f'Invalid JSON payload received. Unknown name "{name}"{where}: Cannot find field.'


class _Checker:
    """Walks a body beside `TYPES`, collecting every violation rather than the first."""

    def __init__(self) -> None:
        self.violations: list[tuple[str, str]] = []

    def convert(self, value: Any, type_name: str, path: str) -> Any:
        inner = type_name[2:]
        if type_name.startswith("[]") and isinstance(value, list):
            return [self.convert(it, inner, f"{path}[{i}]") for i, it in enumerate(value)]
        if type_name.startswith("{}") and isinstance(value, dict):
            return {
                key: self.convert(item, inner, f"{path}[{index}].value")
                for index, (key, item) in enumerate(value.items())
            }
        if type_name in TYPES:
            return self._message(value, type_name, path)
        name = value.upper() if isinstance(value, str) else ""
        converted = name if name in ENUMS.get(type_name, ()) else _scalar(value, type_name)
        return self._wrong(value, type_name, path) if converted is _WRONG else converted

    def _message(self, value: Any, type_name: str, path: str) -> Any:
        if not isinstance(value, dict):
            return self._wrong(value, type_name, path)
        fields = TYPES[type_name]
        checked: dict[str, Any] = {}
        for key, item in value.items():
            name = _camel(key)
            if name not in fields or (name != key and _snake(name) != key):
                self.violations.append((path, unknown_name(key, path)))
            elif name in checked:
                text = f"Invalid value at '{path}' (oneof), field '{_snake(name)}' is already set."
                self.violations.append((path, text))
            elif item is not None:
                inner = f"{path}.{_snake(name)}" if path else _snake(name)
                checked[name] = self.convert(item, fields[name], inner)
        return checked

    def _wrong(self, value: Any, type_name: str, path: str) -> None:
        shown = f'"{value}"' if isinstance(value, str) else str(value)
        kind = _SCALARS.get(type_name, _PROTO + type_name)
        self.violations.append((path, f"Invalid value at '{path}' ({kind}), {shown[:200]}"))


def _scalar(value: Any, type_name: str) -> Any:
    """The value of a scalar type, or `_WRONG`."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    converted: Any = _WRONG
    match type_name:
        case "any":
            converted = value
        case "string" if isinstance(value, str):
            converted = value
        case "bool" if isinstance(value, bool):
            converted = value
        case "float" if number:
            converted = float(value)
        case "int32" | "int64" if number and value == int(value):
            converted = int(value)
        case "int64" if isinstance(value, str) and re.fullmatch(r"-?\d+", value):
            converted = int(value)
        case "duration" if isinstance(value, str) and _DURATION.fullmatch(value):
            converted = value
        case "bytes" if isinstance(value, str):
            converted = _bytes(value)
    return converted


def _bytes(text: str) -> Any:
    """Base64 of either alphabet: the SDK sends the URL-safe one."""
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except binascii.Error:
        return _WRONG


def refuse(problems: list[str]) -> ServiceError:
    """The 400 for checks beyond JSON's shape: one starred line each."""
    return invalid("\n".join(f"* {problem}" for problem in problems))


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda match: "_" + match[0].lower(), name)
