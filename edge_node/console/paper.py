"""What staff print for a person: in Spanish, and beside it in the person's own language; on a sheet, or on the roll of a receipt
printer that stands at the desk.

The kiosk's printer is no printer for these: they bear a name, or a code that cancels an appointment, and would lie in the hall.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from litestar.response import Response

from edge_node.console.frame import Frame, frame_of, paper_cookie, remembered_paper
from edge_node.console.routes import AnyRequest, node_of
from sync.messages.feed import Text
from ui import formats
from ui.catalog import Words
from ui.locales import CITIZEN_LOCALES, SOURCE


class Tongue:
    """One language of a printed page."""

    def __init__(self, words: Words, zone: ZoneInfo) -> None:
        self._words = words
        self._zone = zone
        self.tag = words.locale.tag
        self.direction = words.locale.direction

    def text(self, key: str, **values: object) -> str:
        return self._words.text(key, **values)

    def day(self, instant: datetime) -> str:
        """Weekday and date with the year, as paper needs it."""
        return formats.day(instant, self.tag, year=True, zone=self._zone)

    def of(self, text: Text, otherwise: str = "") -> str:
        """A text of central's in this language, else in Spanish."""
        return text.get(self.tag) or text.get(SOURCE) or otherwise


def tongues(frame: Frame, language: str) -> tuple[Tongue, ...]:
    """Spanish first, then the person's language, if that is another one."""
    tags = dict.fromkeys((SOURCE, language if language in CITIZEN_LOCALES else SOURCE))
    return tuple(Tongue(frame.words(tag), frame.zone) for tag in tags)


PAPERS: Final = ("sheet", "roll")


def paper_page(request: AnyRequest, template: str, values: dict[str, Any], *, status: int = 200) -> Response[str]:
    """A page to print, laid out for the paper that this PC prints on: the one asked for with ``?paper=``, which is remembered."""
    asked = request.query_params.get("paper", "")
    paper = next((each for each in (asked, remembered_paper(request)) if each in PAPERS), PAPERS[0])
    reply = frame_of(request).page(request, template, {**values, "paper": paper}, status=status)
    if asked in PAPERS:
        reply.set_cookie(paper_cookie(node_of(request), paper))
    return reply
