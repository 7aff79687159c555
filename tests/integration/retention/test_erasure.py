"""A person's right to erasure: nothing of them is left in any table, the offices are told, and the statistics stay."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from central.audit import Attested
from central.booking.appointments import Booked, NotFound, Person
from central.booking.documents import Document
from central.booking.drafts import Drafts
from central.portal.draft import Details, Draft
from central.retention import erasure, forms
from central.retention.erasure import Erased, erase_person
from sync.messages.feed import office_stream
from tests.integration.booking.conftest import TUESDAY_9H, Bed, request_id, wish

pytestmark = pytest.mark.postgres

NAME, NUMBER, MAIL = "Zubaida Qandil", "QX77ZK9W", "zubaida@example.org"


async def booked(bed: Bed, n: int = 0, service: str = "viaje", name: str = NAME, number: str = NUMBER) -> Booked:
    one = Person(
        full_name=name, document=Document("passport", number), email=MAIL, phone="+34600111222", needs=("wheelchair",)
    )
    outcome = await bed.booking.bookings.book(request_id(), wish(TUESDAY_9H + timedelta(minutes=10 * n), service), one)
    assert isinstance(outcome, Booked)
    return outcome


async def form(bed: Bed, *, doc: str = "", doc_type: str = "passport", **of: str | None) -> None:
    """A half-made form of the portal, as somebody typed it."""
    details = Details(name="Zubaida", doc_type=doc_type, doc=doc)
    draft = Draft(request_id=request_id(), service_id="viaje", details=details, **of)  # type: ignore[arg-type]
    await Drafts(bed.central).begin(request_id(), msgspec.json.encode(draft))


def who(bed: Bed) -> Attested:
    return Attested(actor="ops", at=bed.clock.now(), statement="request 41")


async def everything(bed: Bed) -> str:
    """All rows of all tables as text, bytes decoded as far as they are text."""
    tables = await bed.pool.fetch(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    rows = [row for table in tables for row in await bed.pool.fetch(f'SELECT * FROM "{table["relname"]}"')]
    return " ".join(
        value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        for row in rows
        for value in row.values()
    )


async def test_nothing_of_the_person_is_left(bed: Bed) -> None:
    for n, service in enumerate(("viaje", "padron")):
        done = await booked(bed, 3 * n, service)
        found = await bed.booking.changes.by_id(done.appointment_id)
        assert found is not None
        if service == "padron":
            await bed.booking.changes.cancel(found)
    await bed.pool.execute("UPDATE appointment SET status = 'attended' WHERE status = 'booked'")
    typed = "qx-77 zk.9w"
    await form(bed, doc=typed)
    other = await booked(bed, 9, name="Otra Persona", number="QX000001")
    before = await everything(bed)
    for personal in (NAME, "Zubaida Q.", typed, "+34600111222", "ZK9W"):
        assert personal in before, personal

    erased = await erase_person(bed.booking, who(bed), document="qx 77zk9w")
    assert erased == Erased(appointments=2, cancelled=0, mails=3, drafts=1, offices=("centro",))
    after = await everything(bed)
    for personal in ("Zubaida", NUMBER, typed, "ZK9W"):
        assert personal not in after, personal
    row = await bed.pool.fetchrow("SELECT * FROM appointment WHERE appointment_id = $1", other.appointment_id)
    assert (row["full_name"], row["email"]) == ("Otra Persona", MAIL), "nobody else"
    kept = await bed.pool.fetch("SELECT status, service_id, slot_start_at FROM appointment WHERE full_name IS NULL")
    assert sorted((r["status"], r["service_id"]) for r in kept) == [("attended", "viaje"), ("cancelled", "padron")]
    acts = await bed.pool.fetch("SELECT actor, act, attested FROM audit WHERE act = 'person.erased'")
    assert [tuple(act) for act in acts] == [("ops", "person.erased", "request 41")] * 2
    assert await erase_person(bed.booking, who(bed), document=NUMBER) == "unknown", "there is nobody any more"


async def test_the_office_is_told_and_its_stream_holds(bed: Bed) -> None:
    done = await booked(bed)
    await bed.pool.execute("UPDATE appointment SET status = 'attended'")
    stream = office_stream("centro")
    head: Any = await bed.pool.fetchrow("SELECT head, hash FROM stream_head WHERE stream = $1", stream)
    assert isinstance(await erase_person(bed.booking, who(bed), document=NUMBER), Erased)
    rows = await bed.pool.fetch("SELECT seq, kind, entity_id, body FROM feed WHERE stream = $1 ORDER BY seq", stream)
    assert [(row["seq"] - head["head"], row["kind"]) for row in rows] == [(1, "appointment"), (2, "person_erased")]
    assert {row["entity_id"] for row in rows} == {done.appointment_id}
    entity = await bed.pool.fetchrow(
        "SELECT version, body FROM feed_entity WHERE entity_id = $1 AND kind = 'appointment'", done.appointment_id
    )
    assert entity["version"] == 2
    assert b'"display_name":""' in entity["body"]


async def test_appointments_to_come_are_a_reason_to_ask_first(bed: Bed) -> None:
    done = await booked(bed)
    assert await erase_person(bed.booking, who(bed), document=NUMBER) == "still_booked"
    assert NAME in await everything(bed)
    erased = await erase_person(bed.booking, who(bed), document=NUMBER, cancel=True)
    assert isinstance(erased, Erased)
    assert (erased.appointments, erased.cancelled) == (1, 1)
    assert "Zubaida" not in await everything(bed)
    row = await bed.pool.fetchrow("SELECT status, link_version FROM appointment")
    assert tuple(row) == ("cancelled", 2)
    assert (await bed.seats()).get("booked") is None
    mails = await bed.pool.fetch("SELECT state, recipient, message FROM mail")
    assert {tuple(mail) for mail in mails} == {("dropped", None, None)}
    assert await bed.booking.changes.by_link(done.link) == NotFound()


async def test_a_locator_finds_the_person_and_all_that_is_theirs(bed: Bed) -> None:
    done = await booked(bed)
    await bed.pool.execute("UPDATE appointment SET status = 'no_show'")
    await booked(bed, 3, "padron")
    code = f"{done.locator[:3]}-{done.locator[3:].lower()}"
    erased = await erase_person(bed.booking, who(bed), locator=code, cancel=True)
    assert isinstance(erased, Erased)
    assert erased.appointments == 2
    assert "Zubaida" not in await everything(bed)


@pytest.mark.parametrize("was, then", [("attended", "booked"), ("booked", "attended")])
async def test_only_what_was_erased_and_cancelled_is_counted(
    bed: Bed, monkeypatch: pytest.MonkeyPatch, was: str, then: str
) -> None:
    await booked(bed)
    await bed.pool.execute("UPDATE appointment SET status = $1", was)
    real = forms.drop_forms

    async def meanwhile(*args: Any) -> int:
        await bed.pool.execute("UPDATE appointment SET status = $1", then)
        return await real(*args)

    monkeypatch.setattr(erasure, "drop_forms", meanwhile)
    erased = await erase_person(bed.booking, who(bed), document=NUMBER, cancel=True)
    assert isinstance(erased, Erased)
    expected = (0, 0, (), 1) if then == "booked" else (1, 0, ("centro",), 0)
    assert (erased.appointments, erased.cancelled, erased.offices, erased.left) == expected
    assert (NAME in await everything(bed)) == (then == "booked")


async def test_forms_are_found_however_the_document_was_typed(bed: Bed) -> None:
    for doc in ("12345678z", "12.345.678-z", "12 345 678 Z"):
        await form(bed, doc=doc, doc_type="dni")
    await form(bed, doc="12345678Z", doc_type="passport")
    await form(bed, doc="87654321x", doc_type="dni")
    await form(bed)
    erased = await erase_person(bed.booking, who(bed), document="12345678Z")
    assert erased == Erased(appointments=0, cancelled=0, mails=0, drafts=4, offices=())
    assert await bed.pool.fetchval("SELECT count(*) FROM booking_draft") == 2, "of others"
    assert await erase_person(bed.booking, who(bed), document="12345678Z") == "unknown"


async def test_forms_are_found_by_the_appointments_of_a_locator(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "AT_ONCE", 1)
    done = await booked(bed)
    await form(bed, booked=done.appointment_id)
    await form(bed, moves=done.appointment_id)
    await form(bed, doc=NUMBER.lower())
    await form(bed, doc="QX000001", moves=request_id())
    assert await erase_person(bed.booking, who(bed), locator=done.locator) == "still_booked"
    assert await bed.pool.fetchval("SELECT count(*) FROM booking_draft") == 4, "refused, nothing is changed"
    erased = await erase_person(bed.booking, who(bed), locator=done.locator, cancel=True)
    assert isinstance(erased, Erased)
    assert (erased.appointments, erased.drafts) == (1, 3)
    assert await bed.pool.fetchval("SELECT count(*) FROM booking_draft") == 1


async def test_a_locator_of_two_people_erases_nobody(bed: Bed) -> None:
    first = await booked(bed)
    await bed.pool.execute("UPDATE appointment SET status = 'attended'")
    await booked(bed, 3, name="Otra Persona", number="QX000001")
    await bed.pool.execute("UPDATE appointment SET locator = $1", first.locator)
    assert await erase_person(bed.booking, who(bed), locator=first.locator) == "several_people"
    assert await erase_person(bed.booking, who(bed), locator="AAAAAA") == "unknown"
    assert await erase_person(bed.booking, who(bed), locator="no") == "malformed"
    assert await erase_person(bed.booking, who(bed), document="!") == "malformed"


async def test_broken_off_between_two_appointments_it_goes_on(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    await booked(bed)
    await booked(bed, 3, "padron")
    await bed.pool.execute("UPDATE appointment SET status = 'attended'")
    real, calls = erasure._erase, 0

    async def dies_at_the_second(connection: Any, found: Any, by: Attested) -> int | None:
        nonlocal calls
        calls += 1
        mails = await real(connection, found, by)
        if calls == 2:
            raise ConnectionError
        return mails

    monkeypatch.setattr(erasure, "_erase", dies_at_the_second)
    with pytest.raises(ConnectionError):
        await erase_person(bed.booking, who(bed), document=NUMBER)
    monkeypatch.setattr(erasure, "_erase", real)
    again = await erase_person(bed.booking, who(bed), document=NUMBER)
    assert isinstance(again, Erased)
    assert again.appointments == 1
    assert "Zubaida" not in await everything(bed)
    assert await bed.pool.fetchval("SELECT count(*) FROM audit WHERE act = 'person.erased'") == 2
