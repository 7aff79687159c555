"""What a printer is told, as values: its own letters, its own QR code, or one picture."""

from __future__ import annotations

from typing import Literal

import msgspec

DOTS_PER_MM = 8
LINE_DOTS = 30
"""Line spacing of text mode (1/6 inch at 203 dpi is 33.8; printers round to 30)."""
FONT_A_DOTS = (12, 24)
"""Width and height of a letter of font A; the capitals are 17 dots of the 24."""
QR_SIDE_DOTS = 200
"""A QR is at least 25 mm wide (KIO-27)."""

Align = Literal["left", "center", "right"]

# Bytes that fit a QR code of error correction M, by version from 1 (ISO/IEC 18004, table 7, byte mode).
_QR_BYTES_M = (14, 26, 42, 62, 84, 106, 122, 152, 180, 213)


class PaperOp(msgspec.Struct, frozen=True, tag=True):
    """One thing that a printer does."""


class PrintText(PaperOp, frozen=True, kw_only=True):
    """A line in the printer's own letters. ``scale`` multiplies both sides of the letters, 1 to 8."""

    text: str
    scale: int = 1
    bold: bool = False
    align: Align = "left"


class PrintQr(PaperOp, frozen=True, kw_only=True):
    """The printer's own QR code, error correction M, centred."""

    data: str
    module_dots: int


class Feed(PaperOp, frozen=True):
    lines: int = 1


class Cut(PaperOp, frozen=True):
    """Feed to the knife and cut."""


# The marks of a drawing: absolute places, origin at the top left, one bit.


class Mark(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    x: int
    y: int


class Words(Mark, frozen=True, kw_only=True):
    """One line of text; ``x`` is its left, middle or right by ``align``, ``y`` the top of its line box."""

    text: str
    size: int
    bold: bool = False
    align: Align = "left"
    language: str = "es"


class Plate(Mark, frozen=True, kw_only=True):
    """The plate with its label: a frame with scooped corners and an inner line."""

    width: int
    height: int
    label: str
    size: int


class Bar(Mark, frozen=True, kw_only=True):
    width: int
    height: int


class Tiles(Mark, frozen=True, kw_only=True):
    """The tile border of the city."""

    width: int
    tile: int


class QrCode(Mark, frozen=True, kw_only=True):
    """A QR code without its quiet zone; every module a whole number of dots."""

    data: str
    version: int
    module_dots: int


AnyMark = Words | Plate | Bar | Tiles | QrCode


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """A one-bit picture that is still to be drawn."""

    width: int
    height: int
    marks: tuple[AnyMark, ...]


class PrintRaster(PaperOp, frozen=True):
    drawing: Drawing


def qr_version(data: str) -> int:
    """The smallest QR version that holds the text in byte mode at error correction M.

    Raises:
        ValueError: more than version 10 holds, which no ticket needs.
    """
    length = len(data.encode())
    for version, capacity in enumerate(_QR_BYTES_M, start=1):
        if length <= capacity:
            return version
    raise ValueError(f"{length} bytes are too many for the QR code of a ticket")


def qr_modules(version: int) -> int:
    """Modules along one side, without the quiet zone (ISO/IEC 18004, 5.3.1)."""
    return 17 + 4 * version


def qr_module_dots(version: int) -> int:
    """The dots of one module that make the code wide enough to be read by a phone."""
    return -(-QR_SIDE_DOTS // qr_modules(version))


def height_dots(ops: tuple[PaperOp, ...]) -> int:
    """The length of the paper before the cut."""
    return sum(_height(op) for op in ops)


def _height(op: PaperOp) -> int:
    match op:
        case PrintText(scale=scale):
            return max(LINE_DOTS, FONT_A_DOTS[1] * scale)
        case PrintQr(data=data, module_dots=module_dots):
            return qr_modules(qr_version(data)) * module_dots
        case Feed(lines=lines):
            return LINE_DOTS * lines
        case PrintRaster(drawing=drawing):
            return drawing.height
        case _:
            return 0


def unbroken_words(text: str) -> list[str]:
    """The parts between which a line may break: a sign that stands apart, as in French, stays with its word."""
    words: list[str] = []
    for word in text.split(" "):
        if words and word and not any(letter.isalnum() for letter in word):
            words[-1] += f"\u00a0{word}"
        elif word:
            words.append(word)
    return words
