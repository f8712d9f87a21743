"""Videos of the same content under several names: analysed once, and that is worth saying."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from reelmake.checksums import Checksums
from reelmake.targets import Target


def same_content(targets: Iterable[Target], checksums: Checksums) -> list[list[str]]:
    """Groups of paths whose checksums are known and equal; no video is read for it."""
    by_size: dict[tuple[int, float], set[str]] = defaultdict(set)
    for target in targets:
        if target.probe:
            by_size[target.probe.size_bytes, target.probe.duration_s].add(target.video)
    by_content: dict[str, list[str]] = defaultdict(list)
    for paths in by_size.values():
        for path in sorted(paths) if len(paths) > 1 else []:
            known = checksums.known(Path(path))
            if known:
                by_content[known].append(path)
    return [paths for paths in by_content.values() if len(paths) > 1]


def told(groups: list[list[str]], *, at_most: int = 20) -> str:
    """A line for each group, for the terminal; empty when there is none."""
    lines = [
        f"The same video, analysed once for each template: {', '.join(group)}\n"
        for group in groups[:at_most]
    ]
    more = len(groups) - at_most
    return "".join(lines) + (f"… and {more:,} more such groups\n" if more > 0 else "")
