"""What a broken, hostile or restored central can say to an edge: refused with a metric, held in bounds, and then the link goes on."""

from __future__ import annotations

import base64
import resource
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from sync.messages.values import GENESIS
from tests.integration.uplink.conftest import enrol
from tests.kit.central_server import CentralServer
from tests.kit.edge_end import EdgeEnd, until
from tests.kit.facts import printed_run
from tests.kit.meddler import Meddler, Said, Sent, bomb, meddling

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]

FEED_PUT = "SELECT * FROM feed_put($1, $2, $3, $4, $5, $6)"
ROW = b'{"id":"padron","names":{"es":"Padron"},"series":"P","duration_min":10}'
GIB = 1024**3
BOUND_BYTES = 150_000_000
"""How much more memory this whole process, central and meddler included, may need for a reply without end."""


def changed(**fields: Any) -> Callable[[Said], Sent]:
    """The same answer with other fields."""
    return lambda said: Sent([msgspec.json.encode(msgspec.json.decode(said.body) | fields)], status=said.status)


def of_rows(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Said], Sent]:
    """An answer of down whose streams that have rows are changed."""

    def meddle(said: Said) -> Sent:
        body = msgspec.json.decode(said.body)
        body["streams"] = [change(part) if part["rows"] else part for part in body["streams"]]
        return Sent([msgspec.json.encode(body)], status=said.status)

    return meddle


def later(part: dict[str, Any]) -> dict[str, Any]:
    return part | {"rows": [row | {"seq": row["seq"] + 1000} for row in part["rows"]], "head": part["head"] + 1000}


def another_body(part: dict[str, Any]) -> dict[str, Any]:
    return part | {"rows": [row | {"body": {"id": "other"}} for row in part["rows"]]}


def of_another_office(part: dict[str, Any]) -> dict[str, Any]:
    return part | {"stream": "office:real"}


def plain(body: bytes) -> Callable[[Said], Sent]:
    return lambda _said: Sent([body])


def truncated(said: Said) -> Sent:
    return Sent([b"".join(bomb(0, said.body))[:-9]], is_gzip=True)


def not_packed(said: Said) -> Sent:
    return Sent([said.body], is_gzip=True)


def without_end(said: Said) -> Sent:
    return Sent(bomb(GIB, said.body), is_gzip=True)


def lines_without_end(said: Said) -> Sent:
    first, row, *_ = said.body.splitlines(keepends=True)
    return Sent((first, *(row * 1000 for _ in range(1000))))


def line_without_end(said: Said) -> Sent:
    return Sent((said.body.splitlines(keepends=True)[0], *(b"x" * 1_000_000 for _ in range(100))))


def damaged_snapshot(said: Said) -> Sent:
    return Sent([said.body.replace(b"Padron", b"Patron")])


def short_snapshot(said: Said) -> Sent:
    return Sent([b"".join(said.body.splitlines(keepends=True)[:-1])])


END_OF_TIME = "9999-12-31T23:59:59.999Z"


def other_time(_said: Said) -> Sent:
    return Sent([msgspec.json.encode({"status": 401, "code": "token_expired", "server_time": END_OF_TIME})], status=401)


def tomorrow(said: Said) -> Sent:
    said.headers["retry-after"] = "86400"
    return Sent([msgspec.json.encode({"status": 503, "code": "busy"})], status=503)


def snapshot_of_another(said: Said) -> Sent:
    return Sent([said.body.replace(b'"stream":"global"', b'"stream":"office:real"')])


class Bad(NamedTuple):
    """What is said in place of what, and how the edge counts it.

    Args:
        exchange: the exchange whose answers are changed.
        failure: the code of ``ventanilla_uplink_failures``, if it is counted there.
        snapshot: the outcome of ``ventanilla_snapshots_taken``, if it ends or begins there.
    """

    exchange: str
    meddle: Callable[[Said], Sent]
    failure: str = ""
    snapshot: str = ""


BAD = {
    "hello that is no JSON": Bad("hello", plain(b"\x00\xff{"), "malformed_reply"),
    "hello at the calendar's end": Bad("hello", changed(server_at=END_OF_TIME), "malformed_reply"),
    "a time to sign with at the calendar's end": Bad("hello", other_time, "token_expired"),
    "try again tomorrow": Bad("up", tomorrow, "busy"),
    "hello without end": Bad("hello", without_end, "reply_too_large"),
    "acknowledgement, truncated gzip": Bad("up", truncated, "malformed_reply"),
    "acknowledgement, no gzip at all": Bad("up", not_packed, "malformed_reply"),
    "acknowledgement without end": Bad("up", without_end, "reply_too_large"),
    "acknowledgement, very deep": Bad("up", plain(b"[" * 100_000), "malformed_reply"),
    "rows, truncated gzip": Bad("down", truncated, "malformed_reply"),
    "rows without end": Bad("down", without_end, "reply_too_large"),
    "rows of another shape": Bad("down", changed(streams=7), "malformed_reply"),
    "rows with a wrong hash": Bad("down", of_rows(another_body), snapshot="applied"),
    "rows from the future": Bad("down", of_rows(later), snapshot="applied"),
    "rows of another office's stream": Bad("down", of_rows(of_another_office), snapshot="applied"),
    "snapshot of 100 MB in one line": Bad("snapshot", line_without_end, snapshot="too_large"),
    "snapshot of rows without end": Bad("snapshot", lines_without_end, snapshot="counts"),
    "snapshot that inflates without end": Bad("snapshot", without_end, snapshot="too_large"),
    "snapshot with a changed row": Bad("snapshot", damaged_snapshot, snapshot="hash"),
    "snapshot without its end": Bad("snapshot", short_snapshot, snapshot="truncated"),
    "snapshot of another office": Bad("snapshot", snapshot_of_another, snapshot="not_ours"),
}


@pytest.fixture
async def meddler(central: CentralServer) -> AsyncIterator[Meddler]:
    async with meddling(central.url) as meddler:
        yield meddler


@pytest.fixture
async def edge(central: CentralServer, meddler: Meddler, tmp_path: Path) -> AsyncIterator[EdgeEnd]:
    folder = tmp_path / "edge"
    folder.mkdir()
    edge = EdgeEnd(folder, meddler.url, wait_s=1)
    await enrol(central, edge)
    yield edge
    await edge.stop()


async def put(central: CentralServer, service: str) -> None:
    pool = central.central.pool
    await pool.fetch(FEED_PUT, "global", "service", service, 1, "put", ROW.replace(b"padron", service.encode()))


def counted(edge: EdgeEnd, name: str, **labels: str) -> float:
    return edge.registry.get_sample_value(f"{name}_total", labels) or 0.0


@pytest.mark.parametrize("bad", [pytest.param(bad, id=name) for name, bad in BAD.items()])
async def test_what_is_wrong_is_refused_and_the_link_goes_on(
    central: CentralServer, meddler: Meddler, edge: EdgeEnd, bad: Bad
) -> None:
    await put(central, "padron")
    if bad.exchange == "down":  # the first rows come as a snapshot; what is changed are the ones after it
        await edge.start()
        await until(lambda: edge.news, within_s=20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    meddler.meddle[bad.exchange] = bad.meddle
    if bad.exchange != "down":
        await edge.start()
    await edge.commit(printed_run(1, 3))
    await put(central, "registro")

    def is_counted() -> bool:
        failures = not bad.failure or counted(edge, "ventanilla_uplink_failures", loop=loop, code=bad.failure) > 0
        wanted = 2 if bad.snapshot == "applied" else 1
        return failures and (
            not bad.snapshot or counted(edge, "ventanilla_snapshots_taken", outcome=bad.snapshot) >= wanted
        )

    loop = {"snapshot": "down"}.get(bad.exchange, bad.exchange)
    await until(is_counted, within_s=40)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before < BOUND_BYTES
    assert edge.uplink.state.halted is None
    meddler.meddle.clear()

    await until(lambda: edge.uplink.state.acked_seq == 3, within_s=40)

    async def knows_both() -> bool:
        return {row.entity_id for row in await edge.entities() if row.kind == "service"} == {"padron", "registro"}

    await until(knows_both, within_s=40)


async def test_an_acknowledgement_from_the_future_halts_and_alarms(meddler: Meddler, edge: EdgeEnd) -> None:
    """Central claims facts that were never made: this journal is an old copy, or that log is not ours."""
    meddler.meddle["up"] = changed(acked_seq=10**6)
    await edge.start()
    await edge.commit(printed_run(1, 3))
    await until(lambda: edge.uplink.state.halted == "fork", within_s=30)


@pytest.mark.parametrize("fields", [{"request_id": "01a202c9-0000-7000-8000-000000000001"}, {"acked_seq": 0}])
async def test_an_answer_to_another_request_or_of_before_moves_nothing(
    meddler: Meddler, edge: EdgeEnd, fields: dict[str, Any]
) -> None:
    replayed = fields | ({"acked_hash": base64.b64encode(GENESIS).decode()} if "acked_seq" in fields else {})
    meddler.meddle["up"] = changed(**replayed)
    await edge.start()
    await edge.commit(printed_run(1, 3))
    await until(lambda: meddler.meddled >= 1, within_s=30)
    assert (edge.uplink.state.acked_seq, edge.uplink.state.halted) == (0, None)
    meddler.meddle.clear()
    await until(lambda: edge.uplink.state.acked_seq == 3, within_s=40)


async def test_a_kind_of_a_later_build_is_kept_as_it_is(central: CentralServer, edge: EdgeEnd) -> None:
    body = b'{"future":[1,2,3]}'
    await central.central.pool.fetch(FEED_PUT, "global", "hologram", "h1", 1, "put", body)
    await edge.start()
    await put(central, "padron")

    async def kinds() -> bool:
        rows = {row.kind: bytes(row.body) for row in await edge.entities()}
        return rows.get("hologram") == body and "service" in rows

    await until(kinds, within_s=30)
