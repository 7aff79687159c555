"""The people of appointments that were sold here, from the sale until central has them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from edge_node.leases.rules import Buyer, short_name
from sync.io.sql import load
from sync.messages.people import PersonRequest

SQL = load("edge_node.leases", "queries.sql")


def insert_people(connection: sqlite3.Connection, people: Iterable[PersonRequest]) -> None:
    """Keep people, in the transaction of their sales."""
    connection.executemany(SQL.insert_person, map(_columns, people))


def pending_people(connection: sqlite3.Connection, office: str) -> list[PersonRequest]:
    """Everybody whom central does not have yet, each as the request that tells it; asking again with the same id is harmless."""
    return [_person(office, row) for row in connection.execute(SQL.pending_people)]


def forget_person(connection: sqlite3.Connection, appointment_id: str) -> None:
    """Central has this one."""
    connection.execute(SQL.forget_person, {"appointment_id": appointment_id})


def read_buyers(connection: sqlite3.Connection, office: str) -> dict[str, Buyer]:
    """What the agenda shows of them, by appointment."""
    return {person.appointment_id: buyer_of(person) for person in pending_people(connection, office)}


def buyer_of(person: PersonRequest) -> Buyer:
    return Buyer(display_name=short_name(person.full_name), language=person.language, needs=person.needs)


def _columns(person: PersonRequest) -> tuple[object, ...]:
    return (
        person.appointment_id,
        person.full_name,
        person.document_kind,
        person.document,
        person.email,
        person.phone,
        person.language,
        " ".join(person.needs),
    )


def _person(office: str, row: Sequence[Any]) -> PersonRequest:
    appointment_id, full_name, document_kind, document, email, phone, language, needs = row
    return PersonRequest(
        request_id=appointment_id,
        office=office,
        appointment_id=appointment_id,
        full_name=full_name,
        document_kind=document_kind,
        document=document,
        email=email,
        phone=phone,
        language=language,
        needs=tuple(needs.split()),
    )
