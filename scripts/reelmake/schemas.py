"""The schemas in ``schemas/``, made from the records that they describe: ``make schemas``."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from reelmake.analysis import Analysis
from reelmake.config import Config
from reelmake.targets import Target


class _WithoutTitles(GenerateJsonSchema):
    """A title would only repeat the key."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False


RECORDS: dict[str, type[BaseModel]] = {"analysis": Analysis, "config": Config, "target": Target}


def schema_text(record: type[BaseModel]) -> str:
    """The JSON schema of a record, as YAML."""
    schema: dict[str, Any] = record.model_json_schema(schema_generator=_WithoutTitles)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    comment = f"# Made by `make schemas` from {record.__module__}.{record.__name__}.\n"
    return comment + yaml.safe_dump(schema, allow_unicode=True, sort_keys=False, width=100)


def main(folder: Path) -> None:
    for name, record in RECORDS.items():
        (folder / f"{name}.schema.yaml").write_text(schema_text(record), encoding="utf-8")


if __name__ == "__main__":
    main(Path("schemas"))
