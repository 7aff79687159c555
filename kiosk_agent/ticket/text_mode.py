"""A ticket in the printer's own letters, for serial printers: a kilobyte instead of a minute of pixels."""

from __future__ import annotations

from collections.abc import Iterator

from kiosk_agent.ticket.contents import Contents
from kiosk_agent.ticket.paper import (
    FONT_A_DOTS,
    Align,
    Cut,
    Feed,
    PaperOp,
    PrintQr,
    PrintText,
    qr_module_dots,
    qr_version,
    unbroken_words,
)

LABEL_SCALE = 8
"""Capitals of 8 x 17 dots are 17 mm high; 15 mm are asked for (KIO-26)."""
ZONE_SCALE = 2
"""Capitals of 2 x 17 dots are 4.25 mm high; 4 mm are asked for."""


def write(said: Contents, *, width_dots: int) -> tuple[PaperOp, ...]:
    """The ticket as lines of text, a QR code and the cut."""
    columns = width_dots // FONT_A_DOTS[0]
    return tuple(_ops(said, columns))


def _ops(said: Contents, columns: int) -> Iterator[PaperOp]:
    yield from _block(said.mark, columns, bold=True, align="center")
    yield from _block(said.also.get("mark", ""), columns, align="center")
    yield from _head(said, columns)
    yield PrintText(text=said.label, scale=LABEL_SCALE, bold=True, align="center")
    yield from _block(said.zone, columns, scale=ZONE_SCALE, bold=True, align="center")
    yield from _block(said.also.get("zone", ""), columns, align="center")
    yield from _block(said.note, columns, bold=True, align="center")
    yield PrintText(text="-" * columns)
    yield from _block(said.ahead, columns, bold=True, align="center")
    yield from _block(said.when, columns, align="center")
    yield from _block(said.also.get("when", ""), columns, align="center")
    yield PrintText(text="-" * columns)
    if said.follow_url:
        yield Feed()  # the quiet zone above
        yield PrintQr(data=said.follow_url, module_dots=qr_module_dots(qr_version(said.follow_url)))
        yield Feed()  # the quiet zone below
        yield from _block(said.follow, columns, bold=True, align="center")
        yield from _block(said.also.get("follow", ""), columns, align="center")
        yield from _block(said.short_url, columns, align="center")
    yield from _block(said.rule, columns)
    yield Cut()


def _head(said: Contents, columns: int) -> Iterator[PrintText]:
    gap = columns - len(said.office) - len(said.stamp)
    if gap > 0:
        yield PrintText(text=said.office + " " * gap + said.stamp, bold=True)
        return
    yield from _block(said.office, columns, bold=True)
    yield from _block(said.stamp, columns)


def _block(
    text: str, columns: int, *, scale: int = 1, bold: bool = False, align: Align = "left"
) -> Iterator[PrintText]:
    for line in wrapped(text, columns // scale):
        yield PrintText(text=line, scale=scale, bold=bold, align=align)


def wrapped(text: str, columns: int) -> list[str]:
    """The text in lines of at most ``columns`` letters, broken between words where one can."""
    lines: list[str] = []
    for word in unbroken_words(text):
        while len(word) > columns:
            lines.append(word[:columns])
            word = word[columns:]  # noqa: PLW2901 - the rest of a word that no line holds
        if lines and len(lines[-1]) + 1 + len(word) <= columns:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
