"""Part two: a city of many edge nodes, one central and its Postgres, as processes; a peak hour at the clock's own pace."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives import serialization

from central import migrations
from central.database import connect
from central.exchange.activations import activate
from central.exchange.nodes import register
from central.keys import load_keys
from central.loading import load as load_city
from central.offices.city import read_city
from central.settings import Database, Http, Keys, Mail, Settings
from edge_node.migrations import migrate
from provisioning.demo.node_keys import ensure_node_key
from provisioning.launchers.broker import Broker
from provisioning.launchers.ports import free_port
from provisioning.launchers.postgres import Postgres
from provisioning.launchers.process import Child, http_ready
from sync.io.clock import SystemClock
from tests.bench.console.nodes import Node, counted, memory_mb, morning_zone, primary_of, secondary_of
from tests.bench.console.plan import RECEPTION, SERVICES, Json, Office, Plan
from tests.bench.console.runs import Tell, run
from tests.kit.edge import verifier

AT_ONCE = 4
"""Nodes that are started at the same time."""
FED_S = 240.0
LANGUAGES = ("es", "en", "fr", "ar")


def city_run(folder: Path, *, nodes: int, staff: int, seconds: float, rate: float, tell: Tell) -> Json:
    """``staff`` consoles, shared out among ``nodes`` offices, with all that is theirs."""
    counters = {f"office-{n}": (staff + n - 1) // nodes for n in counted(nodes)}
    with running_city(folder, counters, rate, tell) as (edges, central):
        offices = tuple(Office(office=e.office, port=e.port, counters=counters[e.office]) for e in edges)
        plan = Plan(offices=offices, seconds=seconds, warm_up_s=min(15.0, seconds / 3), rate=rate, queue=1.0)
        figures = run(folder, plan, edges, tell)
        return {**figures, "central_memory_mb": memory_mb(central.pid)}


@contextmanager
def running_city(
    folder: Path, counters: dict[str, int], rate: float, tell: Tell
) -> Iterator[tuple[Sequence[Node], Child]]:
    """The processes of a city whose nodes have got their offices' rows; all are stopped at the end, however it comes."""
    folder.chmod(0o755)  # Postgres may run as another user
    with ExitStack() as stack:
        postgres = stack.enter_context(Postgres(folder / "pg"))
        postgres.ensure_database("city")
        settings = Settings(
            http=Http(port=free_port()),
            database=Database(dsn=postgres.dsn("city")),
            keys=Keys(folder=folder / "keys", create_missing=True),
            mail=Mail(host=""),
        )
        tell("the city's offices, staff and nodes go into Postgres")
        keys = {office: ensure_node_key(_key_file(folder, office)) for office in counters}
        asyncio.run(_set_up(settings, counters, keys))
        central = stack.enter_context(_central(folder, settings))
        broker = stack.enter_context(Broker(folder / "broker", dies_with_us=True))
        edges = [_edge(folder, office, broker.port, settings, rate) for office in counters]
        stack.callback(_stop, edges)
        _start(edges, tell)
        _await_rows(edges, counters, tell)
        yield edges, central


def city_toml(counters: dict[str, int]) -> str:
    """A city file: the same services everywhere, and no slots, since nobody books here."""
    zone = morning_zone(datetime.now(UTC))
    services = [
        {"id": name, "series": "ABCD"[n], "duration_min": 6, "names": dict.fromkeys(LANGUAGES, name.title())}
        for n, name in enumerate(SERVICES)
    ]
    return msgspec.toml.encode(
        {
            "city": {"name": "Bench", "time_zone": zone},
            "services": services,
            "offices": [_office(office, count) for office, count in counters.items()],
        }
    ).decode()


def _office(office: str, counters: int) -> dict[str, Any]:
    people = [(f"clerk-{n}", ["clerk"]) for n in counted(counters)] + [(RECEPTION, ["clerk", "supervisor"])]
    return {
        "id": office,
        "name": office.title(),
        "address": "Plaza 1",
        "services": SERVICES,
        "hours": [],
        "counters": [{"id": str(n), "primary": primary_of(n), "secondary": secondary_of(n)} for n in counted(counters)],
        "staff": [
            {"id": who, "display_name": who.title(), "roles": roles, "verifier": verifier()} for who, roles in people
        ],
    }


async def _set_up(settings: Settings, counters: dict[str, int], keys: dict[str, Path]) -> None:
    connection = await connect(settings.database)
    try:
        await migrations.migrate(connection)
        now = SystemClock().now()
        await load_city(connection, settings=settings, city=read_city(city_toml(counters)), now=now)
        signing = load_keys(settings.keys)
        for office, public in keys.items():
            key = _raw(public)
            node = f"{office}-1"
            activation = activate(signing, office=office, node=node, epoch=1, public_key=key)
            await register(
                connection, node_id=node, office=office, epoch=1, public_key=key, activation=activation.signature
            )
    finally:
        await connection.close()


def _raw(public: Path) -> bytes:
    key = serialization.load_pem_public_key(public.read_bytes())
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def _central(folder: Path, settings: Settings) -> Child:
    config = folder / "central.toml"
    sections = {
        "http": {"port": settings.http.port},
        "database": {"dsn": settings.database.dsn},
        "keys": {"folder": str(settings.keys.folder)},
        "logs": {"level": "warning"},
    }
    config.write_bytes(msgspec.toml.encode(sections))
    return Child(
        "central",
        [sys.executable, "-m", "central", "serve", "--config", config],
        log=folder / "central.log",
        ready=http_ready(f"http://127.0.0.1:{settings.http.port}/health/live"),
        ready_timeout_s=60,
        dies_with_us=True,
    )


def _edge(folder: Path, office: str, broker_port: int, settings: Settings, rate: float) -> Node:
    url = f"http://127.0.0.1:{settings.http.port}"
    central = {"url": url, "public_url": url, "node_key_file": str(_key_file(folder, office))}
    clock = {} if rate == 1.0 else {"clock": {"rate": rate}}
    node = Node(office, folder / office / "edge", broker_port, central=central, **clock)
    migrate(node.folder / "edge.db")
    return node


def _key_file(folder: Path, office: str) -> Path:
    (folder / office).mkdir(exist_ok=True)
    return folder / office / "node.pem"


def _start(edges: Sequence[Node], tell: Tell) -> None:
    for first in range(0, len(edges), AT_ONCE):
        several = edges[first : first + AT_ONCE]
        for edge in several:
            edge.child.launch()
        for edge in several:
            edge.child.wait_ready()
        tell(f"{first + len(several)} of {len(edges)} edge nodes run")


def _stop(edges: Sequence[Node]) -> None:
    for edge in edges:
        edge.child.ask_to_stop()
    for edge in edges:
        edge.child.wait_stopped()


def _await_rows(edges: Sequence[Node], counters: dict[str, int], tell: Tell) -> None:
    """Until central's feed has brought every node its counters and people."""
    end = time.monotonic() + FED_S
    for edge in edges:
        while _people(edge.folder / "edge.db") <= counters[edge.office]:
            if time.monotonic() > end or not edge.child.is_running:
                raise RuntimeError(f"{edge.office} got no rows from central; see {edge.child.log}")
            time.sleep(0.1)
    time.sleep(1)  # the last one's rows are committed and now become what it works with
    tell("all nodes know their offices")


def _people(file: Path) -> int:
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    found = connection.execute("SELECT count(*) FROM entity WHERE kind = 'staff'").fetchone()[0]
    connection.close()
    return int(found)
