"""A city of two offices and three services, small enough to know by heart, loaded through the product's own loader."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from central.database import connect
from central.keys import ACTIVATION, API, BOOKING_TOKEN, LINKS, PERSON
from central.loading import load
from central.offices.city import City, read_city
from central.settings import Database, Keys, Settings
from tests.kit.central_database import migrate_central
from tests.kit.services import Cluster

MONDAY_8H = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
"""A Monday, 8:00 in the city, an hour before its offices open; what a test's ManualClock starts at."""

TEMPLATE = """
[city]
name = "Prueba"
time_zone = "Africa/Ceuta"
subdivision = "ML"

[[services]]
id = "padron"
family = "padron"
series = "P"
duration_min = 20
names = {{ es = "Padrón", en = "Register", fr = "Registre", ar = "السجل" }}

[[services]]
id = "viaje"
series = "K"
duration_min = 5
names = {{ es = "Viaje", en = "Travel", fr = "Voyage", ar = "سفر" }}
documents = [{{ es = "DNI", en = "DNI", fr = "DNI", ar = "DNI" }}]

[[services]]
id = "informacion"
series = "N"
duration_min = 5
bookable = false
names = {{ es = "Información", en = "Information", fr = "Information", ar = "معلومات" }}

[[offices]]
id = "centro"
name = "Centro"
address = "Plaza 1"
services = ["padron", "viaje", "informacion"]
hours = [{{ days = ["mon", "tue", "wed", "thu", "fri"], opens = 09:00:00, closes = 14:00:00 }}]
pools = [{{ id = "todo", services = ["padron", "viaje"], slot_min = 10, seats = {seats} }}]
counters = [{{ id = "1", primary = ["padron"], secondary = ["viaje", "informacion"] }}]
staff = [
  {{ id = "ana", display_name = "Ana", roles = ["clerk", "supervisor"], demo_password = "secreta" }},
  {{ id = "rocio", display_name = "Rocío", roles = ["manager"], demo_password = "secreta" }},
  {{ id = "alonso", display_name = "Alonso", roles = ["admin"], demo_password = "secreta" }},
]

[[offices]]
id = "real"
name = "Real"
address = "Avenida 2"
services = ["padron", "viaje"]
hours = [{{ days = ["mon", "tue", "wed", "thu", "fri"], opens = 09:00:00, closes = 14:00:00 }}]
pools = [{{ id = "todo", services = ["padron", "viaje"], slot_min = 10, seats = {seats} }}]
staff = [{{ id = "rocio", display_name = "Rocío de Real", roles = ["manager"], demo_password = "otra" }}]
"""


def small_city(seats: int = 1) -> City:
    """The city with so many seats in every slot."""
    return read_city(TEMPLATE.format(seats=seats))


# The keys are part of the city: its template database was loaded with them.
TEST_KEYS = {
    PERSON: "11" * 32,
    LINKS: "22" * 32,
    API: "33" * 32,
    BOOKING_TOKEN: """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f
-----END PRIVATE KEY-----
""",
    ACTIVATION: """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEICAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/
-----END PRIVATE KEY-----
""",
}


def write_keys(folder: Path) -> Path:
    """Put the test keys into `folder/keys`, where `tests.kit.central_server` looks for them."""
    keys = folder / "keys"
    keys.mkdir(exist_ok=True)
    for name, content in TEST_KEYS.items():
        (keys / name).write_text(content)
    return keys


@contextmanager
def loaded_city(cluster: Cluster, folder: Path, seats: int = 1) -> Iterator[str]:
    """The DSN of a database with the small city, loaded at MONDAY_8H; its keys stand in `folder/keys`.

    Loading takes half a second, so it is done once per server and number of seats, and copied.
    """
    keys = write_keys(folder)

    def prepare(dsn: str) -> None:
        migrate_central(dsn)

        async def work() -> None:
            settings = Settings(database=Database(dsn=dsn), keys=Keys(folder=keys))
            connection = await connect(settings.database)
            try:
                await load(connection, settings=settings, city=small_city(seats), now=MONDAY_8H)
            finally:
                await connection.close()

        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, work()).result()

    with cluster.fresh(cluster.template(f"small_city_{seats}", prepare)) as dsn:
        yield dsn
