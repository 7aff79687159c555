"""What the commands put on the paper: lines of text, pictures, codes, and the picture of the whole ticket.

The pen keeps the state that a real printer keeps: code page, size, weight, side. Text is set in a font of the host at the
size of font A (12 x 24 dots), so the picture shows what stands where, not the very letters of a model.
"""

from __future__ import annotations

from typing import Final

import msgspec
import segno
from PIL import Image, ImageDraw, ImageFont

CODE_PAGES: Final = {
    0: "cp437",
    2: "cp850",
    3: "cp860",
    4: "cp863",
    5: "cp865",
    16: "cp1252",
    17: "cp866",
    18: "cp852",
    19: "cp858",
}
"""ESC t n, by Epson's numbers."""

FONT_WIDTH, FONT_HEIGHT, LINE_DOTS = 12, 24, 30
BLACK, WHITE = 0, 255


class PrintedLine(msgspec.Struct, frozen=True):
    """A line of text as it stands on the paper. ``scale`` is (wide, high)."""

    text: str
    scale: tuple[int, int] = (1, 1)
    bold: bool = False
    align: str = "left"
    code_page: str = "cp437"


class PrintedPicture(msgspec.Struct, frozen=True):
    width: int
    height: int
    data: bytes


class PrintedQr(msgspec.Struct, frozen=True):
    """The printer's own QR code. ``level``: L, M, Q or H."""

    text: str
    module_dots: int
    level: str
    align: str = "left"


class Space(msgspec.Struct, frozen=True):
    dots: int


Piece = PrintedLine | PrintedPicture | PrintedQr | Space


class Pen:
    """The printer's settings that hold until the next ESC @."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.code_page = "cp437"
        self.scale = (1, 1)
        self.bold = False
        self.align = "left"
        self.spacing = LINE_DOTS
        self.qr_dots = 3
        self.qr_level = "L"
        self.qr_text = ""

    def line(self, data: bytes) -> PrintedLine:
        return PrintedLine(data.decode(self.code_page, "replace"), self.scale, self.bold, self.align, self.code_page)


def height_of(piece: Piece, spacing: int = LINE_DOTS) -> int:
    """The paper that a piece takes, in dots."""
    match piece:
        case PrintedLine(scale=(_, high)):
            return max(spacing, FONT_HEIGHT * high)
        case PrintedPicture(height=height):
            return height
        case PrintedQr():
            return _qr_picture(piece).height
        case Space(dots=dots):
            return dots


def render(pieces: list[Piece], width: int) -> Image.Image:
    """The ticket as a picture in grey, as wide as the paper."""
    length = max(1, sum(height_of(piece) for piece in pieces))
    paper = Image.new("L", (width, length), WHITE)
    y = 0
    for piece in pieces:
        _draw(paper, piece, y, width)
        y += height_of(piece)
    return paper


def _draw(paper: Image.Image, piece: Piece, y: int, width: int) -> None:
    match piece:
        case PrintedLine():
            _draw_line(paper, piece, y, width)
        case PrintedPicture():
            paper.paste(picture_of(piece), (0, y))
        case PrintedQr(align=align):
            code = _qr_picture(piece)
            paper.paste(code, (_left(align, code.width, width), y))
        case Space():
            pass


def picture_of(piece: PrintedPicture) -> Image.Image:
    """The bits of a raster command; a set bit is black (GS v 0)."""
    bits = Image.frombytes("1", (piece.width, piece.height), bytes(byte ^ 0xFF for byte in piece.data))
    return bits.convert("L")


def _draw_line(paper: Image.Image, line: PrintedLine, y: int, width: int) -> None:
    wide, high = line.scale
    cell = (max(1, FONT_WIDTH * len(line.text)), FONT_HEIGHT)
    strip = Image.new("L", cell, WHITE)
    pen = ImageDraw.Draw(strip)
    font = _font(bold=line.bold)
    for column, letter in enumerate(line.text):
        pen.text((column * FONT_WIDTH + FONT_WIDTH / 2, 19), letter, fill=BLACK, font=font, anchor="ms")
    strip = strip.resize((cell[0] * wide, cell[1] * high), Image.Resampling.LANCZOS)
    paper.paste(strip, (_left(line.align, strip.width, width), y))


def _font(*, bold: bool) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    try:
        return ImageFont.truetype("DejaVuSansMono-Bold.ttf" if bold else "DejaVuSansMono.ttf", 19)
    except OSError:
        return ImageFont.load_default(19)


def _qr_picture(piece: PrintedQr) -> Image.Image:
    code = segno.make(piece.text, error=piece.level.lower(), micro=False, boost_error=False)
    modules = int(code.symbol_size(border=0)[0])
    image = Image.new("L", (modules, modules), WHITE)
    for row, line in enumerate(code.matrix):
        for column, dark in enumerate(line):
            if dark:
                image.putpixel((column, row), BLACK)
    side = int(modules) * piece.module_dots
    return image.resize((side, side), Image.Resampling.NEAREST)


def _left(align: str, inner: int, width: int) -> int:
    match align:
        case "center":
            return max(0, (width - inner) // 2)
        case "right":
            return max(0, width - inner)
        case _:
            return 0
