"""``POST /sync/v1/agenda/…``: what an office's staff ask of booking, signed by their node. Shapes in ``sync.messages.agenda``.

Every expected outcome is 200 with its name; a problem is about the request or about central itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg
from litestar import Request, Response, Router, post
from litestar.di import NamedDependency

from central.booking import agenda
from central.booking.service import BookingService
from central.exchange.requests import refused, signed
from sync.io.http import JSON
from sync.messages import agenda as m
from sync.messages import codec

MAX_BODY_BYTES = 16 * 1024

Incoming = Request[Any, Any, Any]
Asked = TypeVar("Asked", bound=m.AgendaRequest)


@post("/times", status_code=200)
async def times(request: Incoming, booking: NamedDependency[BookingService]) -> Response[bytes]:
    """Free days and times."""
    return await _answer(request, booking, m.TimesRequest, agenda.times)


@post("/calendar", status_code=200)
async def calendar(request: Incoming, booking: NamedDependency[BookingService]) -> Response[bytes]:
    """Appointments ahead by day."""
    return await _answer(request, booking, m.CalendarRequest, agenda.calendar)


@post("/book", status_code=200)
async def book(request: Incoming, booking: NamedDependency[BookingService]) -> Response[bytes]:
    """Book for somebody at the desk."""
    return await _answer(request, booking, m.BookRequest, agenda.book)


@post("/move", status_code=200)
async def move(request: Incoming, booking: NamedDependency[BookingService]) -> Response[bytes]:
    """Move an appointment."""
    return await _answer(request, booking, m.MoveRequest, agenda.move)


@post("/cancel", status_code=200)
async def cancel(request: Incoming, booking: NamedDependency[BookingService]) -> Response[bytes]:
    """Cancel an appointment."""
    return await _answer(request, booking, m.AppointmentRequest, agenda.cancel)


@post("/search", status_code=200)
async def search(request: Incoming, booking: NamedDependency[BookingService]) -> Response[bytes]:
    """Find appointments."""
    return await _answer(request, booking, m.SearchRequest, agenda.search)


@post("/show", status_code=200)
async def show(request: Incoming, booking: NamedDependency[BookingService]) -> Response[bytes]:
    """One appointment, without its person."""
    return await _answer(request, booking, m.AppointmentRequest, agenda.show)


@post("/reveal", status_code=200)
async def reveal(request: Incoming, booking: NamedDependency[BookingService]) -> Response[bytes]:
    """One appointment with its person."""

    async def revealed(booking: BookingService, asked: m.AppointmentRequest) -> m.AgendaAnswer:
        return await agenda.show(booking, asked, reveal=True)

    return await _answer(request, booking, m.AppointmentRequest, revealed)


async def _answer(
    request: Incoming,
    booking: BookingService,
    shape: type[Asked],
    act: Callable[[BookingService, Asked], Awaitable[Any]],
) -> Response[bytes]:
    message = (await signed(request, booking.central, shape)).message
    try:
        reply = await act(booking, message)
    except asyncpg.DataError:
        raise refused(400, "malformed", "a character that no column holds") from None
    return Response(codec.encode(reply), media_type=JSON, headers={"cache-control": "no-store"})


ROUTES = (
    Router(
        path="/sync/v1/agenda",
        route_handlers=[times, calendar, book, move, cancel, search, show, reveal],
        request_max_body_size=MAX_BODY_BYTES,
    ),
)
