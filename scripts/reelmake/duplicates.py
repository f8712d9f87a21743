"""Videos of the same content under several names: analysed once, and that is worth saying."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from reelmake.checksums import Checksums
from reelmake.targets import Target
from reelmake.translation import say_on_terminal


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
    say = say_on_terminal()
    lines = [
        say(
            "The same video, analysed once for each template: {names}",
            names=say(", ").join(group),
        )
        for group in groups[:at_most]
    ]
    if len(groups) > at_most:
        lines.append(say("… and {count:,} more such groups", count=len(groups) - at_most))
    return "".join(f"{line}\n" for line in lines)
