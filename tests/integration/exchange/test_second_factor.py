"""Second factors at central: made once, told to the office, kept when a city file is loaded again."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from central.audit import Attested
from central.offices.second_factor import Enrolment, drop, enrol
from sync.messages import codec
from sync.messages.feed import Staff

WHO = Attested(actor="ops", at=datetime(2026, 11, 23, 8, tzinfo=UTC), statement="seen the person")
STAFF = "INSERT INTO staff (office_id, id, display_name, roles, verifier, valid_until) VALUES ('centro', $1, $1, $2, 'x', $3)"


@pytest.fixture
async def connection(pool: Any) -> Any:
    async with pool.acquire() as connection:
        until = datetime(2099, 1, 1, tzinfo=UTC)
        await connection.execute(STAFF, "boss", ["clerk", "supervisor"], until)
        yield connection


async def told(connection: Any) -> list[Staff]:
    """What the office's feed says of boss."""
    rows = await connection.fetch("SELECT body FROM feed WHERE kind = 'staff' AND entity_id = 'boss' ORDER BY seq")
    return [codec.decode(bytes(row["body"]), Staff) for row in rows]


async def test_a_second_factor_is_told_once_to_the_person_and_to_the_office(connection: Any) -> None:
    made = await enrol(connection, "centro", "boss", WHO, replace=False)
    assert isinstance(made, Enrolment)
    asked = parse_qs(urlsplit(made.uri).query)
    [*_, row] = await told(connection)
    assert row.second_factor is not None
    assert base64.b32decode(asked["secret"][0]) == row.second_factor.secret
    assert (asked["issuer"], asked["digits"], asked["period"]) == (["Ventanilla"], ["6"], ["30"])
    plain = [code.replace("-", "") for code in made.recovery]
    assert [hashlib.sha256(code.encode()).digest() for code in plain] == list(row.second_factor.recovery)
    assert len(set(plain)) == 8
    assert await enrol(connection, "centro", "boss", WHO, replace=False) == "enrolled_already"
    assert await enrol(connection, "centro", "nobody", WHO, replace=False) == "unknown"


async def test_a_new_one_makes_the_former_worthless_and_without_one_the_password_is_enough(connection: Any) -> None:
    first = await enrol(connection, "centro", "boss", WHO, replace=False)
    second = await enrol(connection, "centro", "boss", WHO, replace=True)
    assert isinstance(first, Enrolment)
    assert isinstance(second, Enrolment)
    assert first.uri != second.uri
    assert await drop(connection, "centro", "boss", WHO)
    assert not await drop(connection, "centro", "boss", WHO)
    [*_, row] = await told(connection)
    assert row.second_factor is None
    acts = await connection.fetch("SELECT act, subject, actor FROM audit ORDER BY audit_id")
    assert [(row["act"], row["subject"], row["actor"]) for row in acts] == [
        ("second_factor.enrolled", "centro/boss", "ops"),
        ("second_factor.enrolled", "centro/boss", "ops"),
        ("second_factor.dropped", "centro/boss", "ops"),
    ]
