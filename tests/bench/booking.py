"""Booking over HTTP with everything the product does, beside what Postgres can do with the same statement.

    python -m tests.bench.booking [--seconds 3] [--rounds 3] [--dir FOLDER]

Goals: G1, `POST /api/v1/appointments` at 100 callers on one worker at least 0.20 of pgbench running the product's own
booking statement with 10 clients, and G2, since bookings are written in groups under such a load, at least 0.40; G4, 100
callers on one slot of 1000 seats at least 0.8 of pgbench with one client on such a slot, and exactly as many appointments
as seats. Sides are interleaved in every round, on one server with fsync; medians of the rounds' ratios. The load
generator is one Python process and shares the cores with server and database.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
import msgspec
import uvloop

from central import migrations
from central.database import connect
from central.keys import API
from central.loading import load as load_city
from central.loading import open_offices
from central.offices.city import read_city
from central.settings import Booking, Database, Http, Keys, Mail, Settings
from provisioning.launchers.ports import free_port, is_listening
from provisioning.launchers.postgres import Postgres
from provisioning.launchers.postgres_binaries import installed_binaries
from sync.domain.service_day import starts_at
from sync.io.clock import SystemClock
from sync.io.ids import new_id
from tests.bench.limits.figures import figures
from tests.bench.limits.http_load import Load, load, post_request, read_response
from tests.bench.limits.pgbench_claim import PgbenchRun, Target, claim_script, run_pgbench

OFFICES = 10
DAYS = 28
SLOTS = DAYS * 144 - 6
"""From tomorrow on, round the clock, without the hour that a change of the clock may take."""
SEATS = 6
HOT_SEATS = 1000
ZONE = ZoneInfo("Africa/Ceuta")


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One round: rates per second, latencies in ms."""

    http: Load
    pgbench: PgbenchRun
    hot_http: Load
    hot_pgbench: PgbenchRun
    hot_sold: int

    @property
    def ratio(self) -> float:
        return (
            self.http.statuses.get(201, 0) / self.http.figures.operations * self.http.figures.rate / self.pgbench.rate
        )

    @property
    def hot_ratio(self) -> float:
        return self.hot_rate / self.hot_pgbench.rate

    @property
    def hot_rate(self) -> float:
        return self.hot_http.statuses.get(201, 0) / self.hot_http.figures.operations * self.hot_http.figures.rate


@click.command()
@click.option("--seconds", default=3, show_default=True, help="Length of each measurement.")
@click.option("--rounds", default=3, show_default=True, help="Interleaved rounds.")
@click.option("--callers", default=100, show_default=True, help="HTTP callers.")
@click.option("--pool", default=12, show_default=True, help="Connections of central.")
@click.option("--dir", "folder", type=click.Path(path_type=Path), help="Where the database stands (a disk to measure).")
def main(seconds: int, rounds: int, callers: int, pool: int, folder: Path | None) -> None:
    """Measure booking against the same statement without us.

    Example: python -m tests.bench.booking --seconds 5
    """
    binaries = installed_binaries()
    if binaries is None or not (binaries.folder / "pgbench").exists():
        raise click.ClickException("pgbench is missing. Debian: apt-get install postgresql")
    with tempfile.TemporaryDirectory(dir=folder) as base:
        place = Path(base)
        place.chmod(0o755)  # the server may run as another user
        with Postgres(place / "pg", binaries=binaries, tcp_port=free_port()) as server:
            settings = prepare(server, place, rounds, pool)
            with central(settings, place):
                bench = Bench(settings, binaries.folder / "pgbench", place, seconds, callers)
                measured = [bench.round(number) for number in range(rounds)]
    print(msgspec.json.encode(summary(measured, callers, pool)).decode())


class Bench:
    """Runs the rounds against a running central."""

    def __init__(self, settings: Settings, pgbench: Path, place: Path, seconds: int, callers: int) -> None:
        self._settings = settings
        self._pgbench = pgbench
        self._dsn = settings.database.dsn
        self._seconds = seconds
        self._callers = callers
        self._people = itertools.count(1)
        self._headers = f"authorization: Bearer {(place / 'keys' / API).read_text().strip()}\r\n"
        self._random = random.Random(7)

    def round(self, number: int) -> Round:
        """All sides once; who goes first changes with the round."""
        self._checkpoint()
        spread, hot = (
            Target(
                office="('o' || :office)",
                office_count=OFFICES,
                first_at=first_slot_at(),
                slots=SLOTS,
                fed_slots=7 * 144,
            ),
            Target(office="'hot'", office_count=1, first_at=hot_slot_at(number, 0), slots=1, fed_slots=0),
        )
        sides: list[tuple[str, Callable[[], Any]]] = [
            ("http", lambda: self._http(self._spread_wish)),
            (
                "pgbench",
                lambda: self._run(claim_script(spread, seed=number * 2 + 1), clients=10, seconds=self._seconds),
            ),
        ]
        done = {name: side() for name, side in (sides if number % 2 == 0 else reversed(sides))}
        done["hot_pgbench"] = self._run(claim_script(hot, seed=number * 2 + 2), clients=1, transactions=HOT_SEATS)
        hot_at = hot_slot_at(number, 1)
        done["hot_http"] = self._http(lambda: ("hot", hot_at), until_taken=True)
        result = Round(**done, hot_sold=self._sold(hot_at))
        check(result)
        print(line(result), file=sys.stderr)
        return result

    def _spread_wish(self) -> tuple[str, datetime]:
        slot = self._random.randrange(SLOTS)
        return f"o{self._random.randint(1, OFFICES)}", first_slot_at() + timedelta(minutes=10 * slot)

    def _http(self, wish: Callable[[], tuple[str, datetime]], until_taken: bool = False) -> Load:
        def make() -> bytes:
            office, start_at = wish()
            return post_request("/api/v1/appointments", self._body(office, start_at), self._headers)

        if not until_taken:
            return uvloop.run(load(self._settings.http.port, self._callers, self._seconds, make))
        return uvloop.run(sell_out(self._settings.http.port, self._callers, make))

    def _body(self, office: str, start_at: datetime) -> bytes:
        return (
            f'{{"request_id": "{new_id()}", "office_id": "{office}", "service_id": "viaje", '
            f'"slot_start_at": "{start_at.isoformat()}", "person": {{"full_name": "Fátima Mohamed", '
            f'"document_kind": "passport", "document": "AB{next(self._people):07}", "email": "fatima@example.org"}}}}'
        ).encode()

    def _run(
        self, script: str, *, clients: int, seconds: int | None = None, transactions: int | None = None
    ) -> PgbenchRun:
        return run_pgbench(
            self._pgbench, self._dsn, script, clients=clients, seconds=seconds, transactions=transactions
        )

    def _sold(self, start_at: datetime) -> int:
        async def count() -> int:
            connection = await connect(self._settings.database)
            try:
                return int(await connection.fetchval(COUNT_SOLD, start_at))
            finally:
                await connection.close()

        return asyncio.run(count())

    def _checkpoint(self) -> None:
        async def work() -> None:
            connection = await connect(self._settings.database)
            await connection.execute("CHECKPOINT")
            await connection.close()

        asyncio.run(work())


async def sell_out(port: int, callers: int, make: Callable[[], bytes]) -> Load:
    """All callers on one slot until the first of them is told that it is taken."""
    durations: list[float] = []
    statuses: dict[int, int] = {}
    sold_out = asyncio.Event()

    async def call() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while not sold_out.is_set():
            before = time.perf_counter()
            writer.write(make())
            status, _ = await read_response(reader)
            durations.append(time.perf_counter() - before)
            statuses[status] = statuses.get(status, 0) + 1
            if status != 201:
                sold_out.set()
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(call() for _ in range(callers)))
    return Load(figures(durations, time.perf_counter() - started), statuses, [])


def check(measured: Round) -> None:
    """A fast wrong answer is no figure."""
    if set(measured.http.statuses) - {201, 409}:
        raise click.ClickException(f"unexpected answers: {measured.http.statuses}")
    if measured.http.statuses.get(409, 0) > measured.http.figures.operations / 50:
        raise click.ClickException(f"the slots are full: {measured.http.statuses}; shorten --seconds")
    if measured.hot_sold != HOT_SEATS or measured.hot_http.statuses.get(201) != HOT_SEATS:
        raise click.ClickException(
            f"one slot of {HOT_SEATS} seats has {measured.hot_sold} appointments, {measured.hot_http.statuses} were told so"
        )


def summary(rounds: list[Round], callers: int, pool: int) -> dict[str, Any]:
    """Medians, ratios and whether the goals are met."""
    g1 = round(statistics.median(each.ratio for each in rounds), 3)
    g4 = round(statistics.median(each.hot_ratio for each in rounds), 3)

    def middle(pick: Callable[[Round], float]) -> float:
        return round(statistics.median(pick(each) for each in rounds), 1)

    return {
        "bench": "booking",
        "callers": callers,
        "pool": pool,
        "rounds": len(rounds),
        "rate": middle(lambda each: each.http.figures.rate),
        "p50_ms": middle(lambda each: each.http.figures.p50_ms),
        "p99_ms": middle(lambda each: each.http.figures.p99_ms),
        "limit": {"what": "pgbench, the same statement, 10 clients", "rate": middle(lambda each: each.pgbench.rate)},
        "ratio": g1,
        "ratios": [round(each.ratio, 3) for each in rounds],
        "g1": {"goal": 0.20, "ratio": g1, "met": g1 >= 0.20},
        "g2": {"goal": 0.40, "ratio": g1, "met": g1 >= 0.40},
        "hot_slot": {
            "seats": HOT_SEATS,
            "sold": [each.hot_sold for each in rounds],
            "rate": middle(lambda each: each.hot_rate),
            "limit": {
                "what": "pgbench, the same statement on such a slot, 1 client",
                "rate": middle(lambda each: each.hot_pgbench.rate),
            },
        },
        "g4": {"goal": 0.8, "ratio": g4, "met": g4 >= 0.8},
    }


def line(measured: Round) -> str:
    return (
        f"book {measured.http.figures.rate}/s p99 {measured.http.figures.p99_ms} ms, pgbench {measured.pgbench.rate}/s, "
        f"ratio {measured.ratio:.3f}; hot slot {measured.hot_rate:.0f}/s, pgbench {measured.hot_pgbench.rate}/s, "
        f"ratio {measured.hot_ratio:.3f}, sold {measured.hot_sold} of {HOT_SEATS}"
    )


def tomorrow() -> date:
    return (datetime.now(ZONE) - timedelta(hours=4)).date() + timedelta(days=1)


def first_slot_at() -> datetime:
    return starts_at(tomorrow(), ZONE)


def hot_slot_at(number: int, side: int) -> datetime:
    """A slot of the hot office for one side of one round, so that each starts with all its seats."""
    return first_slot_at() + timedelta(days=10, minutes=10 * (number * 2 + side))


NAMES = '{ es = "Viaje", en = "Travel", fr = "Voyage", ar = "سفر" }'


def bench_city() -> str:
    """The TOML of a city with ten offices of many slots, and one whose slots have very many seats."""
    service = f'[[services]]\nid = "viaje"\nseries = "K"\nduration_min = 10\nnames = {NAMES}\n'
    names = [(f"o{number}", SEATS) for number in range(1, OFFICES + 1)] + [("hot", 0)]
    offices = [
        f'[[offices]]\nid = "{name}"\nname = "{name}"\naddress = "-"\nservices = ["viaje"]\nhours = []\n'
        f'pools = [{{ id = "todo", services = ["viaje"], slot_min = 10, seats = {seats} }}]\n'
        for name, seats in names
    ]
    return '[city]\nname = "Bench"\ntime_zone = "Africa/Ceuta"\n' + service + "".join(offices)


def prepare(server: Postgres, place: Path, rounds: int, pool: int) -> Settings:
    """A loaded database and the settings of a central that works on it."""
    server.ensure_database("bench")
    settings = Settings(
        http=Http(port=free_port()),
        database=Database(dsn=f"postgresql://postgres@127.0.0.1:{server.tcp_port}/bench", pool_min=pool, pool_max=pool),
        keys=Keys(folder=place / "keys", create_missing=True),
        booking=Booking(horizon_days=DAYS + 1),
        mail=Mail(host=""),
    )

    async def work() -> None:
        connection = await connect(settings.database)
        now = SystemClock().now()
        await migrations.migrate(connection)
        await load_city(connection, settings=settings, city=read_city(bench_city()), now=now)
        offices = [f"o{number}" for number in range(1, OFFICES + 1)] + ["hot"]
        await open_offices(connection, settings=settings, offices=offices, days=DAYS + 1, note="bench", now=now)
        for number, side in itertools.product(range(rounds), (0, 1)):
            await connection.execute(ADD_HOT_SEATS, hot_slot_at(number, side), HOT_SEATS)
        await connection.execute("VACUUM ANALYZE")
        await connection.close()

    asyncio.run(work())
    return settings


COUNT_SOLD = "SELECT count(*) FROM appointment WHERE office_id = 'hot' AND slot_start_at = $1"
ADD_HOT_SEATS = """
INSERT INTO seat (slot_id, seat_no) SELECT slot_id, n FROM slot CROSS JOIN generate_series(1, $2::int) AS n
WHERE office_id = 'hot' AND start_at = $1
"""


@contextmanager
def central(settings: Settings, place: Path) -> Iterator[None]:
    """The real server as a process of its own."""
    database, http = settings.database, settings.http
    config = place / "central.toml"
    config.write_text(
        f'[http]\nport = {http.port}\n[database]\ndsn = "{database.dsn}"\npool_min = {database.pool_min}\n'
        f'pool_max = {database.pool_max}\n[keys]\nfolder = "{settings.keys.folder}"\n'
        f'[booking]\nhorizon_days = {settings.booking.horizon_days}\n[logs]\nlevel = "warning"\n'
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "central", "serve", "--config", str(config)], env=dict(os.environ)
    )
    try:
        end = time.monotonic() + 30
        while not is_listening("127.0.0.1", http.port):
            if process.poll() is not None or time.monotonic() > end:
                raise click.ClickException("central did not start")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(10)


if __name__ == "__main__":
    main()
