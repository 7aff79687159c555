"""Every rule of retention: what goes, what stays, what is written down; broken off and begun again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from prometheus_client import REGISTRY

from central.booking.appointments import Booked
from central.booking.drafts import Drafts
from central.exchange.feed import emit
from central.retention import kinds
from central.retention.rules import LastRun, Rule, rules_of, state_of
from central.retention.service import carry_out, limits_of, rehearse, standing, tell_successes
from central.settings import Settings
from sync.io.ids import new_id
from sync.messages.feed import PersonErased, office_stream
from tests.integration.booking.conftest import TUESDAY_9H, Bed, person, request_id, wish
from tests.kit.small_city import MONDAY_8H
from ui.catalog import load_catalog

pytestmark = pytest.mark.postgres

METRIC = "ventanilla_retention_succeeded_seconds"


async def booked(bed: Bed, number: int = 1, day: int = 0) -> str:
    start_at = TUESDAY_9H + timedelta(days=day, minutes=10 * number)
    outcome = await bed.booking.bookings.book(request_id(), wish(start_at), person(number, f"p{number}@example.org"))
    assert isinstance(outcome, Booked)
    return outcome.appointment_id


async def forgotten(bed: Bed, **options: Any) -> dict[str, int]:
    done = await carry_out(bed.pool, bed.central.settings, bed.clock.now(), **options)
    assert done is not None
    return {one.rule.kind: one.gone for one in done}


async def runs(bed: Bed, kind: str) -> list[Any]:
    rows: list[Any] = await bed.pool.fetch(
        "SELECT * FROM retention_run WHERE kind = $1 ORDER BY began_at, run_id", kind
    )
    return rows


async def test_a_person_is_forgotten_and_the_statistics_stay(bed: Bed) -> None:
    appointment = await booked(bed)
    await bed.pool.execute("UPDATE appointment SET status = 'attended', needs = '{wheelchair}'")
    before = await bed.pool.fetchrow("SELECT * FROM appointment")
    bed.clock.advance(days=31)
    assert (await forgotten(bed))["people"] == 0, "Tuesday and thirty days"
    bed.clock.advance(days=1)
    assert (await forgotten(bed))["people"] == 1
    after = await bed.pool.fetchrow("SELECT * FROM appointment WHERE appointment_id = $1", appointment)
    emptied = {"full_name", "document_end", "email", "phone", "person_hash", "needs"}
    assert {name: value for name, value in after.items() if value != before[name]}.keys() <= emptied
    assert [after[name] for name in sorted(emptied)] == [None, None, None, [], None, None]
    assert (await forgotten(bed))["people"] == 0


async def test_who_is_still_booked_stays_one_per_person(bed: Bed) -> None:
    await booked(bed)
    bed.clock.advance(days=40)
    assert (await forgotten(bed))["people"] == 1
    row = await bed.pool.fetchrow("SELECT full_name, person_hash FROM appointment")
    assert row["full_name"] is None
    assert row["person_hash"] is not None, "no day was closed yet"
    await bed.upkeep.close_past()
    assert (await forgotten(bed))["people"] == 1
    assert await bed.pool.fetchval("SELECT person_hash FROM appointment") is None


async def test_drafts_holds_sessions_replies_and_tries_go_when_their_time_is_over(bed: Bed) -> None:
    now = bed.clock.now()
    await Drafts(bed.central).begin("key", b"{}")
    await bed.booking.bookings.hold(wish())
    await booked(bed)
    await bed.booking.changes.by_locator("AAAAAA", "0001")
    await bed.pool.execute(
        "INSERT INTO staff_session VALUES ('a', 'centro', 'rocio', 'x', $1, $1, $2, false)",
        now,
        now + timedelta(hours=12),
    )
    none = {"drafts": 0, "holds": 0, "sessions": 0, "replies": 0, "lookups": 0}
    assert (await forgotten(bed)).items() >= none.items()
    bed.clock.advance(minutes=31)
    assert (await forgotten(bed)).items() >= (none | {"drafts": 1, "holds": 1, "lookups": 1}).items()
    assert await bed.seats() == {"free": (await bed.seats())["free"], "booked": 1}
    bed.clock.advance(hours=12)
    assert (await forgotten(bed)).items() >= (none | {"sessions": 1}).items()
    bed.clock.advance(hours=36)
    assert (await forgotten(bed)).items() >= (none | {"replies": 1}).items()


async def test_a_mail_that_is_never_sent_is_given_up_and_emptied(bed: Bed) -> None:
    await booked(bed)
    bed.clock.advance(days=8)
    assert (await forgotten(bed))["unsent"] == 1
    row = await bed.pool.fetchrow("SELECT state, recipient, message, problem FROM mail")
    assert tuple(row) == ("dropped", None, None, "too old")
    bed.clock.advance(days=91)
    assert (await forgotten(bed))["mails"] == 1
    assert await bed.pool.fetchval("SELECT count(*) FROM mail") == 0


async def test_names_leave_the_streams_two_days_after_their_day(bed: Bed) -> None:
    await booked(bed)
    async with bed.pool.acquire() as connection, connection.transaction():
        gone = PersonErased(id=new_id(), service_date=TUESDAY_9H.date())
        await emit(connection, office_stream("real"), gone)
    bed.clock.advance(days=3)
    assert (await forgotten(bed))["streams"] == 0
    bed.clock.advance(days=1)
    assert (await forgotten(bed))["streams"] == 2
    assert await bed.pool.fetchval("SELECT count(*) FROM feed_entity WHERE body LIKE $1", b"%F\xc3\xa1tima%") == 0


async def test_rows_of_a_stream_go_from_its_old_end_without_a_hole(bed: Bed) -> None:
    for number in range(6):
        await booked(bed, number)
    stream = office_stream("centro")
    seqs = [row["seq"] for row in await bed.pool.fetch("SELECT seq FROM feed WHERE stream = $1 ORDER BY seq", stream)]
    old = bed.clock.now() - timedelta(days=15)
    await bed.pool.execute("UPDATE feed SET created_at = $1", bed.clock.now())
    # A transaction that began early may commit late: the third last is younger than the one behind it.
    await bed.pool.execute(
        "UPDATE feed SET created_at = $1 WHERE stream = $2 AND seq <> $3 AND seq < $4", old, stream, *seqs[-3:-1]
    )
    assert (await forgotten(bed, at_once=2))["feed"] == len(seqs) - 3
    left = [row["seq"] for row in await bed.pool.fetch("SELECT seq FROM feed WHERE stream = $1 ORDER BY seq", stream)]
    assert left == seqs[-3:]


async def test_counts_of_past_days_go_with_all_their_parts(bed: Bed) -> None:
    for day in (TUESDAY_9H.date(), TUESDAY_9H.date() + timedelta(days=10)):
        await bed.pool.execute("INSERT INTO day_report VALUES ('centro', 1, $2, 9, $1, 1, now())", day, day.day)
        await bed.pool.execute(
            "INSERT INTO day_override VALUES ('centro', $1, 1, 1, 2, 'call', 'short', false, '{}')", day
        )
        await bed.pool.execute("INSERT INTO day_held VALUES ('centro', $1, 1, 1, 'viaje', 9, 1, 7, 1, 0)", day)
    bed.clock.advance(days=45)
    assert (await forgotten(bed))["reports"] == 3
    for table in ("day_report", "day_override", "day_held"):
        assert await bed.pool.fetchval(f"SELECT count(*) FROM {table}") == 1, table
    assert (await forgotten(bed))["reports"] == 0


async def test_runs_of_closures_and_of_rules_go_after_a_year(bed: Bed) -> None:
    now = bed.clock.now()
    for ended_at in (now, now + timedelta(days=20), None):
        run = new_id()
        await bed.pool.execute(
            "INSERT INTO closure_run (run_id, office_id, began_at, begun_by, notice_min, own_office_only, ended_at) "
            "VALUES ($1, 'centro', $2, 'ana', 0, false, $3)",
            run,
            now,
            ended_at,
        )
        await bed.pool.execute(
            "INSERT INTO closure_item SELECT $1, n, gen_random_uuid(), $1, 'move', 'centro', $2, 'real', $2 FROM generate_series(1, 3) n",
            run,
            now,
        )
    await forgotten(bed)
    bed.clock.advance(days=366)
    would = {one.rule.kind: one.gone for one in await rehearse(bed.pool, bed.central.settings, bed.clock.now())}
    done = await forgotten(bed, at_once=2)
    assert (done["closures"], would["closures"]) == (4, 4), "one run and what it moved"
    assert await bed.pool.fetchval("SELECT count(*) FROM closure_item") == 6
    assert done["runs"] == would["runs"] == len(done), "the first run of each rule"
    assert await bed.pool.fetchval("SELECT min(began_at) FROM retention_run") == bed.clock.now()


TABLES = {
    "appointment": "people", "booking_draft": "drafts", "mail": "mails", "hold": "holds", "staff_session": "sessions",
    "booking_reply": "replies", "lookup_try": "lookups", "ticket_token": "tokens", "feed": "feed", "feed_entity": "streams",
    "day_report": "reports", "day_override": "reports", "day_held": "reports", "closure_run": "closures",
    "closure_item": "closures", "retention_run": "runs", "conflict": "conflicts", "fact_parked": "parked", "lease": "leases",
    "lease_seat": "leases", "office_policy": "policies", "fact": "facts", "audit": "audit",
}  # fmt: skip
CITY = {
    "schema_migration", "office", "service", "office_service", "opening_hours", "dated_hours", "holiday", "counter", "staff",
    "second_factor", "pool", "pool_band", "slot", "seat", "slot_horizon", "central_life", "office_authority", "office_link",
    "node", "stream_head", "office_configuration", "closed_day", "closed_over",
}  # fmt: skip
"""Tables that describe the city, its capacity and how it is run; none is about a citizen. Slots and seats of past days stay."""


async def test_every_table_stands_under_a_rule_or_describes_the_city(bed: Bed) -> None:
    rows = await bed.pool.fetch(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition "
        "AND relnamespace = 'public'::regnamespace"
    )
    assert {row["relname"] for row in rows} - TABLES.keys() == CITY
    assert set(TABLES.values()) <= set(kinds.KINDS)


async def test_facts_and_acts_are_kept(bed: Bed) -> None:
    kept = {rule.kind for rule in rules_of(limits_of(bed.central.settings)) if rule.keep is None}
    assert kept == {"facts", "audit", "appointments", "conflicts", "parked", "leases", "policies"}
    assert kept.isdisjoint(await forgotten(bed))


async def test_a_rehearsal_counts_what_would_go_and_changes_nothing(bed: Bed) -> None:
    for number in range(3):
        await booked(bed, number)
    await bed.pool.execute("UPDATE appointment SET status = 'attended'")
    async with bed.pool.acquire() as connection, connection.transaction():
        for n in range(2):
            gone = PersonErased(id=new_id(), service_date=TUESDAY_9H.date() + timedelta(days=n))
            await emit(connection, office_stream("real"), gone)
    bed.clock.advance(days=60)
    would = {one.rule.kind: one.gone for one in await rehearse(bed.pool, bed.central.settings, bed.clock.now())}
    assert await bed.pool.fetchval("SELECT count(full_name) FROM appointment") == 3
    assert await bed.pool.fetchval("SELECT count(*) FROM retention_run") == 0
    done = await forgotten(bed)
    del would["feed"], done["feed"]  # what leaves the streams makes rows there itself
    assert would == {**dict.fromkeys(would, 0), **done}
    assert (done["people"], done["streams"]) == (3, 5)


async def test_what_went_is_written_down_and_once_a_day_that_nothing_did(bed: Bed) -> None:
    await booked(bed)
    await bed.pool.execute("UPDATE appointment SET status = 'attended'")
    await forgotten(bed)
    bed.clock.advance(hours=1)
    await forgotten(bed)
    first = await runs(bed, "people")
    assert [(row["gone"], row["run_by"]) for row in first] == [(0, "central")], "nothing to delete: once a day"
    bed.clock.advance(days=40)
    await forgotten(bed, by="ops")
    last = (await runs(bed, "people"))[-1]
    assert (last["gone"], last["run_by"], last["oldest_left"]) == (1, "ops", None)
    assert last["older_than"] == bed.clock.now() - timedelta(days=30)
    assert last["ended_at"] == bed.clock.now()


async def test_a_run_that_was_broken_off_goes_on(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        await booked(bed, number)
    await bed.pool.execute("UPDATE appointment SET status = 'attended'")
    bed.clock.advance(days=40)
    real, calls = kinds.KINDS["people"], 0

    async def dies_at_the_third(connection: Any, before: Any, most: int) -> int:
        nonlocal calls
        calls += 1
        gone = await real.forget(connection, before, most)
        if calls == 3:
            raise ConnectionError
        return gone

    monkeypatch.setitem(kinds.KINDS, "people", msgspec.structs.replace(real, forget=dies_at_the_third))
    await forgotten(bed, at_once=1)
    assert await bed.pool.fetchval("SELECT count(full_name) FROM appointment") == 3, "the third batch was rolled back"
    assert [(row["gone"], row["ended_at"]) for row in await runs(bed, "people")] == [(2, None)]
    monkeypatch.setitem(kinds.KINDS, "people", real)
    assert (await forgotten(bed, at_once=1))["people"] == 3
    assert [row["gone"] for row in await runs(bed, "people")] == [2, 3]
    assert await bed.pool.fetchval("SELECT count(full_name) FROM appointment") == 0


async def test_a_rule_that_fails_keeps_no_other_from_its_work(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    await booked(bed)
    await forgotten(bed)
    began_at = bed.clock.now()
    await Drafts(bed.central).begin("key", b"{}")

    async def cannot(_connection: Any, _before: Any, _most: int) -> int:
        raise LookupError

    first = kinds.KINDS["people"]
    monkeypatch.setitem(kinds.KINDS, "people", msgspec.structs.replace(first, forget=cannot))
    bed.clock.advance(days=3)
    done = await carry_out(bed.pool, bed.central.settings, bed.clock.now())
    assert done is not None
    assert [one.rule.kind for one in done if one.failed] == ["people"]
    assert {one.rule.kind: one.gone for one in done}["drafts"] == 1
    assert [row["ended_at"] is None for row in await runs(bed, "people")] == [False, True]

    await tell_successes(bed.pool, bed.central.settings)
    told = {kind: REGISTRY.get_sample_value(METRIC, {"kind": kind}) for kind in ("people", "drafts")}
    assert told == {"people": began_at.timestamp(), "drafts": bed.clock.now().timestamp()}
    assert REGISTRY.get_sample_value("ventanilla_retention_failures_total", {"kind": "people"})


async def test_one_process_at_a_time(bed: Bed) -> None:
    async with bed.pool.acquire() as other:
        assert await other.fetchval(kinds.queries.try_lock)
        assert await carry_out(bed.pool, bed.central.settings, bed.clock.now()) is None
        await other.execute(kinds.queries.unlock)
    assert await forgotten(bed)


async def test_what_stands_there_too_long_shows(bed: Bed) -> None:
    await booked(bed)
    await bed.pool.execute("UPDATE appointment SET status = 'attended'")
    now = bed.clock.now()

    async def states() -> dict[str, str]:
        async with bed.pool.acquire() as connection:
            at = bed.clock.now()
            found = await standing(connection, bed.central.settings, at, at - timedelta(days=30))
            return {one.rule.kind: one.state for one in found}

    assert (await states())["people"] == "never_run"
    await forgotten(bed)
    assert (await states())["people"] == "in_time"
    assert (await states())["facts"] == "kept"
    bed.clock.advance(days=50)
    assert (await states())["people"] == "late", "nobody carried it out"
    await forgotten(bed)
    assert (await states())["people"] == "in_time"
    assert now == MONDAY_8H


def test_a_rule_is_late_a_day_after_its_limit() -> None:
    rule = Rule(kind="x", keep=timedelta(days=2))
    last = LastRun(began_at=MONDAY_8H, ended_at=MONDAY_8H, gone=0, oldest_left=None, older_than=MONDAY_8H)
    assert state_of(rule, last, MONDAY_8H - timedelta(days=3), MONDAY_8H) == "in_time"
    assert state_of(rule, last, MONDAY_8H - timedelta(days=3, hours=3), MONDAY_8H) == "late"


@pytest.mark.parametrize("locale", ["es", "en"])
def test_every_rule_has_its_reason_in_words(locale: str) -> None:
    words = load_catalog(strict=True).words(locale)
    for rule in rules_of(limits_of(Settings())):
        assert {f"city.kept.{rule.kind}", f"city.kept.{rule.kind}.why"} <= {
            key for key in (f"city.kept.{rule.kind}", f"city.kept.{rule.kind}.why") if key in words
        }
