"""What the files are that were named: looked into once a file, remembered among the results."""

import os
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from reelmake.config import Config
from reelmake.errors import ReelmakeError
from reelmake.inputs import checks
from reelmake.inputs.mentions import Mention, Problem
from reelmake.probes import Probe, ProbeCache, Unusable
from reelmake.probing import probe_all
from reelmake.results import Results
from reelmake.targets import is_url

Content = Probe | Unusable | Problem
"""What a file is, why its content can't be used, or why it can't even be opened."""
_SAVE_EVERY_S = 10.0
"""Seconds after which what was found is written, so that an interruption loses little."""


def contents_of(
    mentions: Iterable[Mention], config: Config, *, probe: bool
) -> dict[str, Content | None]:
    """What each file is, by its path: opened once, then remembered."""
    files = dict.fromkeys(mention.video for mention in mentions if not is_url(mention.video))
    contents: dict[str, Content | None] = {}
    cache = ProbeCache(Results(Path(config.results)).probes)
    unknown: dict[str, os.stat_result] = {}
    for path in filter(None, files):
        contents[path] = checks.problem_of_file(path, config)
        if contents[path] is not None:
            continue
        try:
            status = os.stat(path)
        except OSError as error:  # taken away in this very moment, or out of reach
            contents[path] = Problem("video_missing", f"can't be reached: {error.strerror}")
            continue
        contents[path] = cache.get(path, status)
        if contents[path] is None:
            unknown[path] = status
    if unknown and probe:
        contents |= _probed(unknown, cache)
    return contents


def _probed(unknown: dict[str, os.stat_result], cache: ProbeCache) -> dict[str, Probe | Unusable]:
    found: dict[str, Probe | Unusable] = {}
    lasting: list[tuple[str, os.stat_result, Probe | Unusable]] = []
    due = time.monotonic() + _SAVE_EVERY_S
    try:
        for path, result, worth_keeping in probe_all(list(unknown)):
            found[path] = result
            if worth_keeping:
                lasting.append((path, unknown[path], result))
            if time.monotonic() >= due:
                _remember(lasting, cache)
                lasting.clear()
                due = time.monotonic() + _SAVE_EVERY_S
    except KeyboardInterrupt:
        done = f"{len(found):,} of {len(unknown):,}"
        message = f"Stopped while looking into videos: {done} are known, the next run goes on."
        raise ReelmakeError("interrupted", message) from None
    finally:
        _remember(lasting, cache)
    return found


def _remember(
    found: Sequence[tuple[str, os.stat_result, Probe | Unusable]], cache: ProbeCache
) -> None:
    try:
        if found:
            cache.add(found)
    except OSError as error:  # a dry run in a folder that may only be read is none the worse
        sys.stderr.write(f"What the videos are can't be remembered: {error}\n")
