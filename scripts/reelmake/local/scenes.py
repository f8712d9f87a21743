"""Where the picture changes: slides, screencasts and films, from one small grey frame a second."""

from collections.abc import Iterable, Sequence
from statistics import median

import numpy as np

from reelmake.local.records import Scene
from reelmake.media import Frame

_MIN_CHANGE = 4.0  # mean difference of grey levels; typing changes less
_STANDS_OUT = 2.5  # times what is usual around it, so that a moving picture is no change
_AROUND = 4  # samples on each side
_MAX_SCENES = 200


def find_scenes(frames: Iterable[Frame], end_s: float) -> list[Scene]:
    """The scenes in order, without gaps; when there are too many, the clearest changes count."""
    times: list[float] = []
    changes: list[float] = []
    before: Frame | None = None
    for frame in frames:
        times.append(frame.time_s)
        changes.append(_difference(before, frame) if before is not None else 0.0)
        before = frame
    if not times:
        return []
    cuts = [index for index in range(1, len(times)) if _is_cut(changes, index)]
    strongest = sorted(cuts, key=lambda index: -changes[index])[: _MAX_SCENES - 1]
    starts = [0, *sorted(strongest)]
    ends = [*starts[1:], len(times)]
    return [
        Scene(
            start_s=round(times[first], 2),
            end_s=round(times[after] if after < len(times) else max(end_s, times[-1]), 2),
            still_s=round(times[_still(changes, first, after)], 2),
        )
        for first, after in zip(starts, ends, strict=True)
    ]


def choose_scenes(scenes: Sequence[Scene], limit: int) -> list[Scene]:
    """At most ``limit``, in order: the longest, as slides stay and shots of a film don't."""
    longest = sorted(scenes, key=lambda scene: scene.start_s - scene.end_s)[:limit]
    return sorted(longest, key=lambda scene: scene.start_s)


def _difference(before: Frame, after: Frame) -> float:
    if before.pixels.shape != after.pixels.shape:
        return 255.0
    return float(np.abs(after.pixels.astype(np.int16) - before.pixels).mean())


def _is_cut(changes: Sequence[float], index: int) -> bool:
    around = [*changes[max(index - _AROUND, 1) : index], *changes[index + 1 : index + 1 + _AROUND]]
    usual = median(around) if around else 0.0
    return changes[index] >= max(_MIN_CHANGE, _STANDS_OUT * usual)


def _still(changes: Sequence[float], first: int, after: int) -> int:
    """The last sample that isn't amid a change; the very last may already fade out."""
    calm = [index for index in range(first + 1, after) if changes[index] < _MIN_CHANGE]
    return calm[-1] if calm else (first + after - 1) // 2
