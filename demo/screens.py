"""Slides, and the drawn windows of the screencast, as pictures of 1280 x 720 pixels."""

from collections.abc import Iterator
from dataclasses import dataclass

from demo.diagrams import DARK, MINT, SPACE, draw_diagram, font
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 1280, 720
MARGIN = 72
PANEL_X = 770

Shot = tuple[Image.Image, float]  # a picture and how many seconds it stays


@dataclass(frozen=True)
class Theme:
    """Colours of a lesson's slides, and the size of their lines."""

    page: str
    ink: str
    accent: str
    panel: str
    text_size: int


THEMES = {
    "night": Theme("#fbf9f4", "#1c2740", "#d9822b", SPACE, 31),
    "leaf": Theme("#fcfdf9", "#1d3b24", "#58a55c", MINT, 36),
}


def fit(
    draw: ImageDraw.ImageDraw,
    at: tuple[int, int],
    text: str,
    fill: str,
    size: int,
    *,
    right: int,
    bold: bool = False,
    mono: bool = False,
) -> None:
    """Draw one line of text, and refuse text that would run past `right`."""
    face = font(size, bold=bold, mono=mono)
    if at[0] + draw.textlength(text, face) > right:
        raise ValueError(f"too long for its place on the screen: {text!r}")
    draw.text(at, text, fill, face, anchor="lm")


def draw_slide(
    heading: str, lines: list[str], diagram: str, theme: Theme, *, number: int, total: int
) -> Image.Image:
    """Text on the left, a drawing on the right."""
    image = Image.new("RGB", (WIDTH, HEIGHT), theme.page)
    image.paste(draw_diagram(diagram, theme.panel), (PANEL_X, 0))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((MARGIN, 92, MARGIN + 64, 99), 3, theme.accent)
    fit(draw, (MARGIN, 150), heading, theme.ink, 46, right=PANEL_X - 24, bold=True)
    for i, line in enumerate(lines):
        y = 262 + i * 82
        draw.ellipse((MARGIN, y - 4, MARGIN + 8, y + 4), theme.accent)
        fit(draw, (MARGIN + 26, y), line, theme.ink, theme.text_size, right=PANEL_X - 24)
    for i in range(total):  # where we are: a row of dashes, one for each slide
        x = MARGIN + i * 44
        fill = theme.accent if i < number else "#dcdfe3"
        draw.rounded_rectangle((x, 648, x + 34, 653), 2, fill)
    return image


def draw_card(heading: str) -> Image.Image:
    """The full-screen title between two windows."""
    image = Image.new("RGB", (WIDTH, HEIGHT), THEMES["night"].page)
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((140, 290, 148, 430), 4, THEMES["night"].accent)
    step, _, rest = heading.partition(": ")
    fit(draw, (184, 318), step, THEMES["night"].accent, 34, right=WIDTH - MARGIN, bold=True)
    fit(draw, (184, 390), rest, THEMES["night"].ink, 60, right=WIDTH - MARGIN, bold=True)
    return image


def draw_window(title: str, body: str) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """A desktop with one empty window."""
    image = Image.new("RGB", (WIDTH, HEIGHT), "#35507a")
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((60, 44, WIDTH - 60, HEIGHT - 44), 16, body)
    draw.rounded_rectangle(
        (60, 44, WIDTH - 60, 96), 16, "#e4e7ec", corners=(True, True, False, False)
    )
    for i, fill in enumerate(("#e5675b", "#e8b84a", "#67b36b")):
        draw.ellipse((84 + i * 30, 62, 100 + i * 30, 78), fill)
    draw.text((WIDTH / 2, 70), title, "#414b5c", font(24, bold=True), anchor="mm")
    return image, draw


def draw_terminal(lines: list[str], *, cursor: bool) -> Image.Image:
    """A terminal window; the cursor, if any, stands after the last line."""
    image, draw = draw_window("Terminal", DARK)
    for i, line in enumerate(lines):
        y, x = 148 + i * 66, 92
        is_command = line.startswith("$")
        ink = "#ffffff" if is_command else "#b9d4a8"
        fit(draw, (x, y), line, ink, 34, right=WIDTH - 72, mono=True, bold=is_command)
        if cursor and i == len(lines) - 1:
            x += round(draw.textlength(line, font(34, mono=True, bold=is_command))) + 4
            draw.rectangle((x, y - 21, x + 16, y + 21), "#d9822b")
    return image


def terminal_shots(lines: list[str]) -> Iterator[Shot]:
    """Type the lines that start with "$ ", three letters at a time; the others are output."""
    shown: list[str] = []
    for i, line in enumerate(lines):
        if line.startswith("$ "):
            yield draw_terminal([*shown, "$ "], cursor=True), 0.4
            for end in range(5, len(line), 3):
                yield draw_terminal([*shown, line[:end]], cursor=True), 0.1
            yield draw_terminal([*shown, line], cursor=True), 0.5
        shown.append(line)
        following = lines[i + 1 : i + 2]
        if following and following[0].startswith("$ ") and not line.startswith("$ "):
            yield draw_terminal(shown, cursor=False), 0.9
    yield draw_terminal([*shown, "$ "], cursor=True), 1.6


def draw_settings(
    rows: list[tuple[str, str]], pointer: tuple[int, int], *, on: bool
) -> Image.Image:
    """A settings window; everything is grey until the switch in the first row is on."""
    image, draw = draw_window("Backup settings", "#fbfbfd")
    for i, (name, value) in enumerate(rows):
        y = 172 + i * 100
        ink = "#1c2740" if on or i == 0 else "#aab1bd"
        fit(draw, (130, y), name, ink, 34, right=760, bold=i == 0)
        if value == "on":
            draw.rounded_rectangle((1046, y - 22, 1134, y + 22), 22, "#4c9a57" if on else "#c3c8d0")
            x = 1094 if on else 1050
            draw.ellipse((x, y - 18, x + 36, y + 18), "#ffffff")
        else:
            draw.text((1134, y), value, ink, font(32), anchor="rm")
        if i < len(rows) - 1:
            draw.line((130, y + 50, 1134, y + 50), "#e1e4e9", 2)
    x, y = pointer
    arrow = [(0, 0), (0, 34), (8, 27), (14, 40), (20, 37), (14, 25), (25, 24)]
    draw.polygon([(x + dx, y + dy) for dx, dy in arrow], "#111111", "#ffffff", 2)
    return image


def settings_shots(lines: list[str]) -> Iterator[Shot]:
    """The pointer moves to the switch in the first row and turns everything on."""
    rows = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
    yield draw_settings(rows, (700, 560), on=False), 1.0
    for i in range(1, 11):
        yield draw_settings(rows, (700 + 38 * i, 560 - 38 * i), on=False), 0.1
    yield draw_settings(rows, (1080, 180), on=False), 0.4
    yield draw_settings(rows, (1080, 180), on=True), 2.4
