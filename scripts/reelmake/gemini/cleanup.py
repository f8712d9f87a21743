"""Deleting all that these results have uploaded, of all keys in the environment."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from reelmake.config import GeminiSettings
from reelmake.errors import ReelmakeError
from reelmake.gemini.batches.records import BatchRecords
from reelmake.gemini.failures import classify
from reelmake.gemini.keys import api_keys
from reelmake.gemini.projects import Project, Projects
from reelmake.gemini.uploads import UploadRecords, is_of_project
from reelmake.results import Results

_AT_ONCE = 8


async def cleanup_remote(settings: GeminiSettings, results: Results) -> tuple[str, bool]:
    """Delete what is on record, and nothing else; what happened, and whether all is gone.

    Raises ReelmakeError ``key_missing`` when there is something to delete and no key, and
    ``uploads_needed`` while batches need it: they would be asked again, for more.
    """
    records = UploadRecords(results.uploads)
    names = records.names()
    if not names:
        return f"Nothing is on record as uploaded from {results.root}.\n", True
    if waiting := len(BatchRecords(results.batches).open()):
        what = f"what was uploaded is needed by batches that have not ended: {waiting}"
        raise ReelmakeError("uploads_needed", what)
    if not api_keys() and not settings.vertex:
        message = f"{len(names):,} uploads are on record, and there is no key to delete them with"
        raise ReelmakeError("key_missing", message)
    async with Projects(settings, api_keys(), results) as projects:
        deleting = [
            _delete(project, [name for name in names if is_of_project(name, project.fingerprint)])
            for project in projects.all
        ]
        outcomes = [outcome for some in await asyncio.gather(*deleting) for outcome in some]
    counts = Counter(outcome for _, outcome in outcomes)
    deleted, gone = counts.pop("deleted", 0), counts.pop("gone", 0)
    others = len(names) - len(outcomes)
    lines = [f"{deleted:,} deleted, {gone:,} were gone already: uploads expire after 48 hours."]
    lines += [f"{count:,} could not be deleted: {why}." for why, count in counts.items()]
    if others:
        lines.append(f"{others:,} of keys that are not in the environment now were left.")
    return "\n".join(lines) + "\n", not counts and not others


async def _delete(project: Project, names: Sequence[str]) -> list[tuple[str, str]]:
    """Each name, and ``deleted``, ``gone`` or what went wrong."""
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def delete(name: str) -> tuple[str, str]:
        async with at_once:
            try:
                there = await project.uploads.delete_named(name)
            except Exception as error:  # noqa: BLE001  the others are deleted all the same
                return name, classify(error).message
            return name, "deleted" if there else "gone"

    return list(await asyncio.gather(*map(delete, names)))
