"""The bytes that make a printer print a ticket, by python-escpos. No printer is touched here.

The code page is always forced: left to itself, python-escpos picks a Greek table for the euro sign on common profiles.
"""

from __future__ import annotations

import unicodedata
from typing import Any, Final

from escpos.constants import GS, QR_ECLEVEL_M
from escpos.image import EscposImage
from escpos.printer import Dummy
from PIL import Image

from kiosk_agent.printing.letters import Letters
from kiosk_agent.printing.raster import rasterize
from kiosk_agent.ticket.paper import LINE_DOTS, Cut, Feed, PaperOp, PrintQr, PrintRaster, PrintText

FRAGMENT_DOTS: Final = 256
"""Rows in one raster command: cheap printers have small buffers."""

# Letters of our texts that old code pages lack, written as a typewriter would.
_TYPEWRITER: Final = str.maketrans(
    {
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
        "–": "-",
        "—": "-",
        "…": "...",
        "œ": "oe",
        "Œ": "OE",
        "\u00a0": " ",
        "\u202f": " ",
    }
)


def to_bytes(ops: tuple[PaperOp, ...], letters: Letters, *, profile: str, code_page: str) -> bytes:
    """The whole ticket as one run of ESC/POS.

    Args:
        profile: python-escpos capability profile of the model.
        code_page: its name there, ``CP858``.
    """
    printer: Any = Dummy(profile=profile)
    printer.hw("INIT")
    printer.charcode(code_page)
    printer.line_spacing(LINE_DOTS)
    for op in ops:
        _put(printer, op, letters, code_page)
    return bytes(printer.output)


def _put(printer: Any, op: PaperOp, letters: Letters, code_page: str) -> None:
    match op:
        case PrintText(text=text, scale=scale, bold=bold, align=align):
            printer.set(align=align, bold=bold, custom_size=True, width=scale, height=scale)
            printer.text(printable(text, code_page) + "\n")
        case PrintQr(data=data, module_dots=module_dots):
            printer.set(align="center", normal_textsize=True)
            printer.qr(data, ec=QR_ECLEVEL_M, size=module_dots, native=True)
        case Feed(lines=lines):
            printer.set(normal_textsize=True)
            printer.print_and_feed(lines)
        case PrintRaster(drawing=drawing):
            printer.set(align="left", normal_textsize=True)
            _raster(printer, rasterize(drawing, letters))
        case Cut():
            printer.set(align="left", normal_textsize=True)
            printer.cut()
        case _:
            raise TypeError(f"no bytes for {type(op).__name__}")


def _raster(printer: Any, picture: Image.Image) -> None:
    """``GS v 0``, a few rows at a time. ``Escpos.image`` would print a warning on the terminal for most profiles."""
    whole = EscposImage(picture)
    for part in whole.split(FRAGMENT_DOTS):
        strip = EscposImage(part)
        size = strip.width_bytes.to_bytes(2, "little") + strip.height.to_bytes(2, "little")
        printer._raw(GS + b"v0\0" + size + strip.to_raster_format())  # noqa: SLF001 - its way to send bytes


def printable(text: str, code_page: str) -> str:
    """The text with every letter that the code page has; others lose their accents, or become a question mark."""
    codec = code_page.lower()
    plain = text.translate(_TYPEWRITER)
    return "".join(letter if _fits(letter, codec) else _bare(letter, codec) for letter in plain)


def _bare(letter: str, codec: str) -> str:
    base = "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
    return base if base and _fits(base, codec) else "?"


def _fits(text: str, codec: str) -> bool:
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    return True
