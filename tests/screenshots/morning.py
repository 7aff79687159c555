"""One morning at an invented office, the same each time: who works, who has an appointment, who has come by half past ten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from sync.io.ids import new_id
from sync.messages import commands as c
from sync.messages import feed as f
from tests.kit.clock import ManualClock
from tests.kit.console_server import Console, office
from tests.kit.edge import appointment

NINE = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
"""Nine o'clock at the office, on a Thursday."""
NAMES = {"clerk-1": "Nuria B.", "clerk-2": "Karim A.", "clerk-3": "Elena R.", "boss": "Ignacio T."}
CAME = ("padron", "registro", "padron", "certificados", "registro", "padron", "certificados", "padron")


def rows() -> list[f.Entity]:
    """What central has told the office."""
    return [_named(row) for row in office(_booked())]


async def lived(served: Console, clock: ManualClock) -> None:
    """Half an hour goes by: people come, two colleagues serve."""
    for staff_id, counter in (("clerk-2", "1"), ("clerk-3", "2")):
        await _act(served, c.OpenCounter(request_id=new_id(), counter=counter), staff_id)
    for n, service in enumerate(CAME):
        clock.advance(minutes=4)
        await served.walk_in(service, "reduced_mobility" if n == len(CAME) // 2 else None)
    for session in list(served.node.dispatcher.state.day.sessions.values()):
        await _act(served, c.CallNext(request_id=new_id(), session=session.session), session.staff_id)
    clock.advance(minutes=1)


async def _act(served: Console, command: c.Command, staff_id: str) -> None:
    actor = c.Actor(actor_id=staff_id, device_id=f"console-{staff_id}")
    await served.node.dispatcher.submit(command, actor)  # type: ignore[arg-type]


def _booked() -> list[f.Appointment]:
    booked = (
        (40, "registro", "Fátima M.", ("wheelchair",), "ar", "ACDEFG"),
        (60, "registro", "Said H.", (), "es", "ACDEFH"),
        (80, "padron", "Marta B.", (), "es", "ACDEFJ"),
        (110, "certificados", "Jean P.", (), "fr", "ACDEFK"),
    )
    return [
        appointment(
            NINE + timedelta(minutes=at), service, display_name=name, needs=needs, language=language, locator=locator
        )
        for at, service, name, needs, language, locator in booked
    ]


def _named(row: f.Entity) -> f.Entity:
    if not isinstance(row, f.Staff):
        return row
    return msgspec.structs.replace(row, display_name=NAMES.get(row.id, row.display_name))
