"""Drawings beside the slides of the demo videos, each made of circles, lines and polygons.

A drawing is a function that takes a `Canvas` of 510 x 720 units; `DRAWINGS` maps the name used in
`demo/lessons/*.yaml` to it.
"""

import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FONTS = Path("/usr/share/fonts/opentype/noto")
SIZE = (510, 720)
SCALE = 3  # draw large, then shrink: smooth edges

SUN, GLOW, MOON, SEA, SOIL = "#ffc845", "#f59e3b", "#c9ced8", "#4f9be8", "#8a6242"
SPACE, HAZE, DARK, PALE = "#14213d", "#2c3f66", "#070c18", "#f4f6fb"
LEAF, DEEP, MINT, WATER, INK = "#58a55c", "#2f6b3a", "#dff0dc", "#bfe0f2", "#1d3b24"

Point = tuple[float, float]


def font(size: float, *, bold: bool = False, mono: bool = False) -> ImageFont.FreeTypeFont:
    """Noto Sans CJK in its Simplified Chinese cut: one face for both languages."""
    name = "NotoSansCJK-Bold.ttc" if bold else "NotoSansCJK-Regular.ttc"
    return ImageFont.truetype(str(FONTS / name), round(size), index=7 if mono else 2)


class Canvas:
    """A panel with its own units, drawn enlarged and shrunk by `finish`."""

    def __init__(self, background: str) -> None:
        self.image = Image.new("RGB", (SIZE[0] * SCALE, SIZE[1] * SCALE), background)
        self.draw = ImageDraw.Draw(self.image)

    def circle(self, at: Point, r: float, fill: str | None, line: str | None = None) -> None:
        self.oval(at, r, r, fill, line)

    def oval(
        self,
        at: Point,
        rx: float,
        ry: float,
        fill: str | None,
        line: str | None = None,
        *,
        width: float = 3,
    ) -> None:
        box = [
            (at[0] - rx) * SCALE,
            (at[1] - ry) * SCALE,
            (at[0] + rx) * SCALE,
            (at[1] + ry) * SCALE,
        ]
        self.draw.ellipse(box, fill, line, round(width * SCALE))

    def polygon(self, points: Sequence[Point], fill: str) -> None:
        self.draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill)

    def line(self, points: Sequence[Point], fill: str, width: float = 3) -> None:
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        self.draw.line(scaled, fill, round(width * SCALE), joint="curve")

    def arrow(self, start: Point, end: Point, fill: str, width: float = 4) -> None:
        angle = math.atan2(end[1] - start[1], end[0] - start[0])
        self.line(
            [start, (end[0] - 12 * math.cos(angle), end[1] - 12 * math.sin(angle))], fill, width
        )
        self.polygon(
            [end]
            + [
                (end[0] - 20 * math.cos(angle + side), end[1] - 20 * math.sin(angle + side))
                for side in (-0.5, 0.5)
            ],
            fill,
        )

    def box(
        self, at: Point, half: Point, fill: str, line: str | None = None, radius: float = 16
    ) -> None:
        corners = [
            (at[0] - half[0]) * SCALE,
            (at[1] - half[1]) * SCALE,
            (at[0] + half[0]) * SCALE,
            (at[1] + half[1]) * SCALE,
        ]
        self.draw.rounded_rectangle(corners, radius * SCALE, fill, line, 3 * SCALE)

    def label(self, at: Point, text: str, fill: str, size: float = 24) -> None:
        self.draw.text(
            (at[0] * SCALE, at[1] * SCALE), text, fill, font(size * SCALE, bold=True), anchor="mm"
        )

    def sun(self, at: Point, r: float, rays: int = 0) -> None:
        for i in range(rays):
            a = 2 * math.pi * i / rays
            self.line(
                [(at[0] + k * r * math.cos(a), at[1] + k * r * math.sin(a)) for k in (1.25, 1.55)],
                GLOW,
                5,
            )
        self.circle(at, r, SUN)

    def finish(self) -> Image.Image:
        return self.image.resize(SIZE, Image.Resampling.LANCZOS)


def blend(a: str, b: str, share: float) -> str:
    """The colour that lies `share` of the way from a to b."""
    pairs = [(int(a[i : i + 2], 16), int(b[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(x + (y - x) * share):02x}" for x, y in pairs)


def scatter(count: int, low: Point, high: Point) -> list[tuple[float, float, float]]:
    """Points between two corners, each with a third number from 0 to 1; the same each time."""
    dice = random.Random(5)  # noqa: S311 - a pattern, not a secret
    return [
        (dice.uniform(low[0], high[0]), dice.uniform(low[1], high[1]), dice.random())
        for _ in range(count)
    ]


def stars(c: Canvas) -> None:
    """Scatter faint stars, the same each time."""
    for x, y, r in scatter(60, (0, 0), SIZE):
        c.circle((x, y), 0.8 + r, "#5b6b8f")


def eclipse(c: Canvas) -> None:
    """A total eclipse: the corona, and the last bead of sunlight."""
    stars(c)
    for i in range(60):  # the corona, from the outside in
        c.circle((255, 360), 232 - i * 1.6, blend(SPACE, "#ffe7b0", (i / 60) ** 2.2))
    c.circle((255, 360), 136, DARK)
    c.circle((351, 264), 9, "#ffffff")


def alignment(c: Canvas) -> None:
    """Sun, Moon and Earth in one line, with both parts of the shadow."""
    stars(c)
    c.polygon([(120, 90), (390, 90), (345, 640), (165, 640)], HAZE)
    c.polygon([(223, 385), (287, 385), (322, 585), (188, 585)], "#1c2b4c")
    c.polygon([(223, 385), (287, 385), (263, 585), (247, 585)], DARK)
    c.sun((255, 60), 140)
    c.circle((255, 385), 32, MOON)
    c.circle((255, 640), 62, SEA)
    c.oval((255, 584), 30, 8, "#2b5f97")
    c.oval((255, 583), 10, 4, DARK)
    for y, text, ink in ((70, "Sun", "#6b4300"), (640, "Earth", DARK)):
        c.label((255, y), text, ink, 28)
    c.label((345, 385), "Moon", PALE)
    c.label((140, 520), "penumbra", PALE)
    c.line([(150, 537), (205, 565)], PALE, 2)
    c.label((385, 480), "umbra", PALE)
    c.line([(340, 485), (262, 500)], PALE, 2)


def apparent_size(c: Canvas) -> None:
    """The near Moon and the far Sun under one angle."""
    stars(c)
    c.sun((255, 170), 118)
    c.circle((255, 475), 180 * 118 / 485, MOON)  # the angle is that of the Sun
    reach, angle = 500, math.asin(118 / 485)
    for side in (-1, 1):
        end = (255 + side * reach * math.sin(angle), 655 - reach * math.cos(angle))
        c.line([(255, 655), end], PALE, 2)
    c.oval((255, 655), 34, 18, PALE)
    c.circle((255, 655), 14, "#31589b")
    c.circle((255, 655), 6, DARK)
    c.label((255, 160), "Sun", "#6b4300", 30)
    c.label((255, 475), "Moon", DARK, 22)
    c.label((380, 475), "near", PALE)
    c.label((425, 60), "far", PALE)
    c.label((375, 655), "observer", PALE)


def tilted_orbit(c: Canvas) -> None:
    """The orbit of the Moon, crossing the line to the Sun."""
    stars(c)
    for x in range(12, 500, 34):
        c.line([(x, 360), (x + 18, 360)], "#8fa0c4", 2)
    tilt = -0.42  # far more than the true five degrees, to be visible
    ring = [
        (
            255 + 195 * math.cos(t) * math.cos(tilt) - 60 * math.sin(t) * math.sin(tilt),
            360 + 195 * math.cos(t) * math.sin(tilt) + 60 * math.sin(t) * math.cos(tilt),
        )
        for t in (2 * math.pi * i / 120 for i in range(121))
    ]
    c.line(ring, MOON, 3)
    c.circle((255, 360), 50, SEA)
    c.label((255, 360), "Earth", DARK, 22)
    c.circle(ring[0], 19, MOON)
    c.circle(ring[60], 19, MOON)
    c.label((380, 235), "above", PALE)
    c.label((130, 492), "below", PALE)
    c.arrow((60, 360), (14, 360), SUN)
    c.label((78, 325), "to the Sun", SUN)
    c.label((255, 640), "Tilt drawn larger than it is", "#8fa0c4", 20)


def pinhole(c: Canvas) -> None:
    """Sunlight through a hole in a card, and its picture on paper."""
    stars(c)
    c.sun((255, 105), 62, rays=16)
    c.polygon([(193, 105), (317, 105), (250, 345), (260, 345)], blend(SPACE, SUN, 0.22))
    c.polygon([(252, 350), (258, 350), (287, 590), (223, 590)], blend(SPACE, SUN, 0.22))
    c.sun((255, 105), 62)
    c.polygon([(110, 345), (248, 345), (248, 361), (94, 361)], MOON)
    c.polygon([(262, 345), (400, 345), (416, 361), (262, 361)], MOON)
    c.polygon([(130, 560), (380, 560), (440, 660), (70, 660)], PALE)
    c.oval((255, 608), 36, 22, SUN)
    c.oval((273, 600), 30, 19, PALE)
    c.label((390, 318), "card", PALE)
    c.label((440, 525), "paper", PALE)


def phases(c: Canvas) -> None:
    """The Moon crosses the Sun, from the first bite to the last."""
    stars(c)
    for i, shift in ((0, 58), (1, 30), (3, -30), (4, -58), (2, 0)):  # totality on top
        at = (255 + (i - 2) * 80.0, 130 + i * 115.0)
        if shift:
            c.sun(at, 48)
        else:
            for k in range(24):
                c.circle(at, 78 - k, blend(SPACE, "#ffe7b0", (k / 24) ** 2))
        c.circle((at[0] + shift, at[1] + shift * 0.3), 50, SPACE if shift else DARK)


def blade(c: Canvas, at: Point, size: float, tilt: float) -> None:
    """A leaf with a midrib and veins, its tip in the direction `tilt`."""

    def place(along: float, across: float) -> Point:
        return (
            at[0] + size * (along * math.cos(tilt) - across * math.sin(tilt)),
            at[1] + size * (along * math.sin(tilt) + across * math.cos(tilt)),
        )

    def width(along: float) -> float:
        return 0.36 * math.sin(math.pi * along**0.8)

    edge = [(i / 40, width(i / 40)) for i in range(41)]
    c.polygon([place(x, y) for x, y in edge] + [place(x, -y) for x, y in reversed(edge)], LEAF)
    c.polygon([place(x, y) for x, y in edge], blend(LEAF, DEEP, 0.25))
    c.line([place(-0.16, 0), place(0.96, 0)], DEEP, 5)
    for i in range(1, 7):
        for side in (-1, 1):
            x = i / 8
            tip = x + 0.1
            c.line([place(x, 0), place(tip, side * 0.7 * width(tip))], DEEP, 2.5)


def leaf(c: Canvas) -> None:
    """A young plant in the sun."""
    c.sun((385, 130), 60, rays=16)
    c.box((255, 690), (300, 60), SOIL, radius=0)
    c.line([(240, 632), (250, 470), (262, 330)], DEEP, 12)
    blade(c, (257, 298), 205, -1.75)
    blade(c, (276, 466), 200, -0.55)
    blade(c, (221, 536), 185, -2.65)


def cell(c: Canvas) -> None:
    """A leaf cell with its chloroplasts."""
    c.sun((400, 110), 52, rays=16)
    for x in (285, 325, 365):
        c.arrow((x + 20, 185), (x - 40, 268), GLOW)
    c.box((255, 460), (205, 180), "#c4e3bd", DEEP, radius=48)
    c.box((255, 460), (110, 80), "#edf7e9", radius=44)
    for i in range(10):
        a = 2 * math.pi * i / 10
        at = (255 + 155 * math.cos(a), 460 + 130 * math.sin(a))
        c.oval(at, 34, 22, LEAF, DEEP)
        c.line([(at[0] - 18, at[1]), (at[0] + 18, at[1])], DEEP, 3)
    c.label((255, 460), "叶肉细胞", INK, 28)
    c.label((255, 676), "绿色椭圆是叶绿体", INK, 24)


def equation(c: Canvas) -> None:
    """What goes into a leaf and what comes out."""
    c.sun((255, 105), 50, rays=16)
    c.arrow((255, 195), (255, 258), GLOW, 6)
    blade(c, (150, 360), 230, 0.0)
    for x, y, text, fill in (
        (125, 215, "水", WATER),
        (390, 215, "二氧化碳", "#e3e6ea"),
        (125, 560, "糖", "#ffe3a3"),
        (390, 560, "氧气", "#cfe8ff"),
    ):
        c.box((x, y), (85, 40), fill, DEEP)
        c.label((x, y), text, INK, 32)
    for start, end in (
        ((135, 265), (170, 310)),
        ((380, 265), (335, 310)),
        ((180, 430), (135, 508)),
        ((330, 430), (380, 508)),
    ):
        c.arrow(start, end, DEEP, 5)


def waterweed(c: Canvas) -> None:
    """Bubbles rising from waterweed in a beaker."""
    c.sun((400, 110), 52, rays=16)
    c.box((255, 490), (150, 190), PALE, INK, radius=22)
    c.box((255, 515), (146, 162), WATER, radius=18)
    for x in (205, 255, 305):
        wave = [(x + 12 * math.sin(i / 3), 668 - i * 9.0) for i in range(20)]
        c.line(wave, DEEP, 6)
        for i in range(2, 20, 2):
            for side in (-1, 1):
                c.oval((wave[i][0] + side * 17, wave[i][1] - 4), 16, 6, LEAF)
    for left, top, share in scatter(16, (175, 372), (340, 500)):
        c.circle((left, top), 5 + 5 * share, "#ffffff", "#6aa9cf")
    c.label((130, 250), "氧气气泡", INK, 26)
    c.arrow((140, 275), (185, 372), INK, 3)


DRAWINGS: dict[str, Callable[[Canvas], None]] = {
    draw.__name__: draw
    for draw in (
        eclipse,
        alignment,
        apparent_size,
        tilted_orbit,
        pinhole,
        phases,
        leaf,
        cell,
        equation,
        waterweed,
    )
}


def draw_diagram(name: str, background: str) -> Image.Image:
    """The drawing of that name, in the size of a panel."""
    canvas = Canvas(background)
    DRAWINGS[name](canvas)
    return canvas.finish()
