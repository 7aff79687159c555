"""Connections to Postgres: the pool that requests share and the codecs that all connections have."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from central.settings import Database
from provisioning.settings import read_secret

COMMAND_TIMEOUT_S = 30

# A booking's statement is planned longer than it runs, and Postgres would plan it anew each time because the plan for these
# very values looks a little cheaper. Our statements find their rows by index whatever the values (a test holds them to it),
# also those that were planned while a table was empty: a first day's rush would read it whole until the next ANALYZE.
SESSION = {"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off", "jit": "off"}


async def prepare_connection(connection: Any) -> None:
    """Give a connection our codecs: ids are text everywhere, so uuid goes in and out as text."""
    await connection.set_type_codec("uuid", schema="pg_catalog", encoder=str, decoder=str, format="text")


async def connect(settings: Database) -> Any:
    """Open a connection of one's own, for migrations, loading and LISTEN; the caller closes it."""
    connection = await asyncpg.connect(settings.dsn, password=_password(settings))
    await prepare_connection(connection)
    return connection


@asynccontextmanager
async def open_pool(settings: Database) -> AsyncIterator[Any]:
    """The pool that all requests of this process share.

    Statements stay prepared for the life of a connection: the hot ones are twice as fast so. A pooler in transaction mode
    in front of Postgres would take that away.
    """
    pool = await asyncpg.create_pool(
        settings.dsn,
        password=_password(settings),
        min_size=min(settings.pool_min, settings.pool_max),
        max_size=settings.pool_max,
        command_timeout=COMMAND_TIMEOUT_S,
        max_inactive_connection_lifetime=0,
        init=prepare_connection,
        server_settings=SESSION,
        reset=_leave_as_is,
    )
    try:
        yield pool
    finally:
        await _close(pool)


async def _leave_as_is(_connection: Any) -> None:
    """No statement of ours changes a session (settings are `SET LOCAL`), so giving a connection back needs no round trip.
    asyncpg still rolls back an open transaction.
    """


async def _close(pool: Any) -> None:
    """Let running statements end, but not for long: a stop must not wait for a slow client."""
    try:
        async with asyncio.timeout(3):
            await pool.close()
    except TimeoutError:
        pool.terminate()


def _password(settings: Database) -> str | None:
    return read_secret(settings.password_file) if settings.password_file else None
