"""Which analyses answer what would be asked now, by what they themselves tell."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from reelmake.analysis import VideoFacts
from reelmake.config import Config
from reelmake.errors import ReelmakeError
from reelmake.facts import video_facts
from reelmake.planning.plan import engine_of, known_analysis
from reelmake.planning.reasons import Reason
from reelmake.results import Results
from reelmake.targets import Target


def answered(config: Config, targets: Iterable[Target]) -> set[tuple[str, str]]:
    """The keys of those targets.

    No video is read: one of the same size is taken for the one that was analysed.
    """
    return asyncio.run(_answered(config, targets))


async def _answered(config: Config, targets: Iterable[Target]) -> set[tuple[str, str]]:
    results, engine = Results(Path(config.results)), engine_of(config, ())
    found = set()
    for target in targets:
        analysis = known_analysis(results, target)
        facts = _facts(target, analysis.video) if analysis else None
        if facts and (await engine.needs(target, facts, analysis)).change == Reason.NONE:
            found.add(target.key)
    return found


def _facts(target: Target, analysed: VideoFacts) -> VideoFacts | None:
    """Those of a target's video; None if it is another one than was analysed."""
    try:
        facts = video_facts(target, _Analysed(analysed))
    except ReelmakeError:
        return None
    return facts if facts.size_bytes == analysed.size_bytes else None


class _Analysed:
    """Takes each video for the one that was analysed."""

    def __init__(self, video: VideoFacts) -> None:
        self._sha256 = video.sha256 or ""

    def sha256(self, _: Path, /) -> str:
        return self._sha256
