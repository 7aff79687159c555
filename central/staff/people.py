"""What those are called who stand in a record as ``office/id``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from central.staff.sessions import queries


async def names_of(pool: Any, actors: Iterable[str]) -> dict[str, str]:
    """Names by actor; somebody who is no staff (any more), or set it from a command line, has none."""
    pairs = [actor.split("/", 1) for actor in actors if "/" in actor]
    rows = await pool.fetch(queries.names, [pair[0] for pair in pairs], [pair[1] for pair in pairs])
    return {f"{row['office_id']}/{row['staff_id']}": row["display_name"] for row in rows}
