from pathlib import Path

import av
import numpy as np

from reelmake.analysis import Analysis, Chapter, Engine, KeyMoment, VideoFacts
from reelmake.frames import cited_times, pictures_in, write_frames
from sample_videos import BLACK, RED, Scene, checkerboard, make_video


def analysis(chapters: list[tuple[float, float]], moments: list[float]) -> Analysis:
    return Analysis(
        name="x",
        template="study_notes",
        language="en",
        engine=Engine(name="local", model="m", version="v"),
        video=VideoFacts(source="x.mp4"),
        title="",
        overview="",
        chapters=[Chapter(start_s=a, end_s=b, title="", summary="") for a, b in chapters],
        key_moments=[KeyMoment(time_s=time_s, why="", shown="") for time_s in moments],
        created="2026-11-24T12:00:00Z",
    )


def test_chapters_without_a_key_moment_are_shown_a_little_after_they_begin() -> None:
    found = cited_times(analysis([(0, 10), (10, 20), (20, 21), (21, 90)], [12.0, 90.0]))
    assert found == [2.0, 12.0, 20.5, 23.0, 90.0]


def test_without_chapters_only_key_moments_are_shown() -> None:
    assert cited_times(analysis([], [3.0, 1.0])) == [1.0, 3.0]


def test_pictures_are_named_by_their_moment_and_never_black(tmp_path: Path) -> None:
    upside_down = 255 - checkerboard()
    scenes: list[Scene] = [(BLACK, 2.0), (checkerboard(), 2.0), (upside_down, 2.0), (RED, 2.0)]
    video = make_video(tmp_path / "x.mp4", scenes)
    folder = tmp_path / "reports/x.assets"
    write_frames(video, [0.2, 1.6, 1.9, 4.5], folder)
    found = pictures_in(folder, relative_to=folder.parent)
    assert [picture.path for picture in found] == ["x.assets/00-01.jpg", "x.assets/00-04.jpg"]
    for picture in found:
        with av.open(str(folder.parent / picture.path)) as jpeg:
            pixels = next(jpeg.decode(video=0)).to_ndarray(format="gray")
        assert float(np.asarray(pixels).std()) > 50  # the board: sharp, full of contrast


def test_a_slide_that_stays_is_shown_once_and_one_more_line_on_it_is_another_one(
    tmp_path: Path,
) -> None:
    slide = np.full((240, 320, 3), 250, np.uint8)
    slide[30:42, 20:200] = 20
    longer = slide.copy()
    longer[60:72, 20:120] = 20
    scenes: list[Scene] = [(slide, 6.0), (longer, 6.0), (slide, 6.0)]
    video = make_video(tmp_path / "x.mp4", scenes, size=(320, 240))
    write_frames(video, [1, 4, 8, 10, 14], tmp_path / "frames")
    names = sorted(path.name for path in (tmp_path / "frames").iterdir())
    assert names == ["00-01.jpg", "00-08.jpg", "00-14.jpg"]
