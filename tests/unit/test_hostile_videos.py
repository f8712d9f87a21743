"""Whatever is called a video is looked into in bounded time and memory, and never harms the run."""

import asyncio
import resource
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from hostile_videos import (
    FUZZED_SUFFIXES,
    Hostile,
    bombs,
    fuzzed,
    no_files,
    no_videos,
    polyglots_and_company,
    stop_the_clock,
    what_engines_do_with,
)
from reelmake import media
from reelmake.errors import ReelmakeError
from reelmake.gateway.workers import Workers
from reelmake.memory import MEMORY_BYTES
from reelmake.probes import Probe, Unusable
from reelmake.probing import probe_all
from sample_videos import RED, make_video, tone

ROOT = Path(__file__).parents[2]
# So long that it is no measure of a machine, and so short that what hangs is found out.
GUARD_S = 120.0


def probed(folder: Path, files: Iterable[Hostile]) -> dict[Hostile, Probe | Unusable]:
    paths = {}
    for file in files:
        file.make(folder / file.name)
        paths[str(folder / file.name)] = file
    found = probe_all(list(paths), timeout_s=GUARD_S)
    results = {}
    for path, result, judged in found:
        assert judged, (path, result)  # neither hung, nor crashed, nor raised what nobody expects
        results[paths[path]] = result
    return results


def check(found: dict[Hostile, Probe | Unusable], folder: Path) -> list[Path]:
    """All are what may be said of them; the paths of those that play."""
    playing = []
    for file, result in found.items():
        if isinstance(result, Unusable):
            assert result.code in file.codes, result
            assert file.name in result.message
            assert result.message.isprintable()
        else:
            assert "" in file.codes, (file.name, result)
            assert 0 < result.duration_s <= 7 * 24 * 3600
            assert result.width * result.height <= 8192 * 4320
            assert result.frames_per_second is None or result.frames_per_second > 0
            assert result.title is None or (result.title.isprintable() and len(result.title) <= 300)
            playing.append(folder / file.name)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 < MEMORY_BYTES
    return playing


def used_as_engines_do(paths: Iterable[Path], monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The codes of all failures, of decoding in processes like those of a run."""
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'scripts'}:{ROOT / 'tests'}")

    async def main() -> list[list[str]]:
        with Workers(2) as workers:
            return await asyncio.gather(*(workers.run(what_engines_do_with, p) for p in paths))

    return {code for codes in asyncio.run(main()) for code in codes}


@pytest.mark.parametrize("files", [[*no_videos(), *no_files(), *bombs()], polyglots_and_company()])
def test_what_is_called_a_video_is_told_for_what_it_is(
    files: list[Hostile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    playing = check(probed(tmp_path, files), tmp_path)
    failures = used_as_engines_do(playing, monkeypatch)
    assert failures <= ({"video_unreadable"} if len(playing) < len(files) else set())


def test_damage_anywhere_is_survived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [file for suffix in FUZZED_SUFFIXES for file in fuzzed(suffix, 24, seed=9)]
    playing = check(probed(tmp_path, files), tmp_path)
    assert used_as_engines_do(playing, monkeypatch) <= {"video_unreadable"}


def test_a_worker_is_refused_more_memory_than_a_video_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "scripts"))

    async def main() -> None:
        with Workers(1) as workers:
            with pytest.raises(MemoryError):
                await workers.run(bytearray, MEMORY_BYTES)
            assert await workers.run(len, b"goes on") == 7

    asyncio.run(main())


def test_flv_is_decoded_from_its_beginning(tmp_path: Path) -> None:
    """Its first key frame comes later than the file begins, and it has no index."""
    path = make_video(tmp_path / "a.flv", [(RED, 3)], size=(64, 64), sound="tone")
    assert len(list(media.sample_frames(path, 1.0))) == 3
    assert len(list(media.frames_at(path, [0.0, 1.5, 2.9]))) == 3


def test_one_damaged_packet_of_sound_does_not_cost_the_rest(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.ts", [(RED, 4)], size=(64, 64), sound="tone")
    damaged = bytearray(path.read_bytes())
    for at in range(len(damaged) // 3, len(damaged) // 3 + 188 * 6):
        if at % 188 > 40:
            damaged[at] = 0xFF
    path.write_bytes(damaged)
    samples = sum(len(block) for _, block in media.audio_blocks(path))
    assert 2 * 16_000 < samples < 4.5 * 16_000


def test_sound_that_can_not_be_decoded_does_not_pass_for_silence(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", [(RED, 1)], size=(64, 64), sound=tone(1))
    data = path.read_bytes()
    assert b"A_AAC" in data
    path.write_bytes(data.replace(b"A_AAC", b"A_AC3"))
    with pytest.raises(ReelmakeError, match="sound that can't be decoded"):
        media.is_silent(path, 0.0, 1.0)


def test_sound_of_an_unknown_kind_is_none(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mkv", [(RED, 1)], size=(64, 64), sound="tone")
    path.write_bytes(path.read_bytes().replace(b"A_AAC", b"A_ZZZ"))
    assert media.probe(path).audio_codec is None
    assert list(media.audio_blocks(path)) == []


def test_a_clock_that_stands_still_makes_no_block_without_end(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", [(RED, 12)], size=(64, 64), sound="tone")
    stop_the_clock(path)
    blocks = [block for _, block in media.audio_blocks(path, block_s=3.0)]
    assert max(map(len, blocks)) <= 3.2 * 16_000
    assert np.concatenate(blocks).size > 8 * 16_000
