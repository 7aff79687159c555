"""Checks what was typed under "Sus datos" and brings it to one form: a person, or what is wrong with which field. Pure."""

import re
from typing import Final

import msgspec
import phonenumbers

from central.booking.appointments import Person
from central.booking.documents import Document, DocumentKind, DocumentProblem, read_document
from central.portal.draft import Details

DOCUMENT_KINDS: Final[tuple[DocumentKind, ...]] = ("dni", "nie", "passport")
NEEDS: Final = ("wheelchair", "signs", "interpreter", "company", "quiet")
"""The support that can be asked for; the codes are those of the console. `wheelchair` gives the class of reduced mobility."""
NAME_MAX: Final = 100
MAIL_MAX: Final = 254
REGION: Final = "ES"

_NIE = re.compile(r"\s*[XYZxyz][\s.-]*\d")
_MAIL = re.compile(r"[^@\s<>,;:\"()\[\]\\]{1,64}@(?:[\w](?:[\w-]{0,61}[\w])?\.)+[^\W\d_]{2,63}")
_MOBILE: Final = {phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE}
_DOCUMENT_NAMES: Final = {
    "dni": "portal.you.doc.dni",
    "nie": "portal.you.doc.nie",
    "passport": "portal.you.doc.passport",
}


class FieldProblem(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a field, as a text of the catalogue. `names` are values that are texts themselves."""

    field: str
    key: str
    values: dict[str, str | int] = {}
    names: dict[str, str] = {}


def check_details(details: Details, language: str) -> Person | tuple[FieldProblem, ...]:
    """A person who can book, or every problem in the order of the form."""
    name = " ".join(details.name.split())
    document = _document(details)
    problems = [
        *_name_problems(name),
        *_document_problems(document, details),
        *_mail_problems(details.mail),
        *_mobile_problems(details.mobile),
    ]
    if problems or not isinstance(document, Document):
        return tuple(problems)
    return Person(
        full_name=name,
        document=document,
        email=details.mail or None,
        phone=read_mobile(details.mobile),
        language=language,
        needs=tuple(need for need in NEEDS if need in details.support),
    )


def read_mobile(typed: str) -> str | None:
    """A mobile number in E.164 form; none if it cannot be one. Without a prefix it is a Spanish one."""
    try:
        number = phonenumbers.parse(typed, REGION)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.number_type(number) not in _MOBILE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def shown_mobile(e164: str) -> str:
    """A number as people write it: with the prefix only when it is foreign."""
    number = phonenumbers.parse(e164)
    home = number.country_code == phonenumbers.country_code_for_region(REGION)
    form = phonenumbers.PhoneNumberFormat.NATIONAL if home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, form)


def _document(details: Details) -> Document | DocumentProblem:
    """A NIE typed under "DNI" is plainly a NIE: it says so by its first letter."""
    kind = next((kind for kind in DOCUMENT_KINDS if kind == details.doc_type), DOCUMENT_KINDS[0])
    if kind == "dni" and _NIE.match(details.doc):
        kind = "nie"
    return read_document(kind, details.doc)


def _name_problems(name: str) -> list[FieldProblem]:
    if sum(letter.isalpha() for letter in name) < 2:
        return [FieldProblem(field="name", key="portal.err.name")]
    if len(name) > NAME_MAX:
        return [FieldProblem(field="name", key="portal.err.name.long", values={"max": NAME_MAX})]
    return []


def _document_problems(document: Document | DocumentProblem, details: Details) -> list[FieldProblem]:
    match document:
        case "document_missing":
            return [FieldProblem(field="doc", key="portal.err.doc.empty")]
        case "document_letter":
            return [FieldProblem(field="doc", key="portal.err.doc")]
        case "document_form":
            kind = details.doc_type if details.doc_type in _DOCUMENT_NAMES else "dni"
            return [FieldProblem(field="doc", key="portal.err.doc.form", names={"type": _DOCUMENT_NAMES[kind]})]
        case Document():
            return []


def _mail_problems(mail: str) -> list[FieldProblem]:
    if not mail or (len(mail) <= MAIL_MAX and _MAIL.fullmatch(mail)):
        return []
    return [FieldProblem(field="mail", key="portal.err.mail")]


def _mobile_problems(mobile: str) -> list[FieldProblem]:
    if not mobile or read_mobile(mobile):
        return []
    return [FieldProblem(field="mobile", key="portal.err.mobile")]
