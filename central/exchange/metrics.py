"""What operations watch of the exchange. Refusals count in ``ventanilla_refused_total{code}`` with all others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from prometheus_client import Counter, Gauge, Histogram

from sync.messages.wire import UpRequest

INGESTED = Counter("ventanilla_facts_ingested_total", "Facts added to the raw log", ["office"])
LATE = Counter(
    "ventanilla_late_facts_total", "Facts told by a node that was replaced (again, when sent twice)", ["office"]
)
PARKED = Gauge("ventanilla_facts_parked", "Facts that no projection holds and nobody has looked at")
LAG = Histogram(
    "ventanilla_fact_lag_seconds",
    "Age of the newest fact of a batch when it was committed (by the office's clock)",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 600, 3600, 86400),
)
HELD_BACK = Counter(
    "ventanilla_batches_held_back_total", "Batches of a backlog whose sender was asked to wait", ["office"]
)
LONG_POLLS = Gauge("ventanilla_long_polls_open", "Long-polls that wait for news")
SNAPSHOTS = Counter("ventanilla_snapshots_total", "Snapshots made", ["office"])

CONFLICTS = Gauge("ventanilla_conflicts_open", "Entries of the conflict inbox that nobody has dealt with", ["kind"])
AWAITED = Gauge("ventanilla_offices_awaited", "Offices whose report a restored central waits for: nothing is booked")
LAG_FACTS = Gauge("ventanilla_office_lag_facts", "Facts that an office has and central has not, as it said", ["office"])
SILENT = Gauge("ventanilla_office_silent_seconds", "Since an office was heard last", ["office"])
DISK_FREE = Gauge("ventanilla_office_disk_free_bytes", "Disk that an office's node has left, as it said", ["office"])
BEHIND = Gauge("ventanilla_office_configuration_behind", "Kinds of configuration published and not applied", ["office"])
LEASED = Gauge(
    "ventanilla_leased_seats",
    "Seats of open leases by what became of them; orphan: outstanding on a replaced node",
    ["end"],
)


def of_leases(ends: Mapping[str, int]) -> None:
    """Set the gauges of leases."""
    for end, seats in ends.items():
        LEASED.labels(end).set(seats)


def of_conflicts(kinds: Mapping[str, int]) -> None:
    """Set the gauges of the conflict inbox."""
    for kind, count in kinds.items():
        CONFLICTS.labels(kind).set(count)


def ingested(request: UpRequest, count: int, now: datetime) -> None:
    """Count the ``count`` facts of a batch that were new."""
    INGESTED.labels(request.office).inc(count)
    LAG.observe(max(0.0, (now - request.facts[-1].header.occurred_at).total_seconds()))
