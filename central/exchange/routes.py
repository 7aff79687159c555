"""The sync protocol over HTTP: ``POST /sync/v1/{hello,up,down,snapshot,people,report}``. Shapes in ``sync.messages.wire``.

Every rule is in ``sync.protocol``; here is only waiting and bytes. A long-poll subscribes first, then reads, then waits. It
ends early when there is news, when the edge goes away, and when this process is to stop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import IO, Any

import asyncpg
import msgspec
import structlog
from litestar import Request, Response, Router, post
from litestar.di import NamedDependency
from litestar.response import Stream

from central.booking.sold import take_person
from central.context import Central
from central.exchange import metrics
from central.exchange.activations import trusts
from central.exchange.links import clock_ahead_ms, note_hello
from central.exchange.requests import MAX_BODY_BYTES, refused, signed
from central.exchange.service import Exchange
from central.exchange.snapshot_files import start_of
from central.exchange.wakes import wait_any
from central.requests import REFUSED
from provisioning.failpoints import failpoint
from sync.io.http import JSON, NDJSON, PROBLEM_JSON
from sync.messages import codec
from sync.messages.people import PersonReply, PersonRequest
from sync.messages.wire import (
    DownReply,
    DownRequest,
    HelloRequest,
    ReportRequest,
    SnapshotRequest,
    UpRefusal,
    UpReply,
    UpRequest,
)
from sync.protocol.downlink import is_empty, rows_after
from sync.protocol.hello import answer_hello
from sync.protocol.recovery import take_report
from sync.protocol.streams import streams_of
from sync.protocol.uplink import ingest

log = structlog.get_logger(__name__)

CHUNK_BYTES = 64 * 1024
DEADLOCKS = 3
"""How often a batch is taken again after a deadlock before its sender has to send it again."""

Incoming = Request[Any, Any, Any]


@post("/hello", status_code=200)
async def hello(
    request: Incoming, central: NamedDependency[Central], exchange: NamedDependency[Exchange]
) -> Response[bytes]:
    """Say who we are and how far we are; take note of who asks."""
    message = (await signed(request, central, HelloRequest)).message
    now = central.clock.now()
    reply = await answer_hello(
        exchange.store,
        message,
        server_at=now,
        durability=central.settings.database.durability,
        trusts=partial(trusts, central.keys),
        clock_ahead_ms=await clock_ahead_ms(central.pool, message.office),
    )
    if message.activation is not None and message.epoch not in exchange.announced[message.office]:
        await exchange.announce_nodes()  # it may have been adopted just now
        exchange.announced[message.office].add(message.epoch)
    try:
        await note_hello(central.pool, message, now, is_fenced=reply.fenced_by > 0)
    except asyncpg.DataError:
        raise refused(400, "malformed", "a number is too large") from None
    return _json(reply)


@post("/up", status_code=200)
async def up(
    request: Incoming, central: NamedDependency[Central], exchange: NamedDependency[Exchange]
) -> Response[bytes]:
    """Take facts; the reply says that they are committed. 409 is an ``UpRefusal``."""
    message = (await signed(request, central, UpRequest)).message
    exchange.hearing.heard(message.office)
    reply = await _ingest(exchange, message)
    if isinstance(reply, UpRefusal):
        REFUSED.labels(f"up_{reply.code}").inc()
        log.warning("facts.refused", office=message.office, epoch=message.epoch, code=reply.code)
        return Response(codec.encode(reply), status_code=409, media_type=PROBLEM_JSON)
    reply = exchange.backpressure.paced(message.office, reply, len(message.facts), central.clock.monotonic_ns() / 1e9)
    if reply.fenced_by:
        metrics.LATE.labels(message.office).inc(len(message.facts))
        return _json(reply)
    fresh = await exchange.days.ingested(message.office, message.facts)
    metrics.ingested(message, fresh, central.clock.now())
    failpoint("central.facts_taken")
    return _json(reply)


@post("/down", status_code=200)
async def down(
    request: Incoming, central: NamedDependency[Central], exchange: NamedDependency[Exchange]
) -> Response[bytes]:
    """Rows behind the cursors; while there are none, wait for some. 410 (with the same body) names streams to resync."""
    sent = await signed(request, central, DownRequest)
    message = msgspec.structs.replace(sent.message, epoch=sent.claims.epoch)
    exchange.hearing.heard(message.office)
    with exchange.hearing.polling(message.office), metrics.LONG_POLLS.track_inprogress():
        reply = await _wait_for_rows(request, exchange, message)
    failpoint("central.rows_read")
    if reply.resync:
        REFUSED.labels("down_resync").inc()
    return _json(reply, status=410 if reply.resync else 200)


@post("/snapshot", status_code=200)
async def snapshot(request: Incoming, central: NamedDependency[Central], exchange: NamedDependency[Exchange]) -> Stream:
    """Everything the office must know, of one moment, as gzip NDJSON with its own checksum at the end.

    The same request again, with ``Range`` and the entity tag in ``If-Range``, goes on where the line was cut.
    """
    sent = await signed(request, central, SnapshotRequest)
    message = sent.message
    exchange.hearing.heard(message.office)
    if (present := await exchange.fenced_by(message.office, sent.claims.epoch)) is not None:
        raise refused(409, "fenced", "a later epoch holds the office", epoch=present)
    file = await exchange.snapshots.get(message)
    start = start_of(request.headers.get("range"), request.headers.get("if-range"), file)
    if start is None:
        raise refused(416, "range_beyond_end")
    headers = {"etag": file.etag, "accept-ranges": "bytes", "content-length": str(file.size - start)}
    if start:
        headers["content-range"] = f"bytes {start}-{file.size - 1}/{file.size}"
    return Stream(
        _chunks(file.open(start)),
        status_code=206 if start else 200,
        media_type=NDJSON,
        headers={"content-encoding": "gzip", **headers},
    )


@post("/people", status_code=200)
async def people(
    request: Incoming, central: NamedDependency[Central], exchange: NamedDependency[Exchange]
) -> Response[bytes]:
    """Take the person of an appointment that the office sold from a lease."""
    message = (await signed(request, central, PersonRequest)).message
    exchange.hearing.heard(message.office)
    try:
        outcome = await take_person(central, message)
    except asyncpg.DataError:
        raise refused(400, "malformed", "a character that no column holds") from None
    return _json(PersonReply(request_id=message.request_id, outcome=outcome))


@post("/report", status_code=200)
async def report(
    request: Incoming, central: NamedDependency[Central], exchange: NamedDependency[Exchange]
) -> Response[bytes]:
    """Take what an office knows and a restored central may have forgotten."""
    message = (await signed(request, central, ReportRequest)).message
    exchange.hearing.heard(message.office)
    try:
        async with exchange.store.transaction() as tx:
            reply = await take_report(tx, message, central.clock.now())
    except asyncpg.DataError:
        raise refused(400, "malformed", "a number or a character that no column holds") from None
    log.info("report.answered", office=message.office, taken=reply.taken, bookings=len(message.bookings))
    return _json(reply)


ROUTES = (
    Router(
        path="/sync/v1",
        route_handlers=[hello, up, down, snapshot, people, report],
        request_max_body_size=MAX_BODY_BYTES,
    ),
)


async def _ingest(exchange: Exchange, message: UpRequest) -> UpReply | UpRefusal:
    """A deadlock with a batch of another office is nobody's fault and over as soon as one of the two begins anew."""
    for again in range(DEADLOCKS, -1, -1):
        try:
            return await ingest(exchange.store, message, exchange.central.clock.now())
        except asyncpg.DataError as error:  # a number or a character that no column holds: it will never fit
            log.warning("facts.unstorable", office=message.office, error=type(error).__name__)
            return UpRefusal(request_id=message.request_id, code="malformed")
        except asyncpg.TransactionRollbackError:
            if not again:
                raise
    raise AssertionError("the last try answers or raises")


async def _wait_for_rows(request: Incoming, exchange: Exchange, message: DownRequest) -> DownReply:
    loop = asyncio.get_running_loop()
    until = loop.time() + message.wait_s
    gone = asyncio.Event()
    watching = asyncio.create_task(_set_when_gone(request, gone))
    try:
        with exchange.streams.watch(streams_of(message.office)) as news:
            while True:
                news.clear()
                reply = await rows_after(exchange.store, message)
                left_s = until - loop.time()
                stopping = exchange.central.stopping
                if not is_empty(reply) or left_s <= 0 or stopping.is_set() or gone.is_set():
                    return reply
                await wait_any(news, stopping, gone, timeout_s=left_s)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _set_when_gone(request: Incoming, gone: asyncio.Event) -> None:
    """The body has been read, so the next thing that comes is that the other end has gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    gone.set()


async def _chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _json(message: object, *, status: int = 200) -> Response[bytes]:
    return Response(codec.encode(message), status_code=status, media_type=JSON)
