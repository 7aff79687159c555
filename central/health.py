"""`/health/live`: the process answers. `/health/ready`: it can do its work. `/metrics`: Prometheus."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
from litestar import Response, get
from litestar.di import NamedDependency
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from central.context import Central

Check = Callable[[Central], Awaitable[bool]]

READY_TIMEOUT_S = 2


@get("/health/live", include_in_schema=False, sync_to_thread=False)
def live() -> dict[str, str]:
    return {"status": "ok"}


@get("/health/ready", include_in_schema=False)
async def ready(central: NamedDependency[Central]) -> Response[dict[str, str]]:
    """503 while central cannot book: no database, or stopping."""
    checks = {
        "database": "ok" if await _database_answers(central) else "down",
        "listener": "ok" if central.listener.is_up else "down",
        "stopping": "yes" if central.stopping.is_set() else "no",
    }
    is_ready = checks["database"] == "ok" and checks["stopping"] == "no"  # without the listener central polls
    return Response(checks, status_code=200 if is_ready else 503)


@get("/metrics", include_in_schema=False, sync_to_thread=False)
def metrics() -> Response[bytes]:
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


async def _database_answers(central: Central) -> bool:
    try:
        async with asyncio.timeout(READY_TIMEOUT_S):
            return bool(await central.pool.fetchval("SELECT true"))
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False


ROUTES = (live, ready, metrics)
