"""The printed ticket as values: what it says, and where each thing stands on the paper. Pure.

Two ways onto paper. *Text mode* speaks the printer's own letters and is quick over a serial line, but knows Latin letters
only. *Raster mode* is a picture, drawn elsewhere from the drawing made here; Arabic is always printed so, because no
thermal printer shapes its letters. Lengths are dots at 203 dpi, 8 to the millimetre.

Source: ux.md KIO-26 to KIO-29; look/ticket.css.
"""

from kiosk_agent.ticket.contents import Contents, Voice, contents
from kiosk_agent.ticket.paper import Cut, Drawing, Feed, PaperOp, PrintQr, PrintRaster, PrintText, height_dots
from kiosk_agent.ticket.raster_mode import Measure, draw
from kiosk_agent.ticket.text_mode import write

__all__ = [
    "Contents",
    "Cut",
    "Drawing",
    "Feed",
    "Measure",
    "PaperOp",
    "PrintQr",
    "PrintRaster",
    "PrintText",
    "Voice",
    "contents",
    "draw",
    "height_dots",
    "layout",
    "write",
]

MAX_LENGTH_DOTS = 1040
"""130 mm, the longest a ticket may be (KIO-26)."""

DENSITIES = (1.0, 0.9, 0.8)


def layout(said: Contents, *, raster: bool, width_dots: int, measure: Measure) -> tuple[PaperOp, ...]:
    """A ticket ready for the printer, in as many words as fit its length.

    Args:
        raster: the printer is quick enough for pictures.
        width_dots: printable width: 576 on 80 mm paper, 384 on 58 mm.
        measure: width of a text in the raster's letters.
    """
    ops: tuple[PaperOp, ...] = ()
    for text in said.shorter_and_shorter():
        for density in DENSITIES:
            ops = _laid_out(text, raster=raster, width_dots=width_dots, measure=measure, density=density)
            if height_dots(ops) <= MAX_LENGTH_DOTS:
                return ops
    return ops


def _laid_out(
    said: Contents, *, raster: bool, width_dots: int, measure: Measure, density: float
) -> tuple[PaperOp, ...]:
    if raster or said.right_to_left:
        return (PrintRaster(draw(said, width_dots=width_dots, measure=measure, density=density)), Cut())
    return write(said, width_dots=width_dots)
