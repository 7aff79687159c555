"""Draw a ticket's marks as a one-bit picture with Pillow."""

from __future__ import annotations

import segno
from PIL import Image, ImageDraw

from kiosk_agent.printing.letters import Letters
from kiosk_agent.ticket.paper import Bar, Drawing, Plate, QrCode, Tiles, Words

BLACK, WHITE = 0, 1
_ANCHORS = {"left": "ls", "center": "ms", "right": "rs"}
_LEADING = {"ar": 1.4}


def rasterize(drawing: Drawing, letters: Letters) -> Image.Image:
    """The picture of a drawing, mode ``1``, black on white."""
    image = Image.new("1", (drawing.width, drawing.height), WHITE)
    pen = ImageDraw.Draw(image)
    for mark in drawing.marks:
        match mark:
            case Words():
                _words(pen, mark, letters)
            case Plate():
                _plate(pen, mark, letters)
            case Bar(x=x, y=y, width=width, height=height):
                pen.rectangle((x, y, x + width - 1, y + height - 1), fill=BLACK)
            case Tiles():
                _tiles(pen, mark)
            case QrCode():
                _qr(pen, mark)
    return image


def _words(pen: ImageDraw.ImageDraw, words: Words, letters: Letters) -> None:
    font = letters.font(words.language, words.size, bold=words.bold)
    # Stand on a baseline so that lines of different letters keep their distance.
    leading = round(words.size * _LEADING.get(words.language, 1.2))
    baseline = words.y + leading - round(words.size * 0.3 * leading / (words.size * 1.2))
    pen.text(
        (words.x, baseline),
        words.text,
        fill=BLACK,
        font=font,
        anchor=_ANCHORS[words.align],
        **letters.direction(words.language),
    )


def _plate(pen: ImageDraw.ImageDraw, plate: Plate, letters: Letters) -> None:
    scoop = round(plate.size * 0.18)
    outer = (plate.x, plate.y, plate.x + plate.width - 1, plate.y + plate.height - 1)
    _scooped(pen, outer, scoop, line=6)
    inset = 11  # the inner line, as far in as the thickness of both lines and the gap
    inner = (outer[0] + inset, outer[1] + inset, outer[2] - inset, outer[3] - inset)
    _scooped(pen, inner, scoop - 2, line=3)
    font = letters.font("es", plate.size, bold=True)
    _, top, _, bottom = pen.textbbox((0, 0), "H", font=font, anchor="ls")
    middle = plate.y + plate.height / 2 - (top + bottom) / 2
    pen.text((plate.x + plate.width / 2, middle), plate.label, fill=BLACK, font=font, anchor="ms", **letters.tabular())


def _scooped(pen: ImageDraw.ImageDraw, box: tuple[int, int, int, int], scoop: int, *, line: int) -> None:
    """A frame whose corners are bitten out by quarter circles."""
    x, y, right, bottom = box
    for start, end in (
        ((x + scoop, y), (right - scoop, y + line - 1)),
        ((x + scoop, bottom - line + 1), (right - scoop, bottom)),
        ((x, y + scoop), (x + line - 1, bottom - scoop)),
        ((right - line + 1, y + scoop), (right, bottom - scoop)),
    ):
        pen.rectangle((*start, *end), fill=BLACK)
    reach = scoop + line - 1
    for (cx, cy), first in (((x, y), 0), ((right, y), 90), ((right, bottom), 180), ((x, bottom), 270)):
        pen.arc((cx - reach, cy - reach, cx + reach, cy + reach), first, first + 90, fill=BLACK, width=line)


def _tiles(pen: ImageDraw.ImageDraw, tiles: Tiles) -> None:
    """The tile border: black squares with their corners and their middle left white (look/components.css)."""
    tile, corner, core = tiles.tile, tiles.tile * 0.3, tiles.tile * 0.12
    pen.rectangle((tiles.x, tiles.y, tiles.x + tiles.width - 1, tiles.y + tile - 1), fill=BLACK)
    for left in range(tiles.x, tiles.x + tiles.width, tile):
        for cx in (left, left + tile):
            for cy in (tiles.y, tiles.y + tile - 1):
                _disc(pen, cx, cy, corner)
        _disc(pen, left + tile / 2, tiles.y + tile / 2, core)


def _disc(pen: ImageDraw.ImageDraw, x: float, y: float, radius: float) -> None:
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=WHITE)


def _qr(pen: ImageDraw.ImageDraw, code: QrCode) -> None:
    dots = code.module_dots
    matrix = segno.make(code.data, version=code.version, error="m", mode="byte", micro=False, boost_error=False).matrix
    for row, modules in enumerate(matrix):
        for column, dark in enumerate(modules):
            if dark:
                left, top = code.x + column * dots, code.y + row * dots
                pen.rectangle((left, top, left + dots - 1, top + dots - 1), fill=BLACK)
