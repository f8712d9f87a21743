"""Pictures of key moments: found near each moment, named by its time."""

from collections.abc import Iterable
from pathlib import Path

from reelmake.analysis import Analysis
from reelmake.media import best_frame, write_jpeg
from reelmake.report import Picture
from reelmake.timestamps import format_clock, parse_clock


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
    """One JPEG a moment, such as ``01-23.jpg``; a moment of the same second has the same one."""
    folder.mkdir(parents=True, exist_ok=True)
    for clock, time_s in {format_clock(time_s): time_s for time_s in times_s}.items():
        frame = best_frame(video, time_s)
        if frame is not None:
            write_jpeg(frame, folder / f"{clock.replace(':', '-')}.jpg")


def pictures_in(folder: Path, *, relative_to: Path) -> list[Picture]:
    """The pictures of a report's folder, in order of time."""
    pictures = [
        Picture(parse_clock(file.stem.replace("-", ":")), file.relative_to(relative_to).as_posix())
        for file in folder.glob("*.jpg")
    ]
    return sorted(pictures, key=lambda picture: picture.time_s)
