"""A ticket on its way from office to office: who holds it, and what its waiting is worth."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from sync.domain.handover import accept, card_of, command_of, ended_elsewhere, is_new
from sync.domain.outcomes import Accepted
from sync.messages import codec
from sync.messages import commands as c
from sync.messages import facts as f
from sync.messages.feed import NodeKey, TicketClosed, TicketGrant, TicketTaken
from sync.messages.refusals import Refusal
from sync.messages.values import require_plausible
from tests.kit.office import DAY, TestOffice, at, catalogue, new_id

REAL = NodeKey(office="real", epoch=1, public_key=bytes(32))


def two_offices() -> tuple[TestOffice, TestOffice]:
    """Where people wait, and where they are sent; each with a clock of its own."""
    here, there = TestOffice(), TestOffice()
    here.catalogue = msgspec.structs.replace(here.catalogue, nodes={"real": REAL})
    return here, there


def released(office: TestOffice, ticket_id: str, session: str, when: str, **changes: object) -> f.TicketReleased:
    command = c.HandOver(request_id=new_id(), session=session, ticket_id=ticket_id, to_office="real", **changes)  # type: ignore[arg-type]
    decision = office.do(command, at(when))
    assert isinstance(decision, Accepted), decision
    (fact,) = decision.facts
    assert isinstance(fact, f.TicketReleased)
    return fact


def grant_of(fact: f.TicketReleased, **changes: object) -> TicketGrant:
    grant = TicketGrant(
        id=fact.ticket_id,
        tenure=fact.tenure + 1,
        from_office="centro",
        service_date=fact.service_date,
        released_at=at("10:00"),
        card=fact.card,
        travel_min=fact.travel_min,
    )
    return msgspec.structs.replace(grant, **changes)


def hold(office: TestOffice, grant: TicketGrant, when: str, central: str = "10:00") -> f.TicketAccepted | None:
    command = command_of(grant, "real", new_id(), at(central))
    decision = office.do(command, at(when))
    assert isinstance(decision, Accepted), decision
    return decision.facts[0] if decision.facts else None  # type: ignore[return-value]


def test_who_gave_a_ticket_up_calls_it_no_more() -> None:
    here, _ = two_offices()
    session = here.open("1", at("09:00"))
    ticket = here.take("a", at("09:01"))
    released(here, ticket, session, "09:30")
    assert here.day.tickets[ticket].state == "in_transit"
    again = here.do(c.CallNext(request_id=new_id(), session=session, after=None), at("09:31"))
    assert isinstance(again, Refusal)
    assert again.code == "nobody_waiting"
    twice = here.do(c.HandOver(request_id=new_id(), session=session, ticket_id=ticket, to_office="real"), at("09:32"))
    assert isinstance(twice, Refusal)
    assert (twice.code, twice.office) == ("already_moved", "real")


@pytest.mark.parametrize("to_office", ["centro", "nowhere"])
def test_nobody_is_sent_where_there_is_no_other_office(to_office: str) -> None:
    here, _ = two_offices()
    session = here.open("1", at("09:00"))
    ticket = here.take("a", at("09:01"))
    refusal = here.do(
        c.HandOver(request_id=new_id(), session=session, ticket_id=ticket, to_office=to_office), at("09:30")
    )
    assert isinstance(refusal, Refusal)
    assert refusal.code == "office_unknown"
    assert here.day.tickets[ticket].state == "waiting"


def test_the_waiting_goes_on_on_the_way_whatever_the_clocks_say() -> None:
    here, there = two_offices()
    session = here.open("1", at("09:00"))
    ticket = here.take("a", at("09:00"))
    fact = released(here, ticket, session, "09:20", travel_min=10)
    there.open("1", at("14:00"))  # a clock that is hours off
    accepted = hold(there, grant_of(fact), "14:00", central="10:05")
    assert accepted is not None
    assert accepted.transit_ms == 5 * 60_000
    assert at("14:00") - accepted.due_at == timedelta(minutes=25)
    assert accepted.callable_at == at("14:05")  # five of the ten minutes of the way are left


def test_a_grant_that_comes_again_changes_nothing() -> None:
    here, there = two_offices()
    session = here.open("1", at("09:00"))
    fact = released(here, here.take("a", at("09:00")), session, "09:20")
    there.open("1", at("09:00"))
    grant = grant_of(fact)
    assert hold(there, grant, "09:30") is not None
    assert hold(there, grant, "09:40") is None
    assert not is_new(there.day, grant, DAY)
    assert not is_new(there.day, msgspec.structs.replace(grant, tenure=9), date(2020, 1, 1))


def test_a_ticket_that_is_still_here_only_gets_a_new_number() -> None:
    _, there = two_offices()
    session = there.open("1", at("09:00"))
    ticket = there.take("a", at("09:01"))
    there.call_next(session, at("09:02"))
    card = f.TicketCard(label="A1", service="a", origin="walk_in", waited_ms=0, present_ms=0, follow_hash=bytes(32))
    decision = accept(
        there.day,
        c.Accept(
            request_id=new_id(), ticket_id=ticket, tenure=4, from_office="x", via="grant", card=card, transit_ms=0
        ),
        at("09:03"),
        there.catalogue,
    )
    assert isinstance(decision, Accepted)
    there.write(decision.facts, at("09:03"))
    known = there.day.tickets[ticket]
    assert (known.state, known.tenure, known.session) == ("called", 4, session)


FAR = 10**30
EARLIEST, LATEST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    "card",
    [
        {"waited_ms": FAR},
        {"waited_ms": -FAR},
        {"waited_ms": 1900 * 365 * 24 * 3_600_000},
        {"present_ms": FAR},
        {"present_ms": -FAR},
        {"slot_start_at": EARLIEST, "duration_min": 10},
        {"slot_start_at": LATEST, "duration_min": FAR},
    ],
)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"travel_min": FAR},
        {"travel_min": -FAR},
        {"released_at": EARLIEST},
        {"released_at": LATEST},
        {"series": "K", "number": 10**6},
        {"series": "K", "number": -1},
    ],
)
def test_whatever_another_office_says_of_a_ticket_somebody_holds_the_person(
    card: dict[str, Any], changes: dict[str, Any]
) -> None:
    """Spans of a broken office come here as they were told; what is made of them must be readable for ever."""
    here, there = two_offices()
    session = here.open("1", at("09:00"))
    fact = released(here, here.take("a", at("09:00")), session, "09:20")
    there.open("1", at("09:00"))
    grant = grant_of(fact, card=msgspec.structs.replace(fact.card, **card), **changes)
    held = hold(there, grant, "09:30")
    assert held is not None
    assert codec.decode(codec.encode(held), f.TicketAccepted) == held
    require_plausible(held.arrived_at, held.due_at, held.callable_at, held.slot_start_at)


def test_who_comes_back_keeps_the_label_of_the_paper_in_the_hand() -> None:
    here, _ = two_offices()
    session = here.open("1", at("09:00"))
    ticket = here.take("a", at("09:00"))
    label = here.day.tickets[ticket].label
    fact = released(here, ticket, session, "09:20")
    back = hold(here, grant_of(fact, tenure=3, from_office="real"), "09:50")
    assert back is not None
    assert (back.label, here.day.tickets[ticket].state, here.day.tickets[ticket].tenure) == (label, "waiting", 3)


def test_a_restored_ticket_whose_label_somebody_else_has_gets_the_next() -> None:
    here, there = two_offices()
    session = here.open("1", at("09:00"))
    fact = released(here, here.take("a", at("09:00")), session, "09:20")
    first = there.day.tickets[there.take("a", at("09:10"))]
    held = hold(there, grant_of(fact, from_office="real", series=first.series, number=first.number), "09:50")
    assert held is not None
    assert (held.via, held.series, held.number) == ("restored", first.series, first.number + 1)


def test_the_person_who_has_come_may_be_called_at_once() -> None:
    here, there = two_offices()
    session = here.open("1", at("09:00"))
    fact = released(here, here.take("a", at("09:00")), session, "09:20", travel_min=30)
    desk = there.open("1", at("09:00"))
    hold(there, grant_of(fact), "09:30")
    assert there.day.tickets[fact.ticket_id].expected
    there.do(c.MarkArrived(request_id=new_id(), ticket_id=fact.ticket_id), at("09:35"))
    called = there.do(c.CallNext(request_id=new_id(), session=desk, after=None), at("09:36"))
    assert isinstance(called, Accepted)
    again = there.do(c.MarkArrived(request_id=new_id(), ticket_id=fact.ticket_id), at("09:37"))
    assert isinstance(again, Refusal)


def test_a_ticket_that_is_over_elsewhere_ends_here_unless_it_is_at_a_counter() -> None:
    office = TestOffice()
    session = office.open("1", at("09:00"))
    called, waiting = office.take("a", at("09:01")), office.take("a", at("09:02"))
    office.call_next(session, at("09:03"))
    rows = [
        TicketClosed(id=each, tenure=1, service_date=DAY, reason="superseded") for each in (called, waiting, new_id())
    ]
    assert [fact.ticket_id for fact in ended_elsewhere(office.day, rows)] == [waiting]
    older = [msgspec.structs.replace(row, tenure=0) for row in rows]
    assert ended_elsewhere(office.day, older) == []


def test_a_ticket_that_lives_at_another_office_ends_here_unless_it_came_back_since() -> None:
    """A new node that was told of the paper of somebody who had been sent on; central knows by the other office's word."""
    office = TestOffice()
    waiting = office.take("a", at("09:02"))
    taken = TicketTaken(id=waiting, tenure=2, service_date=DAY, office="real")
    (ended,) = ended_elsewhere(office.day, [], [taken])
    assert (ended.ticket_id, ended.reason) == (waiting, "superseded")
    closed = TicketClosed(id=waiting, tenure=2, service_date=DAY, reason="served_before")
    assert [fact.reason for fact in ended_elsewhere(office.day, [closed], [taken])] == ["served_before"], "told once"
    office.day.tickets[waiting].tenure = 3
    assert ended_elsewhere(office.day, [], [taken]) == []


@pytest.mark.parametrize("service, to_do", [(None, ("a", "b", "c")), ("b", ("b", "c")), ("d", ("a", "b", "c"))])
def test_a_route_goes_along_to_another_office(service: str | None, to_do: tuple[str, ...]) -> None:
    """As a transfer would have it: to a step it goes on from there, to anything else it is a detour."""
    here, there = two_offices()
    here.catalogue = msgspec.structs.replace(catalogue(("a", "b", "c", "d")), nodes=here.catalogue.nodes)
    session, ticket = here.open("1", at("09:00")), here.take("a", at("09:00"))
    here.do(c.PlanRoute(request_id=new_id(), ticket_id=ticket, steps=("b", "c")), at("09:01"))
    fact = released(here, ticket, session, "09:05", service=service)
    assert (fact.card.to_do, fact.card.steps_done) == (to_do, 0)
    assert hold(there, grant_of(fact), "09:10")
    held = there.day.tickets[ticket]
    assert (held.service, held.to_do, held.steps_done) == (service or "a", to_do, 0)


def test_a_restored_ticket_is_where_it_was_on_its_route() -> None:
    office = TestOffice(catalogue(("a", "b", "c")))
    session, ticket = office.open("1", at("09:00")), office.take("a", at("09:00"))
    office.do(c.PlanRoute(request_id=new_id(), ticket_id=ticket, steps=("b", "c")), at("09:01"))
    office.call_next(session, at("09:02"))
    for command in (c.Start, c.Finish):
        office.do(command(request_id=new_id(), session=session, ticket_id=ticket), at("09:03"))
    card = card_of(office.day.tickets[ticket], "b", at("09:04"))
    assert (card.to_do, card.steps_done) == (("b", "c"), 1)


def test_a_card_with_more_steps_than_anybody_plans_is_cut() -> None:
    _, there = two_offices()
    card = f.TicketCard(
        label="A1", service="a", origin="walk_in", waited_ms=0, present_ms=0, follow_hash=bytes(32),
        to_do=tuple(f"s{n}" for n in range(100)), steps_done=10**9,
    )  # fmt: skip
    command = c.Accept(
        request_id=new_id(), ticket_id=new_id(), tenure=2, from_office="real", via="grant", card=card, transit_ms=0
    )
    decision = there.do(command, at("09:00"))
    assert isinstance(decision, Accepted)
    (fact,) = decision.facts
    assert isinstance(fact, f.TicketAccepted)
    assert (len(fact.to_do), fact.steps_done) == (6, 99)
