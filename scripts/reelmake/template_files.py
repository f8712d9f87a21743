"""What may stand in the YAML files of a template; closed, so that a typo is told, not passed."""

import contextlib
import math
import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from reelmake.config import Format
from reelmake.errors import ReelmakeError
from reelmake.sandbox import check_size
from reelmake.untrusted import is_bounded, shortened, shown

Part = Literal["title", "overview", "chapters", "transcript", "key_points", "key_moments", "terms"]
Value = str | int | float
_COMMON = ("title", "overview", "chapters", "transcript", "key_points", "key_moments", "terms")


def _text_or_number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError("expected text or a number")  # noqa: TRY004  pydantic collects these
    return value


def _key(name: str) -> str:
    # A layout says `fields.name`, which Jinja looks up among the methods of a mapping first.
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or hasattr(dict, name):
        raise ValueError("expected a name in lower_case that is no method of a Python dict")
    return name


Scalar = Annotated[Any, BeforeValidator(_text_or_number)]
Key = Annotated[str, AfterValidator(_key)]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
LanguageTag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Parameter(_Closed):
    """Something that a user may set; ``default`` says of what kind it is."""

    description: Text
    default: Scalar
    choices: list[Scalar] | None = None
    minimum: float | None = None

    def meant(self, value: Value) -> Value:
        """Text, which tables and command lines have, as a number where there is to be one."""
        if isinstance(value, str):
            kind: type[Value] = type(self.default)
            with contextlib.suppress(ValueError):
                return kind(value)
        return value

    def problem_of(self, value: Value) -> str | None:
        """Why the value can't be taken; None when it can."""
        value = self.meant(value)
        if self.choices is not None:
            allowed = ", ".join(map(repr, self.choices))
            problem = f"expected one of {allowed}, found {shown(value)}"
            return None if value in self.choices else problem
        kinds: dict[type, tuple[type, ...]] = {str: (str,), int: (int,), float: (int, float)}
        endless = isinstance(value, float) and not math.isfinite(value)
        if isinstance(value, bool) or not isinstance(value, kinds[type(self.default)]) or endless:
            names = {str: "text", int: "a whole number", float: "a number"}
            return f"expected {names[type(self.default)]}, found {shown(value)}"
        if self.minimum is not None and isinstance(value, (int, float)) and value < self.minimum:
            return f"expected {self.minimum:g} or more, found {shown(value)}"
        return None

    @model_validator(mode="after")
    def _default_is_a_choice(self) -> "Parameter":
        problem = self.problem_of(self.default)
        if problem:
            raise ValueError(f"default: {problem}")
        return self


class Generation(_Closed):
    """Settings of the model that the template insists on; only these are sent."""

    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    top_k: int | None = Field(None, ge=1)
    seed: int | None = None
    max_output_tokens: int | None = Field(None, ge=1)
    thinking_level: Literal["minimal", "low", "medium", "high"] | None = None


class Settings(_Closed):
    """``template.yaml``."""

    description: Text
    language: LanguageTag
    uses: list[Part]
    parameters: dict[Key, Parameter] = {}
    generation: Generation = Generation()
    formats: list[Format] = []


class FieldSchema(_Closed):
    """JSON schema, in the subset that Gemini's ``responseSchema`` takes."""

    type: Literal["object", "array", "string", "integer", "number", "boolean"]
    description: Text | None = None
    nullable: bool | None = None
    enum: list[str] | None = Field(None, min_length=1)
    properties: "dict[Key, FieldSchema] | None" = None
    required: list[str] | None = None
    items: "FieldSchema | None" = None
    minItems: int | None = Field(None, ge=0)  # noqa: N815  JSON schema's names
    maxItems: int | None = Field(None, ge=1)  # noqa: N815

    @model_validator(mode="after")
    def _keywords_fit_the_type(self) -> "FieldSchema":
        owners = {"properties": "object", "required": "object", "items": "array"}
        owners |= {"minItems": "array", "maxItems": "array", "enum": "string"}
        for keyword, owner in owners.items():
            if getattr(self, keyword) is not None and self.type != owner:
                raise ValueError(f"{keyword} belongs to type {owner}, found type {self.type}")
        if self.type == "array" and self.items is None:
            raise ValueError("an array needs items")
        if self.type == "object" and not self.properties:
            raise ValueError("an object needs properties")
        properties = self.properties or {}
        unknown = [name for name in self.required or [] if name not in properties]
        if unknown:
            raise ValueError(f"required names what is no property: {', '.join(unknown)}")
        for name in ("time", "start", "end"):
            if name in properties and properties[name].type != "string":
                raise ValueError(f"{name} is a timestamp MM:SS: expected type string")
        return self


class FieldsSchema(FieldSchema):
    """``fields.schema.yaml``: an object whose properties are none of the common parts."""

    type: Literal["object"]

    @model_validator(mode="after")
    def _no_common_part(self) -> "FieldsSchema":
        taken = [name for name in self.properties or {} if name in _COMMON]
        if taken:
            raise ValueError(f"a common part, name it under `uses:` instead: {', '.join(taken)}")
        return self


_Record = TypeVar("_Record", bound=BaseModel)


def read_yaml(file: Path) -> Any:
    """The content of a YAML file; ReelmakeError tells the line where it is none."""
    try:
        check_size(file)
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ReelmakeError("template_invalid", f"{file}{line}: {error.problem}") from None
    except ReelmakeError:
        raise
    except RecursionError:
        raise ReelmakeError("template_invalid", f"{file}: it is nested too deeply") from None
    except Exception as error:  # noqa: BLE001  a strange value makes PyYAML raise anything
        reason = shortened(str(error) or type(error).__name__)
        raise ReelmakeError("template_invalid", f"{file}: {reason}") from None
    if not is_bounded(content):
        raise ReelmakeError("template_invalid", f"{file}: its aliases multiply without end")
    return content


def read_record(file: Path, record: type[_Record]) -> _Record:
    """The content of a YAML file as a record; ReelmakeError lists all that doesn't fit."""
    try:
        return record.model_validate(read_yaml(file))
    except ValidationError as error:
        problems = [_explain(found) for found in error.errors(include_url=False)]
        raise ReelmakeError("template_invalid", "\n".join([f"{file}:", *problems])) from None


def _explain(found: Any) -> str:
    place = ".".join(str(part) for part in found["loc"] if part != "[key]") or "the file"
    if found["type"] == "extra_forbidden":
        return f"  {place}: unknown key"
    if found["type"] == "missing":
        return f"  {place}: missing; it is required"
    message = found["msg"].removeprefix("Value error, ").replace("Input should be", "expected", 1)
    if found["type"] == "value_error" and isinstance(found["input"], (dict, FieldSchema)):
        return f"  {place}: {message}"
    return f"  {place}: {message}, found {shown(found['input'])}"
