"""What a clerk types for an appointment: read from a form, and checked so far as that needs no central. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import msgspec

DOCUMENT_KINDS: Final = ("dni", "nie", "passport")
LANGUAGES: Final = ("es", "ar", "fr", "en")
SUPPORT: Final = ("wheelchair", "signs", "interpreter", "company", "quiet")
NAME_MAX: Final = 120
TYPED_MAX: Final = 80
_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_NATIONAL: Final = re.compile(r"([XYZ]?)([0-9]{1,8})([A-Z])")
_PASSPORT: Final = re.compile(r"[A-Z0-9]{5,20}")
_MAIL: Final = re.compile(r"[^@\s<>,;:\"()\[\]\\]{1,64}@[^@\s<>,;]+\.[^@\s<>,;.]{2,}")
_PHONE: Final = re.compile(r"\+?[0-9 ]{6,19}")
_LEAVE_OUT: Final = str.maketrans("", "", " -./\u00a0")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The form of an appointment as it was filled in, right or wrong.

    Args:
        at: the chosen start, as an instant; empty while none is.
        ticket: the ticket of the visit that it follows.
        same_person: book it for the person of that visit's appointment; nothing of them is typed.
        tried: central was asked with this request_id, and its answer never came.
        do: which button was pressed.
    """

    request_id: str = ""
    office: str = ""
    service: str = ""
    day: str = ""
    at: str = ""
    ticket: str = ""
    same_person: bool = False
    tried: bool = False
    full_name: str = ""
    document_kind: str = "dni"
    document: str = ""
    email: str = ""
    phone: str = ""
    language: str = "es"
    needs: tuple[str, ...] = ()
    do: str = ""

    @property
    def slot_start_at(self) -> datetime | None:
        return instant(self.at)

    @property
    def wanted_day(self) -> date | None:
        return day_or_none(self.day)


def wanted_of(pairs: Sequence[tuple[str, Any]]) -> Wanted:
    """Read the form; what cannot be one of a list's values is the list's first."""
    typed = {name: value.strip() for name, value in pairs if isinstance(value, str)}
    needs = tuple(need for need in SUPPORT if ("needs", need) in pairs)
    return Wanted(
        request_id=typed.get("request_id", "") if is_uuid(typed.get("request_id", "")) else "",
        office=slug(typed.get("office", "")),
        service=slug(typed.get("service", "")),
        day=typed.get("day", "")[:10],
        at=typed.get("at", "")[:32],
        ticket=typed.get("ticket", "") if is_uuid(typed.get("ticket", "")) else "",
        same_person=typed.get("same_person") == "yes",
        tried=typed.get("tried") == "yes",
        full_name=" ".join(typed.get("full_name", "").split()),
        document_kind=_one_of(typed.get("document_kind", ""), DOCUMENT_KINDS),
        document=typed.get("document", ""),
        email=typed.get("email", ""),
        phone=typed.get("phone", ""),
        language=_one_of(typed.get("language", ""), LANGUAGES),
        needs=needs,
        do=typed.get("do", ""),
    )


def problems_of(wanted: Wanted) -> dict[str, str]:
    """What is wrong with the form, by field, as keys of the words, in the order of the form."""
    found = {
        "at": "" if wanted.slot_start_at else "console.book.problem.time",
        **({} if wanted.same_person else _of_person(wanted)),
        "email": _of(wanted.email, _MAIL, "console.book.problem.email", 254),
        "phone": _of(wanted.phone, _PHONE, "console.book.problem.phone", 20),
    }
    return {field: key for field, key in found.items() if key}


def document_problem(kind: str, typed: str) -> str:
    """What is wrong with a document; empty when nothing is. Only DNI and NIE carry a letter that tells.

    Source: Real Decreto 1553/2005 (DNI), Real Decreto 557/2011 (NIE): number modulo 23.
    """
    number = typed.upper().translate(_LEAVE_OUT)
    if not number:
        return "console.book.problem.document.missing"
    if kind == "passport":
        return "" if _PASSPORT.fullmatch(number) else "console.book.problem.document.form"
    national = _NATIONAL.fullmatch(number)
    if national is None or (kind == "nie") != bool(national[1]):
        return "console.book.problem.document.form"
    digits = national[2] if kind == "dni" else f"{'XYZ'.index(national[1])}{national[2].zfill(7)}"
    return "" if _LETTERS[int(digits) % 23] == national[3] else "console.book.problem.document.letter"


def instant(typed: str) -> datetime | None:
    """An aware instant of one of our own addresses or forms."""
    try:
        at = datetime.fromisoformat(typed)
    except ValueError:
        return None
    return at if at.tzinfo is not None and 1900 < at.year < 2200 else None


def day_or_none(typed: str) -> date | None:
    """A date of one of our own addresses or forms."""
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        return None
    return day if 1900 < day.year < 2200 else None


def is_uuid(typed: str) -> bool:
    return _UUID.fullmatch(typed) is not None


def slug(typed: str) -> str:
    """An id that people choose; empty when it cannot be one."""
    return typed if _SLUG.fullmatch(typed) else ""


def name_of(typed: str) -> str:
    """A name for paper, of one line and no more than a name's length."""
    return " ".join("".join(ch if ch.isprintable() else " " for ch in typed).split())[:NAME_MAX]


def _of_person(wanted: Wanted) -> Mapping[str, str]:
    is_name = any(ch.isalpha() for ch in wanted.full_name) and wanted.full_name.isprintable()
    name = "" if is_name and len(wanted.full_name) <= NAME_MAX else "console.book.problem.name"
    return {"full_name": name, "document": document_problem(wanted.document_kind, wanted.document)}


def _of(typed: str, shape: re.Pattern[str], key: str, most_chars: int) -> str:
    """The problem of a field that may stay empty."""
    return key if typed and (len(typed) > most_chars or not shape.fullmatch(typed)) else ""


def _one_of(typed: str, values: tuple[str, ...]) -> str:
    return typed if typed in values else values[0]
