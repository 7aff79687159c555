"""What somebody wants to know of the record, as the address of the page says it. Pure: an address can be typed, so anything can
stand in it.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from central.portal.visit import Incoming, clean
from central.staff.gate import AUDIT

CITY: Final = "-"
"""Stands for no office in addresses: what concerns the city."""
UNSAID: Final = "?"
"""Stands in the record for what was typed and is no id: perhaps a name or a document, and the record stays."""
MAX_TYPED: Final = 60
YEARS: Final = range(2000, 2200)
"""What is outside is no day of an office, and the ends of the calendar have no day around them."""
LAST_PLACE: Final = 2**63 - 2
"""The last place that the database can look behind."""
_LABEL: Final = re.compile(r"[A-Z][1-9][0-9]{0,2}")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to know, as the address says it.

    Args:
        day: none: what was typed is no day.
        typed_day: what was typed.
        what: a label or a locator.
        everything: what machines and citizens do as well.
        facts_after, acts_after: what was seen of a list.
    """

    office: str
    day: date | None
    typed_day: str
    person: str
    what: str
    everything: bool
    facts_after: str
    acts_after: str

    @classmethod
    def of(cls, request: Incoming, office: str, today: date) -> Asked:
        query = request.query_params
        typed_day = clean(query.get("dia", "")) or today.isoformat()
        return cls(
            office=office,
            day=day_of(typed_day),
            typed_day=typed_day[:MAX_TYPED],
            person=clean(query.get("persona", ""))[:MAX_TYPED],
            what=clean(query.get("que", ""))[:MAX_TYPED],
            everything=bool(query.get("todo")),
            facts_after=query.get("hechos", ""),
            acts_after=query.get("actos", ""),
        )

    def subject(self, *, person: str = "", what: str = "") -> str:
        """As the record keeps the look-up.

        Args:
            person: who was asked for, if that is a user name.
            what: the label or locator that was found; a label is one by its form, a locator can be a name and has to be found.
        """
        label = self.what.upper() if _LABEL.fullmatch(self.what.upper()) else ""
        asked = [(self.person, person), (self.what, what or label)]
        return " ".join([self.office, str(self.day or UNSAID), *(known or UNSAID for typed, known in asked if typed)])

    def further(self, *, facts: str = "", acts: str = "") -> str:
        """The address of the rest of a list."""
        query = {
            "oficina": self.office,
            "dia": self.typed_day,
            "persona": self.person,
            "todo": "1" if self.everything else "",
            "hechos": facts or self.facts_after,
            "actos": acts or self.acts_after,
        }
        return f"{AUDIT}?{urlencode({key: value for key, value in query.items() if value})}"


def day_of(text: str) -> date | None:
    """The day that was typed; none for what is none."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in YEARS else None


def place_of(text: str) -> tuple[int, int]:
    """The place in a journal that a list goes on behind; the beginning for what is none."""
    epoch, _, seq = text.partition(".")
    if not (epoch.isdecimal() and seq.isdecimal() and len(text) <= MAX_TYPED):
        return (0, 0)
    return min(int(epoch), LAST_PLACE), min(int(seq), LAST_PLACE)


def told_place(header: Any) -> str:
    """The place of a fact, as addresses and tables say it."""
    return f"{header.epoch}.{header.seq}"


def last_of(text: str) -> tuple[datetime, str] | None:
    """Time and id of the act that a list goes on behind; none for the beginning, and for what is none."""
    at, _, audit_id = text.partition(",")
    try:
        found, known = datetime.fromisoformat(at), str(UUID(audit_id))
    except ValueError:
        return None
    return (found, known) if found.tzinfo is not None and found.year in YEARS else None
