"""Pictures of key moments: found near each moment, named by its time."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reelmake.analysis import Analysis
from reelmake.media import Pixels, best_frame, write_jpeg
from reelmake.report import Picture
from reelmake.timestamps import format_clock, parse_clock

Cells = NDArray[np.float64]

_GRID = 32
# Of 255 levels; what compression does to the mean of a cell stays far below.
_SAME = 8.0


def cited_times(analysis: Analysis) -> list[float]:
    """The moments that a report shows: its key moments, and the chapters that have none.

    A chapter is shown a little after it began, when its first slide is there.
    """
    moments = [moment.time_s for moment in analysis.key_moments]
    for chapter in analysis.chapters:
        if not any(chapter.start_s <= time_s < chapter.end_s for time_s in moments):
            middle = (chapter.start_s + chapter.end_s) / 2
            moments.append(min(chapter.start_s + 2, middle))
    return sorted(moments)


def write_frames(video: Path, times_s: Iterable[float], folder: Path) -> None:
    """One JPEG a moment, such as ``01-23.jpg``; a moment of the same second has the same one.

    A moment that looks like the one before, such as a slide that stays, has none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before: Cells | None = None
    for clock, time_s in {format_clock(time_s): time_s for time_s in sorted(times_s)}.items():
        frame = best_frame(video, time_s)
        if frame is None:
            continue
        cells = _cells(frame.pixels)
        if before is None or not _alike(before, cells):
            write_jpeg(frame, folder / f"{clock.replace(':', '-')}.jpg")
            before = cells


def _cells(pixels: Pixels) -> Cells:
    """Mean brightness in a grid fine enough for one more line on a slide to show."""
    height, width = pixels.shape[:2]
    rows = np.arange(min(_GRID, height)) * height // min(_GRID, height)
    columns = np.arange(min(_GRID, width)) * width // min(_GRID, width)
    sums = np.add.reduceat(
        np.add.reduceat(pixels.sum(axis=2, dtype=np.float64), rows, axis=0), columns, axis=1
    )
    areas = np.outer(np.diff(rows, append=height), np.diff(columns, append=width))
    cells: Cells = sums / areas / 3
    return cells


def _alike(cells: Cells, others: Cells) -> bool:
    return cells.shape == others.shape and bool(np.abs(cells - others).max() < _SAME)


def pictures_in(folder: Path, *, relative_to: Path) -> list[Picture]:
    """The pictures of a report's folder, in order of time."""
    pictures = [
        Picture(parse_clock(file.stem.replace("-", ":")), file.relative_to(relative_to).as_posix())
        for file in folder.glob("*.jpg")
    ]
    return sorted(pictures, key=lambda picture: picture.time_s)
