"""``POST /sync/v1/agenda/…``: what an office's staff ask of booking, signed by their node. Shapes in ``sync.messages.agenda``.

Every expected outcome is 200 with its name; a problem is about the request or about central itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg
from litestar import Request, Response, Router, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from central.booking import agenda
from central.booking.service import BookingService
from central.exchange.requests import refused, signed
from sync.io.http import JSON
from sync.messages import agenda as m
from sync.messages import codec

MAX_BODY_BYTES = 16 * 1024

Incoming = Request[Any, Any, Any]
Asked = TypeVar("Asked", bound=m.AgendaRequest)


async def _revealed(booking: BookingService, asked: m.AppointmentRequest) -> m.AgendaAnswer:
    return await agenda.show(booking, asked, reveal=True)


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


def _asked(
    path: str, shape: type[Asked], act: Callable[[BookingService, Asked], Awaitable[Any]], says: str
) -> HTTPRouteHandler:
    """The route by which an office asks for one act."""

    @post(path, status_code=200, description=says)
    async def answer(request: Incoming, booking: NamedDependency[BookingService]) -> Response[bytes]:
        return await _answer(request, booking, shape, act)

    return answer


ROUTES = (
    Router(
        path="/sync/v1/agenda",
        route_handlers=[
            _asked("/times", m.TimesRequest, agenda.times, "Free days and times."),
            _asked("/calendar", m.CalendarRequest, agenda.calendar, "Appointments ahead by day."),
            _asked("/book", m.BookRequest, agenda.book, "Book for somebody at the desk."),
            _asked("/move", m.MoveRequest, agenda.move, "Move an appointment."),
            _asked("/cancel", m.AppointmentRequest, agenda.cancel, "Cancel an appointment."),
            _asked("/search", m.SearchRequest, agenda.search, "Find appointments."),
            _asked("/show", m.AppointmentRequest, agenda.show, "One appointment, without its person."),
            _asked("/reveal", m.AppointmentRequest, _revealed, "One appointment with its person."),
        ],
        request_max_body_size=MAX_BODY_BYTES,
    ),
)
