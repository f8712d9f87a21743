import io
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from reelmake import media
from reelmake.errors import ReelmakeError
from reelmake.probes import Probe
from sample_videos import BLACK, BLUE, GREEN, RED, Scene, checkerboard, make_sound, make_video, tone


def failure(path: Path) -> str:
    with pytest.raises(ReelmakeError) as raised:
        media.probe(path)
    assert path.name in raised.value.message
    return raised.value.code


def cut_short(path: Path, share: float = 0.5) -> Path:
    data = path.read_bytes()
    cut = path.with_stem("cut")
    cut.write_bytes(data[: int(len(data) * share)])
    return cut


def colour(frame: media.Frame) -> str:
    return ("red", "green", "blue")[int(frame.pixels.mean(axis=(0, 1)).argmax())]


# --- probe


def test_probe_measures_a_video(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", [(RED, 3)], sound="tone", title=" Light and shadow ")
    found = media.probe(path)
    assert found.duration_s == pytest.approx(3, abs=0.1)
    assert found == Probe(
        duration_s=found.duration_s,
        container="mp4",
        size_bytes=path.stat().st_size,
        width=320,
        height=180,
        frames_per_second=10,
        video_codec="h264",
        audio_codec="aac",
        rotation=0,
        title="Light and shadow",
    )


@pytest.mark.parametrize(
    ("suffix", "container"),
    [(".mov", "mov"), (".webm", "webm"), (".mkv", "matroska"), (".avi", "avi"), (".ts", "mpegts")],
)
def test_probe_knows_the_container_by_its_content(
    tmp_path: Path, suffix: str, container: str
) -> None:
    path = make_video(tmp_path / f"a{suffix}", [(RED, 3)])
    disguised = path.rename(tmp_path / "b.mp4")
    found = media.probe(disguised)
    assert (found.container, found.audio_codec, found.title) == (container, None, None)
    assert found.duration_s == pytest.approx(3, abs=0.2)


def test_a_turned_video_is_measured_and_shown_as_players_show_it(tmp_path: Path) -> None:
    left_red = np.full((180, 320, 3), BLUE, np.uint8)
    left_red[:, :160] = RED
    path = make_video(tmp_path / "a.mp4", [(left_red, 1)], rotation=90)
    found = media.probe(path)
    assert (found.rotation, found.width, found.height) == (90, 180, 320)
    (frame,) = media.frames_at(path, [0.5])
    assert frame.pixels.shape == (320, 180, 3)
    bottom = media.Frame(0, frame.pixels[200:])  # turned counterclockwise, left comes to the bottom
    assert colour(bottom) == "red"


def test_a_duration_that_the_file_does_not_tell_is_found(tmp_path: Path) -> None:
    live = make_video(tmp_path / "a.webm", [(RED, 4)], options={"live": "1"})
    with av.open(str(live)) as container:
        assert container.duration is None
    assert media.probe(live).duration_s == pytest.approx(4, abs=0.2)


def test_files_that_are_no_video_are_told_apart(tmp_path: Path) -> None:
    assert failure(tmp_path / "nowhere.mp4") == "video_missing"
    assert failure(tmp_path) == "video_unreadable"
    for name, content in {"empty.mp4": b"", "text.mp4": b"a shopping list\n" * 99}.items():
        (tmp_path / name).write_bytes(content)
        assert failure(tmp_path / name) == "video_unreadable"
    assert failure(make_sound(tmp_path / "sound.mp4")) == "video_without_pictures"


def test_a_playlist_is_not_followed(tmp_path: Path) -> None:
    target = make_video(tmp_path / "secret.ts", [(RED, 1)])
    playlist = tmp_path / "a.mp4"
    playlist.write_text(f"#EXTM3U\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n")
    assert failure(playlist) == "video_unreadable"


@pytest.mark.parametrize(
    ("suffix", "options"),
    [(".mp4", {}), (".mp4", {"movflags": "+faststart"}), (".webm", {}), (".mkv", {})],
)
def test_a_video_without_its_end_is_found_out(
    tmp_path: Path, suffix: str, options: dict[str, str]
) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (60, 180, 320, 3), dtype=np.uint8)
    scenes = [(picture, 0.1) for picture in noise]
    path = make_video(tmp_path / f"a{suffix}", scenes, options=options)
    media.probe(path)
    assert failure(cut_short(path)) == "video_truncated"


def test_pictures_of_absurd_size_are_refused(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.webm", [(RED, 0.2)], size=(8208, 16))
    assert failure(path) == "video_unreadable"


# --- sound


def test_sound_comes_as_16_khz_mono(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", [(RED, 2)], sound="tone")
    ((start, samples),) = media.audio_blocks(path)
    assert start == pytest.approx(0, abs=0.05)
    assert samples.dtype == np.float32
    assert len(samples) == pytest.approx(32_000, abs=1600)
    loudest = np.abs(np.fft.rfft(samples[8000:24_000])).argmax()
    assert loudest == 440


def test_a_part_of_the_sound_begins_and_ends_where_asked(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", [(RED, 8)], sound=np.r_[tone(5), tone(3, 880)])
    ((start, samples),) = media.audio_blocks(path, 4.5, 6.0)
    assert start == pytest.approx(4.5, abs=0.05)
    assert len(samples) == pytest.approx(24_000, abs=1000)
    assert np.abs(np.fft.rfft(samples[-14_000:])).argmax() == pytest.approx(880 * 14 / 16, abs=2)


def test_long_sound_comes_in_blocks_cut_at_silence_with_nothing_lost(tmp_path: Path) -> None:
    silence = np.zeros(24_000, np.float32)
    path = make_video(
        tmp_path / "a.mkv", [(RED, 9)], sound=np.r_[tone(3), silence, tone(2.5), silence, tone(2)]
    )
    blocks = list(media.audio_blocks(path, block_s=4))
    assert [start for start, _ in blocks] == [
        pytest.approx(0, abs=0.1),
        pytest.approx(3.25, abs=0.3),
        pytest.approx(6.25, abs=0.3),
    ]
    for (start, samples), (following, _) in pairwise(blocks):
        assert start + len(samples) / 16_000 == pytest.approx(following)
    assert sum(len(samples) for _, samples in blocks) == pytest.approx(8.5 * 16_000, abs=1600)


def test_sound_that_starts_late_keeps_its_time(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", [(RED, 9)], sound=tone(2), sound_offset_s=6)
    ((start, samples),) = media.audio_blocks(path)
    assert start == pytest.approx(6, abs=0.1)
    assert len(samples) == pytest.approx(32_000, abs=1600)


def test_a_silent_video_has_no_sound(tmp_path: Path) -> None:
    assert list(media.audio_blocks(make_video(tmp_path / "a.mp4"))) == []


# --- pictures


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".avi", ".ts"])
def test_frames_are_those_that_a_player_shows(tmp_path: Path, suffix: str) -> None:
    path = make_video(tmp_path / f"a{suffix}", [(RED, 2), (GREEN, 2), (BLUE, 2)])
    frames = media.frames_at(path, [1.0, 5.0, 3.0, 1.95, 99.0])
    assert [colour(frame) for frame in frames] == ["red", "blue", "green", "red", "blue"]


def test_samples_are_small_grey_and_evenly_spaced(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", [(RED, 3), (GREEN, 3)], size=(640, 360))
    frames = list(media.sample_frames(path, 1.0, 1.0, 5.0))
    assert [frame.time_s for frame in frames] == pytest.approx([1, 2, 3, 4, 5], abs=0.21)
    assert {frame.pixels.shape for frame in frames} == {(180, 320)}


def test_the_best_frame_is_neither_black_nor_blurred_nor_a_blend(tmp_path: Path) -> None:
    sharp, dull = checkerboard(), np.ascontiguousarray(checkerboard(cell=45))
    mixed = (sharp // 2 + np.array(GREEN, np.uint8) // 2).astype(np.uint8)
    scenes: list[Scene] = [(BLACK, 1.0), (dull, 0.6), (mixed, 0.2), (sharp, 2.0)]
    path = make_video(tmp_path / "a.mp4", scenes)
    frame = media.best_frame(path, 1.0)
    assert frame is not None
    assert 1.8 <= frame.time_s <= 2.5
    assert media.best_frame(path, 0.2, within_s=0.5) is None


def test_the_middle_of_a_cross_fade_is_not_chosen(tmp_path: Path) -> None:
    before, after = checkerboard(cell=9), checkerboard(cell=10)
    middle = ((before.astype(int) + after) // 2).astype(np.uint8)
    path = make_video(tmp_path / "a.mp4", [(before, 1.0), (middle, 0.2), (after, 1.0)], fps=5)
    frame = media.best_frame(path, 1.0, within_s=0.5)
    assert frame is not None
    assert frame.time_s != pytest.approx(1.0, abs=0.05)


def test_a_still_scene_gives_the_frame_nearest_to_the_moment(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", [(checkerboard(), 5)])
    frame = media.best_frame(path, 3.0)
    assert frame is not None
    assert frame.time_s == pytest.approx(3.0, abs=0.15)


def test_a_jpeg_is_written_at_most_so_wide(tmp_path: Path) -> None:
    pixels = checkerboard(640, 360, cell=40)
    path = tmp_path / "deep" / "a.jpg"
    media.write_jpeg(media.Frame(0.0, pixels), path, max_width=320)
    with av.open(io.BytesIO(path.read_bytes()), "r") as image:
        picture = next(image.decode(video=0))
    assert (picture.width, picture.height) == (320, 180)
    small = picture.to_ndarray(format="gray").astype(int)
    assert abs(small - pixels[::2, ::2, 0]).mean() < 12
    media.write_jpeg(media.Frame(0.0, pixels), tmp_path / "same.jpg", max_width=320)
    assert (tmp_path / "same.jpg").read_bytes() == path.read_bytes()
