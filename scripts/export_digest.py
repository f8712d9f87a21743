"""Rule export_digest: a digest → its web page."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from job_arguments import arguments_of
from reelmake.digests import write_digest_page
from reelmake.jobs import Outcome

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


class Arguments(BaseModel):
    digest: Path
    page: Path


def command(arguments: Mapping[str, Any]) -> Outcome:
    given = Arguments.model_validate(arguments)
    write_digest_page(given.digest, given.page)
    return Outcome()


if __name__ == "__main__":
    command(arguments_of(snakemake)).exit()
