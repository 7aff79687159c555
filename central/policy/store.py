"""Sets a policy for an office from a day on, and tells the office. Each has a version of its own, and a line in the record."""

from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from central.audit import Attested, note
from central.offices.catalogue import OfficeRecord
from central.offices.load import publish
from central.offices.store import queries as offices
from central.offices.store import read_catalogue
from sync.domain.service_day import service_date
from sync.io.sql import load
from sync.messages import codec
from sync.messages.policy import Policy

_queries = load("central.policy")


class SetPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy as it was set; without an author it is the city file's."""

    effective_from: date
    policy: Policy
    set_at: datetime | None = None
    set_by: str = ""


class TooEarly(msgspec.Struct, frozen=True):
    """A policy cannot be in force before it was made: people were told another one. ``first``: the first day that can be."""

    first: date


class Overtaken(msgspec.Struct, frozen=True):
    """Somebody set another policy since this one was begun. ``latest``: theirs, the newest of the office."""

    latest: SetPolicy


async def policies_of(connection: Any, office: str) -> list[SetPolicy] | None:
    """An office's policies, oldest first; none when there is no such office."""
    record = (await read_catalogue(connection, date.max)).offices.get(office)
    return await policies_known(connection, record) if record is not None else None


async def policies_known(connection: Any, record: OfficeRecord) -> list[SetPolicy]:
    """The policies of an office that was read already, oldest first."""
    stored = [
        SetPolicy(
            effective_from=row["effective_from"],
            policy=codec.decode(row["policy"], Policy),
            set_at=row["set_at"],
            set_by=row["set_by"],
        )
        for row in await connection.fetch(_queries.of_office, record.id)
    ]
    first = SetPolicy(effective_from=record.policy_from, policy=record.policy)
    return sorted([first, *stored], key=lambda one: (one.effective_from, one.set_at is not None))


async def set_policy(
    connection: Any,
    *,
    office: str,
    policy: Policy,
    effective_from: date | None,
    who: Attested,
    seen: int | None = None,
) -> SetPolicy | TooEarly | Overtaken | None:
    """Set a policy from a service day on, from tomorrow if none is given; None when there is no such office.

    A policy of the same day that is not in force yet is replaced. Today's is never: dues that people were told would change.

    Args:
        seen: the newest version that its author knew; with a newer one nothing is set, unless that is this very act, sent
            twice.
    """
    async with connection.transaction():
        await connection.execute(offices.lock_catalogue)
        record = (await read_catalogue(connection, date.max)).offices.get(office)
        if record is None:
            return None
        known = await policies_known(connection, record)
        today = service_date(who.at, record.zone)
        first = today + timedelta(days=1)
        start = effective_from or first
        if start < first:
            return TooEarly(first)
        latest = max(known, key=lambda one: one.policy.version)
        version = 1 + latest.policy.version
        if seen is not None and seen != latest.policy.version:
            again = msgspec.structs.replace(policy, version=latest.policy.version)
            is_twice = (latest.effective_from, latest.set_by, latest.policy) == (start, who.actor, again)
            return latest if is_twice else Overtaken(latest)
        made = msgspec.structs.replace(policy, version=version)
        body = codec.encode(made).decode()
        await connection.execute(_queries.set, office, start, version, body, who.at, who.actor)
        await note(
            connection, who, "policy.set", office, office=office, version=version, effective_from=start.isoformat()
        )
        await publish(connection, today)
    return SetPolicy(effective_from=start, policy=made, set_at=who.at, set_by=who.actor)
