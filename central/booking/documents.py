"""Identity documents: checked where they can be, brought to one form so that a person has one hash."""

import re
from typing import Literal

import msgspec
from stdnum.es import dni, nie
from stdnum.exceptions import ValidationError

DocumentKind = Literal["dni", "nie", "passport", "other"]

_PASSPORT = re.compile(r"[A-Z0-9]{5,20}")
_LEAVE_OUT = str.maketrans("", "", " -./\u00a0")


class Document(msgspec.Struct, frozen=True):
    """A document in normal form: upper case, no spaces or marks."""

    kind: DocumentKind
    number: str


class KnownDocument(msgspec.Struct, frozen=True):
    """The document of somebody who has an appointment already: central keeps no number, only what stands for the person in the
    limits, and the end.
    """

    person_hash: bytes
    end: str


DocumentProblem = Literal["document_missing", "document_form", "document_letter"]
"""`document_letter`: all characters are right but the check letter does not belong to the number: a typing error."""


def read_document(kind: DocumentKind, typed: str) -> Document | DocumentProblem:
    """Check a typed document and bring it to its normal form.

    DNI and NIE carry a check letter, so a typing error shows; a passport has no common one and is only checked for form.

    Source: Real Decreto 1553/2005 (DNI), Real Decreto 557/2011 (NIE); python-stdnum.
    """
    number = typed.upper().translate(_LEAVE_OUT)
    if not number:
        return "document_missing"
    if kind in {"dni", "nie"}:
        return _read_national(kind, number)
    return Document(kind, number) if _PASSPORT.fullmatch(number) else "document_form"


def _read_national(kind: DocumentKind, number: str) -> Document | DocumentProblem:
    checked = dni if kind == "dni" else nie
    if kind == "dni" and re.fullmatch(r"\d{1,7}[A-Z]", number):
        number = number.zfill(9)  # old cards are written without the leading zeros
    try:
        return Document(kind, checked.validate(number))
    except ValidationError as error:
        return "document_letter" if type(error).__name__ == "InvalidChecksum" else "document_form"
