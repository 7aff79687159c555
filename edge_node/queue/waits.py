"""The expected waits of the office: made from the state off its loop, shown with patience, told to who takes a ticket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import timedelta

from edge_node.queue.state import OfficeState
from sync.domain.ticket import CounterSession
from sync.domain.waits.outlook import Outlook, outlook
from sync.domain.waits.scene import Scene, scene_of
from sync.domain.waits.steady import steadied
from sync.domain.waits.what_if import PATHS, Effect, effects
from sync.io.draws import seeded
from sync.messages.facts import Expected

AROUND = timedelta(hours=6)
"""Appointments further away change nobody's wait."""


def scene(state: OfficeState, sessions: Mapping[str, CounterSession] | None = None) -> Scene:
    """What the replay starts from: a copy, so that it can be run elsewhere. ``sessions``: open counters other than the day's."""
    now = state.now()
    near = [row for row in state.agenda.by_id.values() if abs(row.slot_start_at - now) < AROUND]
    return scene_of(state.day, state.configuration.catalogue, near, now, sessions=sessions)


async def foresee(made: Scene) -> Outlook:
    """The waits ahead; some ten milliseconds on a thread, in which the writer's loop goes on."""
    return await asyncio.to_thread(outlook, made, seeded)


async def forecast(now: Scene, then: Scene, services: Iterable[str]) -> tuple[Effect, ...]:
    """What a change of counters would do to the waits of some services; on a thread, too."""

    def compare() -> tuple[Effect, ...]:
        return effects(outlook(now, seeded, PATHS), outlook(then, seeded, PATHS), services)

    return await asyncio.to_thread(compare)


def publish(state: OfficeState, ahead: Outlook) -> None:
    """Show the new waits, and tell them to who takes a ticket from now on."""
    services = state.configuration.catalogue.services
    fresh = {service: ahead.of_service(service) for service in services}
    state.shown_waits = steadied(state.shown_waits, fresh, state.now())
    state.waits = {service: shown.wait for service, shown in state.shown_waits.items()}
    state.expected = {
        service: Expected(wait_s=wait, level=ahead.level, seq=ahead.seq) for service, wait in ahead.services.items()
    }
