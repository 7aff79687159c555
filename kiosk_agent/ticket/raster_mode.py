"""A ticket as a drawing: every mark with its place, for the printer to be sent as one picture.

Reading order runs from the head to the rule; where the language runs from the right, so do the lines and the QR changes
sides. Sizes are those of look/ticket.css; the code's capitals are 0.668 of its size (Atkinson Hyperlegible Next), so 216
dots of type are 144 dots, 18 mm.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from kiosk_agent.ticket.contents import Contents
from kiosk_agent.ticket.paper import (
    Align,
    AnyMark,
    Bar,
    Drawing,
    Plate,
    QrCode,
    Tiles,
    Words,
    qr_module_dots,
    qr_modules,
    qr_version,
    unbroken_words,
)

FULL_WIDTH = 576
MARGIN = 16
TILE = 24
PLATE_HEIGHT = 250
LABEL_SIZE = 216
LABEL_LEAST = 180
"""Capitals of 0.668 x 180 dots are 15 mm high (KIO-26)."""
ZONE_LEAST = 48
"""Capitals of 0.668 x 48 dots are 4 mm high (KIO-26)."""
LEADING = {"ar": 1.4}
"""Line height by language, where letters need more room than 1.2 of their size."""


class Measure(Protocol):
    def __call__(self, text: str, size: int, *, bold: bool, language: str) -> int:
        """The width of a text in dots."""


def draw(said: Contents, *, width_dots: int, measure: Measure, density: float = 1.0) -> Drawing:
    """Set the ticket on paper of ``width_dots``; narrower paper gets the same ticket in smaller letters.

    Args:
        density: makes letters and gaps smaller where much is to be said; the QR code keeps its size.
    """
    page = _Page(said, width_dots, measure, density)
    page.tiles()
    page.head()
    page.plate()
    page.zone()
    page.wait()
    page.follow()
    page.rule()
    return Drawing(width=width_dots, height=page.y + page.dots(10), marks=tuple(page.marks))


def balanced(text: str, width: int, measured: Callable[[str], int]) -> list[str]:
    """The text in as few lines as fit ``width``, and those about equally long."""
    lines = _filled(text, width, measured)
    narrow, wide = 1, width
    while narrow < wide:  # the narrowest column that needs no further line
        middle = (narrow + wide) // 2
        tried = _filled(text, middle, measured)
        if len(tried) <= len(lines) and all(measured(line) <= middle for line in tried):
            lines, wide = tried, middle
        else:
            narrow = middle + 1
    return lines


def _filled(text: str, width: int, measured: Callable[[str], int]) -> list[str]:
    lines: list[str] = []
    for word in unbroken_words(text):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and measured(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


class _Page:
    """The pen: what stands on the paper so far, and how far down it is."""

    def __init__(self, said: Contents, width: int, measure: Measure, density: float) -> None:
        self.said = said
        self.density = density
        self.width = width
        self.measure = measure
        self.marks: list[AnyMark] = []
        self.y = 8

    def dots(self, at_full_width: int) -> int:
        """A length of the full-width ticket on this paper."""
        return round(at_full_width * self.density) * self.width // FULL_WIDTH

    @property
    def inner(self) -> int:
        return self.width - 2 * self.dots(MARGIN)

    def tiles(self) -> None:
        tile = self.dots(TILE)
        self.marks.append(Tiles(x=0, y=self.y, width=self.width, tile=tile))
        self.y += tile + self.dots(8)

    def head(self) -> None:
        said = self.said
        self.lines(said.mark, 28, bold=True, align="center")
        self.lines(said.also.get("mark", ""), 26, align="center", language="es")
        office, stamp = self.dots(38), self.dots(32)
        used = self._width(said.office, office, bold=True) + self._width(said.stamp, stamp, language="es")
        if used + self.dots(16) > self.inner:
            self.lines(said.office, 38, bold=True, align="left")
            self.lines(said.stamp, 32, align="left", language="es")
            return
        start: Align = self._side("left")
        end: Align = "left" if start == "right" else "right"
        height = self._leading(office)
        self._place(said.office, office, self.y, align=start, bold=True)
        self._place(said.stamp, stamp, self.y + height - self._leading(stamp, "es"), align=end, language="es")
        self.y += height + self.dots(6)

    def plate(self) -> None:
        height, size = self.dots(PLATE_HEIGHT), max(self.dots(LABEL_SIZE), LABEL_LEAST * self.width // FULL_WIDTH)
        margin = self.dots(MARGIN)
        room = self.inner - self.dots(64)
        width = self.measure(self.said.label, size, bold=True, language="es")
        size = min(size, size * room // max(1, width))
        self.marks.append(Plate(x=margin, y=self.y, width=self.inner, height=height, label=self.said.label, size=size))
        self.y += height + self.dots(12)

    def zone(self) -> None:
        self.lines(self.said.zone, max(54, round(ZONE_LEAST / self.density)), bold=True, align="center")
        self.lines(self.said.also.get("zone", ""), 30, align="center", language="es")
        self.lines(self.said.note, 32, bold=True, align="center")

    def wait(self) -> None:
        self._bar()
        self.lines(self.said.ahead, 36, bold=True, align="center")
        self.lines(self.said.when, 36, align="center")
        self.lines(self.said.also.get("when", ""), 30, align="center", language="es")
        self._bar()

    def follow(self) -> None:
        said = self.said
        if not said.follow_url:
            return
        version = qr_version(said.follow_url)
        module = max(3, qr_module_dots(version) * self.width // FULL_WIDTH)
        side, quiet = qr_modules(version) * module, 4 * module
        top = self.y
        x = self.width - quiet - side if said.right_to_left else quiet
        self.marks.append(QrCode(x=x, y=top + quiet, data=said.follow_url, version=version, module_dots=module))
        beside = (self.dots(MARGIN), self.width - side - 2 * quiet)
        if not said.right_to_left:
            beside = (side + 2 * quiet, self.width - self.dots(MARGIN))
        below = self._beside(top, side + 2 * quiet, *beside)
        self.y = max(top + side + 2 * quiet, below)

    def rule(self) -> None:
        self.lines(self.said.rule, 27, align="right" if self.said.right_to_left else "left")

    def lines(self, text: str, size: int, *, bold: bool = False, align: Align, language: str | None = None) -> None:
        """Set a text over the whole width, and move below it."""
        if not text:
            return
        dots, language = self.dots(size), language or self.said.language
        for line in balanced(text, self.inner, lambda part: self._width(part, dots, bold=bold, language=language)):
            self._place(line, dots, self.y, align=self._side(align), bold=bold, language=language)
            self.y += self._leading(dots, language)

    def _beside(self, top: int, height: int, left: int, right: int) -> int:
        """Set the words next to the QR code, in the middle of its height; gives where they end."""
        said, room = self.said, right - left
        blocks = [(said.follow, 34, True, said.language), (said.also.get("follow", ""), 28, False, "es")]
        blocks.append((said.short_url, 28, False, "es"))
        set_lines: list[tuple[str, int, bool, str]] = []
        for text, size, bold, language in blocks:
            dots = self._fitting(text, self.dots(size), room, bold=bold, language=language)
            measured = _Measured(self, dots, bold, language)
            set_lines += [(line, dots, bold, language) for line in balanced(text, room, measured)]
        total = sum(self._leading(dots, language) for _, dots, _, language in set_lines)
        y = top + max(0, (height - total) // 2)
        for line, dots, bold, language in set_lines:
            align: Align = "right" if said.right_to_left else "left"
            x = right if said.right_to_left else left
            self.marks.append(Words(x=x, y=y, text=line, size=dots, bold=bold, align=align, language=language))
            y += self._leading(dots, language)
        return y

    def _fitting(self, text: str, dots: int, room: int, *, bold: bool, language: str) -> int:
        """The size at which the longest word still fits: an address is not broken."""
        longest = max(
            (self._width(word, dots, bold=bold, language=language) for word in unbroken_words(text)), default=0
        )
        return dots if longest <= room else max(16, dots * room // longest)

    def _bar(self) -> None:
        margin = self.dots(MARGIN)
        self.y += self.dots(8)
        self.marks.append(Bar(x=margin, y=self.y, width=self.inner, height=4))
        self.y += 4 + self.dots(6)

    def _side(self, align: Align) -> Align:
        if self.said.right_to_left and align == "left":
            return "right"
        return align

    def _place(
        self, text: str, dots: int, y: int, *, align: Align, bold: bool = False, language: str | None = None
    ) -> None:
        margin = self.dots(MARGIN)
        x = {"left": margin, "center": self.width // 2, "right": self.width - margin}[align]
        spoken = language or self.said.language
        self.marks.append(Words(x=x, y=y, text=text, size=dots, bold=bold, align=align, language=spoken))

    def _width(self, text: str, dots: int, *, bold: bool = False, language: str | None = None) -> int:
        return self.measure(text, dots, bold=bold, language=language or self.said.language)

    def _leading(self, dots: int, language: str | None = None) -> int:
        return round(dots * LEADING.get(language or self.said.language, 1.2))


class _Measured:
    """The width of a text in one size, as ``balanced`` asks for it."""

    def __init__(self, page: _Page, dots: int, bold: bool, language: str) -> None:
        self._page, self._dots, self._bold, self._language = page, dots, bold, language

    def __call__(self, text: str) -> int:
        return self._page.measure(text, self._dots, bold=self._bold, language=self._language)
