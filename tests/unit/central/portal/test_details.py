from __future__ import annotations

import pytest

from central.booking.appointments import Person
from central.booking.documents import Document
from central.portal.details import check_details, read_mobile, shown_mobile
from central.portal.draft import Details

GOOD = Details(
    name="  Fátima   Mohamed Ruiz ", doc="45298316-t", mail="fatima@example.org", support=("quiet", "wheelchair")
)


def test_good_details_become_a_person_in_one_form() -> None:
    person = check_details(GOOD, "ar")
    assert person == Person(
        full_name="Fátima Mohamed Ruiz",
        document=Document("dni", "45298316T"),
        email="fatima@example.org",
        language="ar",
        needs=("wheelchair", "quiet"),
    )


@pytest.mark.parametrize(
    "kind, typed, document",
    [
        ("dni", "X1234567L", Document("nie", "X1234567L")),  # a NIE says itself that it is one
        ("nie", "y 1234567 x", Document("nie", "Y1234567X")),
        ("dni", "1r", Document("dni", "00000001R")),
        ("passport", "ab123456", Document("passport", "AB123456")),
    ],
)
def test_documents_are_read_as_people_write_them(kind: str, typed: str, document: Document) -> None:
    person = check_details(Details(name="Ana", doc_type=kind, doc=typed), "es")
    assert isinstance(person, Person)
    assert person.document == document


def test_every_problem_is_told_in_the_order_of_the_form() -> None:
    problems = check_details(Details(mail="x", mobile="1"), "es")
    assert not isinstance(problems, Person)
    assert [problem.field for problem in problems] == ["name", "doc", "mail", "mobile"]


def test_neither_mail_nor_mobile_is_fine() -> None:
    assert isinstance(check_details(Details(name="Ana", doc="45298316T"), "es"), Person)


@pytest.mark.parametrize(
    "typed, stored, shown",
    [
        ("600 123 456", "+34600123456", "600 12 34 56"),
        ("0034 600123456", "+34600123456", "600 12 34 56"),
        ("+212 612-345678", "+212612345678", "+212 6 12 34 56 78"),
        ("12", None, None),
        ("", None, None),
        ("952 69 91 00", None, None),  # a landline takes no message
        ("seis", None, None),
    ],
)
def test_mobiles(typed: str, stored: str | None, shown: str | None) -> None:
    assert read_mobile(typed) == stored
    if stored:
        assert shown_mobile(stored) == shown


@pytest.mark.parametrize(
    "mail, good",
    [
        ("a@b.es", True),
        ("ana.pérez+citas@sub.example.org", True),
        ("a@b", False),
        ("a b@c.es", False),
        ("a@b.es, c@d.es", False),
        ("<a@b.es>", False),
        (f"{'a' * 250}@b.es", False),
    ],
)
def test_mails(mail: str, good: bool) -> None:
    outcome = check_details(Details(name="Ana", doc="45298316T", mail=mail), "es")
    assert isinstance(outcome, Person) is good
