"""Read the QR codes of printed pictures, as a telephone's camera would: with a reader that is not ours."""

from __future__ import annotations

import structlog

from kiosk_agent.emulators.decoder import PaperTicket
from kiosk_agent.emulators.paper import PrintedPicture, render

log = structlog.get_logger(__name__)


def qr_texts_in(paper: PaperTicket) -> list[str]:
    """What the QR codes in the pictures of a ticket hold, from the top; nothing where zxing-cpp is not installed."""
    pictures = [piece for piece in paper.pieces if isinstance(piece, PrintedPicture)]
    if not pictures:
        return []
    try:
        import zxingcpp
    except ImportError:
        log.warning("printer.no_qr_reader", package="zxing-cpp")
        return []
    image = render(list(pictures), max(picture.width for picture in pictures))
    found = zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    return [code.text for code in found]
