"""Videos that want to do harm, or that something did harm to; made, not kept.

Each is known by what may be said of it: the codes of ``failures.yaml``, or none when it plays.
"""

import os
import random
import struct
import zipfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np

from reelmake import media
from reelmake.errors import ReelmakeError
from reelmake.local.scenes import find_scenes
from reelmake.media import Frame, write_jpeg
from sample_videos import (
    GREEN,
    RED,
    Picture,
    Scene,
    checkerboard,
    make_sound,
    make_video,
    write_frames,
)

UNREADABLE, TRUNCATED, SOUND = "video_unreadable", "video_truncated", "video_without_pictures"
DAMAGED = frozenset({UNREADABLE, TRUNCATED, SOUND})
MARKUP = "<script>alert(1)</script> ![x](http://x/) [[link]] {{ 7 * 7 }} \x1b[31m\u202e"

FUZZED_SUFFIXES = (".mp4", ".mov", ".3gp", ".mkv", ".webm", ".avi", ".ts", ".flv", ".wmv")


class Hostile(NamedTuple):
    """A file's name, what makes it at a path, and what may be said of it; "" when it plays."""

    name: str
    make: Callable[[Path], object]
    codes: frozenset[str]


def _is(name: str, make: Callable[[Path], object], *codes: str) -> Hostile:
    return Hostile(name, make, frozenset(codes or {""}))


def no_videos() -> list[Hostile]:
    """What only its name makes a video."""
    texts = {
        "text": "a shopping list\n" * 99,
        "page": "<!doctype html><html><script>alert(1)</script></html>" * 40,
        "drawing": '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
        "hls": "#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        "hls of the web": "#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
        "concat": "ffconcat version 1.0\nfile '/etc/passwd'\n",
        "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period/></MPD>',
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
    }
    return [
        _is("empty.mp4", Path.touch, UNREADABLE),
        _is("picture.mp4", _picture, UNREADABLE),
        _is("archive.mp4", _archive, UNREADABLE),
        _is("noise.mkv", partial(Path.write_bytes, data=_chance("a").randbytes(9999)), UNREADABLE),
        _is("song.mp4", make_sound, SOUND),
        *(
            _is(f"{name}.mp4", partial(Path.write_text, data=text), UNREADABLE)
            for name, text in texts.items()
        ),
    ]


def no_files() -> list[Hostile]:
    """What can be named and is no file, or none that ends."""
    return [
        _is("folder.mp4", Path.mkdir, UNREADABLE),
        _is("pipe.mp4", _pipe, UNREADABLE),
        _is("device.mp4", partial(Path.symlink_to, target="/dev/zero"), UNREADABLE),
        _is("nowhere.mp4", partial(Path.symlink_to, target="gone.mp4"), "video_missing"),
        _is("circle.mp4", partial(Path.symlink_to, target="circle.mp4"), "video_missing"),
    ]


def bombs() -> list[Hostile]:
    """Little files that ask for much: of memory, of time, or of the money that minutes cost."""
    return [
        _is("wide.avi", partial(_resized, codec="mjpeg", size=(16_384, 16_384)), UNREADABLE),
        _is("wider.mov", partial(_resized, codec="png", size=(60_000, 60_000)), UNREADABLE),
        _is("widest.mkv", partial(_resized, codec="mjpeg", size=(65_500, 65_500)), UNREADABLE),
        _is("square.avi", _square, UNREADABLE),
        _is("samples.mp4", _many_samples, *DAMAGED),
        _is("edits.mp4", _many_edits, "", *DAMAGED),
        _is("years.mp4", _years, UNREADABLE),
        _is("claims.mkv", partial(_claiming, seconds=1e9), TRUNCATED),
        _is("not a number.mkv", partial(_claiming, seconds=float("nan")), "", *DAMAGED),
        _is("negative.mkv", partial(_claiming, seconds=-5.0), "", *DAMAGED),
        _is("slow sound.mkv", _slow_sound, "", *DAMAGED),
        _is("streams.mkv", partial(_with_streams, count=600), "", *DAMAGED),
    ]


def polyglots_and_company() -> list[Hostile]:
    """Videos that play, and bring something along."""
    return [
        _is("nothing.mp4", ten_hours_of_nothing, ""),
        _is("page behind.mp4", partial(_appended, more=b"<html><script>alert(1)</script>"), ""),
        _is("archive behind.mp4", _archive_behind, ""),
        _is("page before.mp4", _page_before, ""),
        _is("wrong ending.mp4", partial(_disguised, suffix=".webm"), ""),
        _is("title.mp4", partial(make_video, title=MARKUP), ""),
        _is("long title.mkv", partial(make_video, title="long " * 400_000), ""),
        _is("subtitles.mp4", partial(_with_subtitles, codec="mov_text"), ""),
        _is("subtitles.mkv", partial(_with_subtitles, codec="srt"), ""),
        _is("attachments.mkv", _with_attachments, ""),
        _is("late sound.flv", _late_sound, ""),
    ]


def fuzzed(suffix: str, count: int, *, seed: int) -> Iterator[Hostile]:
    """A video of this container, damaged in so many ways; the same for the same seed."""
    original: list[bytes] = []

    def make(path: Path, *, number: int) -> None:
        if not original:
            scenes: list[Scene] = [(checkerboard(64, 64), 1.5), (RED, 0.5)]
            make_video(path, scenes, size=(64, 64), sound="tone")
            original.append(path.read_bytes())
        path.write_bytes(_damaged(original[0], _chance(f"{seed} {suffix} {number}")))

    for number in range(count):
        name = f"fuzzed {seed}-{number}{suffix}"
        yield Hostile(name, partial(make, number=number), frozenset({"", *DAMAGED}))


def what_engines_do_with(path: Path) -> list[str]:
    """All decoding that a report takes, and the codes of what could not be done."""
    failures = []
    end_s = media.probe(path).duration_s
    for use in (
        lambda: [media.best_frame(path, time_s) for time_s in (0.0, end_s / 3, end_s)],
        lambda: list(media.frames_at(path, [end_s / 2])),
        lambda: find_scenes(media.sample_frames(path, 1.0), end_s),
        lambda: sum(len(samples) for _, samples in media.audio_blocks(path)),
        lambda: media.is_silent(path, 0.0, min(end_s, 60.0)),
    ):
        try:
            use()
        except ReelmakeError as error:
            failures.append(error.code)
    return failures


def ten_hours_of_nothing(path: Path) -> None:
    """Black, without a sound, a picture a second."""
    _written(path, "libx264", np.zeros((32, 32, 3), np.uint8), 36_000, rate=1)


def _chance(seed: str) -> random.Random:
    return random.Random(seed)  # noqa: S311  the same each time, which is the point


def _damaged(data: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(data)
    kind = chance.randrange(4)
    if kind == 0:
        return bytes(damaged[: chance.randrange(len(data))])
    first, after = {1: (0, len(data)), 2: (0, 2000), 3: (len(data) - 3000, len(data))}[kind]
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(max(first, 0), min(after, len(data)))
        damaged[at] = chance.choice([0, 127, 128, 255, chance.randrange(256)])
    return bytes(damaged)


def _picture(path: Path) -> None:
    write_jpeg(Frame(0.0, checkerboard()), path)


def _archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "text")


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _square(path: Path) -> None:
    """Neither side is too long, and yet it is too large."""
    _written(path, "mjpeg", np.zeros((6000, 6000, 3), np.uint8))


def _written(path: Path, codec: str, picture: Picture, count: int = 1, *, rate: int = 10) -> None:
    with av.open(str(path), "w") as out:
        video: Any = out.add_stream(codec, rate=rate)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        pixel_format = {"png": "rgb24", "mjpeg": "yuvj420p"}.get(codec, "yuv420p")
        frame = frame.reformat(format=pixel_format)
        video.width, video.height, video.pix_fmt = frame.width, frame.height, pixel_format
        for number in range(count):
            frame.pts, frame.time_base = number, Fraction(1, rate)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))


def _resized(path: Path, codec: str, size: tuple[int, int]) -> None:
    """Pictures whose headers say that they are of this size; there is nothing behind it."""
    _written(path, codec, checkerboard(64, 48), 5)
    width, height = size
    form = ">II" if codec == "png" else ">HH"
    was = struct.pack(form, 64, 48) if codec == "png" else struct.pack(form, 48, 64)
    now = struct.pack(form, *((width, height) if codec == "png" else (height, width)))
    data = path.read_bytes()
    assert was in data
    path.write_bytes(data.replace(was, now))


def _boxes(data: bytes, path: str, change: Callable[[bytes], bytes]) -> bytes:
    """An MP4 in which the payload of the box at ``moov/trak/…`` is another."""
    name, _, below = path.partition("/")
    out, at = b"", 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        payload = data[at + 8 : at + size]
        if kind == name.encode():
            payload = _boxes(payload, below, change) if below else change(payload)
        out += struct.pack(">I4s", len(payload) + 8, kind) + payload
        at += size
    return out


def change_box(path: Path, box: str, change: Callable[[bytes], bytes]) -> None:
    """Replace the payload of all boxes of this name, such as ``moov/mvhd``."""
    data = path.read_bytes()
    changed = _boxes(data, box, change)
    assert changed != data
    path.write_bytes(changed)


_TABLES = "moov/trak/mdia/minf/stbl/"


def stop_the_clock(path: Path) -> None:
    """All that has more than two hundred packets, which is the sound, is at one moment."""

    def stopped(table: bytes) -> bytes:
        count = sum(struct.unpack_from(f">{len(table) // 4}I", table)[2::2])
        return struct.pack(">IIII", 0, 1, count, 0) if count > 200 else table

    change_box(path, _TABLES + "stts", stopped)
    change_box(path, "moov/trak/edts", lambda _: struct.pack(">I4s", 8, b"free"))


def _many_samples(path: Path) -> None:
    """Four thousand million pictures of a byte each, in a file of some kilobytes."""
    make_video(path, size=(64, 64))
    most = 0xFFFF_FF00
    change_box(path, _TABLES + "stsz", lambda _: struct.pack(">III", 0, 1, most))
    change_box(path, _TABLES + "stts", lambda _: struct.pack(">IIII", 0, 1, most, 1))
    change_box(path, _TABLES + "stsc", lambda _: struct.pack(">IIIII", 0, 1, 1, most, 1))


def _many_edits(path: Path) -> None:
    """The same second, two thousand times over."""
    make_video(path, size=(64, 64))
    edit = struct.pack(">IIHH", 1000, 0, 1, 0)
    change_box(path, "moov/trak/edts/elst", lambda _: struct.pack(">II", 0, 2_000) + edit * 2_000)


def _years(path: Path) -> None:
    """Four thousand million seconds, to which all its clocks agree."""
    make_video(path, size=(64, 64))
    step = 200_000_000
    change_box(path, _TABLES + "stts", lambda _: struct.pack(">IIII", 0, 1, 20, step))
    change_box(path, "moov/trak/edts", lambda _: struct.pack(">I4s", 8, b"free"))
    for box, at in {"moov/mvhd": 12, "moov/trak/mdia/mdhd": 12}.items():  # a tick is a second

        def lasting(old: bytes, at: int = at) -> bytes:
            return old[:at] + struct.pack(">II", 1, 20 * step) + old[at + 8 :]

        change_box(path, box, lasting)


def _claiming(path: Path, seconds: float) -> None:
    make_video(path, size=(64, 64))
    data = path.read_bytes()
    at = data.index(b"\x44\x89\x88") + 3  # the element of the duration, in milliseconds
    path.write_bytes(data[:at] + struct.pack(">d", seconds * 1000) + data[at + 8 :])


def _slow_sound(path: Path) -> None:
    """Sound of one sample a second: ten seconds of it are hours."""
    with av.open(str(path), "w") as out:
        video: Any = out.add_stream("mpeg4", rate=10)
        video.width = video.height = 64
        sound: Any = out.add_stream("pcm_s16le", rate=1, layout="mono")
        for number in range(20):
            frame = av.VideoFrame.from_ndarray(checkerboard(64, 64), format="rgb24")
            frame.pts = number
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        piece = av.AudioFrame.from_ndarray(
            np.zeros((1, 100_000), np.int16), format="s16", layout="mono"
        )
        piece.sample_rate, piece.pts = 1, 0
        out.mux(sound.encode(piece))
        out.mux(sound.encode(None))


def _with_streams(path: Path, count: int) -> None:
    with av.open(str(path), "w") as out:
        video: Any = out.add_stream("mpeg4", rate=10)
        video.width = video.height = 64
        others = [out.add_mux_stream("srt") for _ in range(count)]
        for number in range(20):
            frame = av.VideoFrame.from_ndarray(checkerboard(64, 64), format="rgb24")
            frame.pts = number
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        for stream in others:
            out.mux(_text_packet(stream, b"text"))


def _text_packet(stream: Any, text: bytes) -> Any:
    packet: Any = av.Packet(text)
    packet.stream, packet.time_base = stream, Fraction(1, 1000)
    packet.pts = packet.dts = 100
    packet.duration = 900
    return packet


def _with_subtitles(path: Path, codec: str) -> None:
    text = MARKUP.encode() * 500
    with av.open(str(path), "w") as out:
        video: Any = out.add_stream("libx264", rate=10)
        video.width = video.height = 64
        subtitles = out.add_mux_stream(codec)
        write_frames(out, video, [(RED, 1.0), (GREEN, 1.0)], (64, 64), 10)
        text = struct.pack(">H", len(text)) + text if codec == "mov_text" else text
        out.mux(_text_packet(subtitles, text))


def _with_attachments(path: Path) -> None:
    """A cover, a page, and a font of some megabytes."""
    with av.open(str(path), "w") as out:
        video: Any = out.add_stream("libx264", rate=10)
        video.width = video.height = 64
        out.add_attachment("cover.jpg", "image/jpeg", b"\xff\xd8\xff\xe0 no picture")
        out.add_attachment("../../page.html", "text/html", MARKUP.encode())
        out.add_attachment("font.ttf", "application/x-truetype-font", bytes(5_000_000))
        write_frames(out, video, [(RED, 1.0), (GREEN, 1.0)], (64, 64), 10)


def _late_sound(path: Path) -> None:
    """Sound that begins after the pictures have, as when a stream is joined: no header tells it."""
    make_video(path, [(checkerboard(64, 64), 4.0)], size=(64, 64), sound="tone", sound_offset_s=3)


def _appended(path: Path, more: bytes) -> None:
    make_video(path, size=(64, 64))
    path.write_bytes(path.read_bytes() + more)


def _archive_behind(path: Path) -> None:
    make_video(path, size=(64, 64))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../a.txt", "text")


def _page_before(path: Path) -> None:
    """In a box that players skip; the tables of the pictures come behind, and still fit."""
    page = b"<html><script>alert(1)</script></html>" * 9
    options = {"movflags": "+frag_keyframe+empty_moov+default_base_moof"}
    make_video(path, size=(64, 64), options=options)
    data = path.read_bytes()
    size = struct.unpack_from(">I", data)[0]
    box = struct.pack(">I4s", len(page) + 8, b"free") + page
    path.write_bytes(data[:size] + box + data[size:])


def _disguised(path: Path, suffix: str) -> None:
    make_video(path.with_suffix(suffix), size=(64, 64)).rename(path)
