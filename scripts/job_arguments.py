"""What a rule tells its job, for those that do it: a script of Snakemake's, or the gateway."""

from itertools import chain
from typing import Any


def arguments_of(job: Any) -> dict[str, Any]:
    """Named inputs, outputs and params, and the log: strings, numbers and lists of them.

    ``job`` is one of the scheduler's, or the ``snakemake`` of a script.
    """
    named = chain(job.input.items(), job.output.items(), job.params.items())
    return {**dict(named), "log": job.log[0]}
