"""What happens in an office and at central: small realistic streams of facts and rows, from chance alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random

import msgspec

from sync.messages import codec
from sync.messages.envelope import FactRecord
from sync.messages.facts import (
    CounterOpened,
    DayOpened,
    Fact,
    NodeStarted,
    TicketCalled,
    TicketFinished,
    TicketIssued,
    TicketNoShow,
    TicketPrinted,
    TicketShown,
    TicketStarted,
    Why,
)
from sync.messages.feed import GLOBAL, Appointment, Counter, Op, Service, office_stream
from sync.messages.policy import Policy
from tests.kit.facts import MORNING, raw_record, record_of, uuid_of

DAY = date(2026, 3, 2)
SERVICES = ("padron", "registro", "tributos")


class OfficeStory:
    """People come, are called, served or missed. Now and then a fact is poison, or of a later build."""

    def __init__(self, rng: Random, office: str) -> None:
        self._rng = rng
        self._office = office
        self._session = self._id()
        self._issued = 0
        self._waiting: list[str] = []
        self._serving: list[str] = []
        self.poisoned = 0

    def facts(self, first_seq: int, now_ms: int) -> list[FactRecord]:
        """The facts of one act, from ``first_seq`` on."""
        at = MORNING + timedelta(milliseconds=now_ms)
        if first_seq == 1:
            return self._seal(self._opening(), first_seq, at)
        chance = self._rng.random()
        if chance < 0.02:
            return [self._odd(first_seq)]
        if chance < 0.5 or not (self._waiting or self._serving):
            return self._seal(self._arrival(at), first_seq, at)
        if self._serving:
            return self._seal(self._ending(), first_seq, at)
        return self._seal(self._call(at), first_seq, at)

    def _opening(self) -> list[Fact]:
        return [
            NodeStarted(node=f"edge-{self._office}", incarnation=self._id(), version="0.1.0"),
            DayOpened(service_date=DAY, policy_version=1, policy=Policy()),
            CounterOpened(session=self._session, counter="1", primary=SERVICES[:2], secondary=SERVICES[2:]),
        ]

    def _arrival(self, at: datetime) -> list[Fact]:
        self._issued += 1
        ticket = self._id()
        self._waiting.append(ticket)
        booked = self._rng.random() < 0.4
        number = (self._issued - 1) % 999 + 1
        issued = TicketIssued(
            ticket_id=ticket,
            label=f"K{number}",
            series="K",
            number=number,
            service=self._rng.choice(SERVICES),
            origin="appointment" if booked else "walk_in",
            arrived_at=at,
            due_at=at,
            callable_at=at,
            follow_hash=self._rng.randbytes(32),
            appointment_id=self._id() if booked else None,
        )
        return [issued, TicketPrinted(ticket_id=ticket, device="kiosk-1")] if self._rng.random() < 0.8 else [issued]

    def _call(self, at: datetime) -> list[Fact]:
        ticket = self._waiting.pop(0)
        self._serving.append(ticket)
        why = Why(rule="primary", origin="walk_in", arrived_at=at, due_at=at)
        return [
            TicketCalled(ticket_id=ticket, session=self._session, counter="1", how="next", why=why),
            TicketShown(ticket_id=ticket, display="display-1", recalls=0, shown_at=at, sounded=True),
        ]

    def _ending(self) -> list[Fact]:
        ticket = self._serving.pop()
        if self._rng.random() < 0.2:
            return [TicketNoShow(ticket_id=ticket, session=self._session)]
        return [
            TicketStarted(ticket_id=ticket, session=self._session),
            TicketFinished(ticket_id=ticket, session=self._session),
        ]

    def _odd(self, seq: int) -> FactRecord:
        if self._rng.random() < 0.5:
            return raw_record("ticket.invented", 1, seq, b'{"later":true}', office=self._office)
        self.poisoned += 1
        return raw_record("ticket.called", 1, seq, b'{"ticket_id":7}', office=self._office)

    def _seal(self, facts: list[Fact], first_seq: int, at: datetime) -> list[FactRecord]:
        return [record_of(fact, first_seq + index, office=self._office, at=at) for index, fact in enumerate(facts)]

    def _id(self) -> str:
        return uuid_of(self._rng.getrandbits(128))


class RowWritten(msgspec.Struct, frozen=True, kw_only=True):
    """One change of an entity, to be emitted."""

    stream: str
    kind: str
    entity_id: str
    version: int
    op: Op
    body: bytes


class CentralStory:
    """Bookings come and go, services and counters change; one kind is unknown to this build."""

    def __init__(self, rng: Random, offices: tuple[str, ...]) -> None:
        self._rng = rng
        self._offices = offices
        self._versions: dict[tuple[str, str, str], int] = {}
        self._booked: dict[str, list[str]] = {office: [] for office in offices}

    def changes(self, now_ms: int) -> list[RowWritten]:
        """The rows of one business transaction, sorted by stream as locks are taken."""
        rows = [self._change(now_ms) for _ in range(self._rng.choice((1, 1, 2, 3)))]
        return sorted(rows, key=lambda row: row.stream)

    def _change(self, now_ms: int) -> RowWritten:
        if self._rng.random() < 0.25:
            return self._global()
        office = self._rng.choice(self._offices)
        if self._rng.random() < 0.2:
            counter = self._rng.choice("123")
            return self._row(
                office_stream(office), Counter.KIND, counter, Counter(id=counter, zone="a", primary=SERVICES)
            )
        return self._appointment(office, now_ms)

    def _global(self) -> RowWritten:
        if self._rng.random() < 0.3:
            body = msgspec.Raw(codec.encode({"es": "aviso", "n": self._rng.randint(0, 99)}))
            return self._row(GLOBAL, "hologram", self._rng.choice("ab"), body, gone=self._rng.random() < 0.3)
        service = self._rng.choice(SERVICES)
        names = {"es": service.title()}
        return self._row(
            GLOBAL,
            Service.KIND,
            service,
            Service(id=service, names=names, series="K", duration_min=self._rng.randint(5, 30)),
        )

    def _appointment(self, office: str, now_ms: int) -> RowWritten:
        booked = self._booked[office]
        chance = self._rng.random()
        stream = office_stream(office)
        if booked and chance < 0.15:
            gone = booked.pop(self._rng.randrange(len(booked)))
            return self._row(stream, Appointment.KIND, gone, msgspec.Raw(b"{}"), gone=True)
        if not booked or chance < 0.7:
            booked.append(uuid_of(self._rng.getrandbits(128)))
            return self._row(stream, Appointment.KIND, booked[-1], self._booking(booked[-1], now_ms, cancelled=False))
        one = self._rng.choice(booked)
        return self._row(stream, Appointment.KIND, one, self._booking(one, now_ms, cancelled=True))

    def _booking(self, appointment_id: str, now_ms: int, *, cancelled: bool) -> Appointment:
        minutes = now_ms // 60_000 + self._rng.randint(0, 600)
        return Appointment(
            id=appointment_id,
            version=1 + cancelled,
            locator="".join(self._rng.choices("ACDEFGHJKMNPQRTUVWXY34679", k=6)),
            service_id=self._rng.choice(SERVICES),
            slot_start_at=datetime(2026, 3, 2, 8, tzinfo=UTC) + timedelta(minutes=minutes),
            duration_min=10,
            status="cancelled" if cancelled else "booked",
            display_name="" if cancelled else "Fátima M.",
        )

    def _row(self, stream: str, kind: str, entity_id: str, body: object, *, gone: bool = False) -> RowWritten:
        key = (stream, kind, entity_id)
        version = self._versions[key] = self._versions.get(key, 0) + 1
        text = b"{}" if gone else codec.encode(body)
        return RowWritten(
            stream=stream, kind=kind, entity_id=entity_id, version=version, op="del" if gone else "put", body=text
        )
