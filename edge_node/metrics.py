"""What this process tells about itself, for Prometheus. One registry per node, so that tests can have several."""

from __future__ import annotations

from collections.abc import Callable, Sized
from datetime import datetime, timedelta
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from sync.domain.office_day import OfficeDay
from sync.domain.standing import Standing

NOT_SHOWN_AFTER = timedelta(seconds=6)
"""A call that no screen has shown by then is to be made aloud."""


class Told(Protocol):
    """What central has told, as far as it is counted."""

    @property
    def put_aside(self) -> int: ...


class Office(Protocol):
    """The office's state, as far as figures are read from it."""

    standing: Standing
    day: OfficeDay

    @property
    def buyers(self) -> Sized: ...

    @property
    def configuration(self) -> Told: ...

    def now(self) -> datetime: ...

    def doubt(self, now: datetime) -> object: ...


class Metrics:
    """The node's instruments; names begin with ``ventanilla_``."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.refused = Counter(
            "ventanilla_refused", "Commands and messages that were refused", ["code"], registry=self.registry
        )
        self.commit_s = Histogram(
            "ventanilla_commit_seconds",
            "From handing a batch to the writer until it is durable",
            buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
            registry=self.registry,
        )
        self.batch_size = Histogram(
            "ventanilla_batch_commands",
            "Commands decided together and committed in one transaction",
            buckets=(1, 2, 5, 10, 25, 50, 100, 256),
            registry=self.registry,
        )
        self.sse_streams = Gauge("ventanilla_sse_streams", "Open live streams", registry=self.registry)
        self.devices_online = Gauge("ventanilla_devices_online", "Devices online", ["kind"], registry=self.registry)
        self.uplink_lag = Gauge(
            "ventanilla_uplink_lag_facts", "Facts that central has not acknowledged", registry=self.registry
        )
        self.copy_age_s = Gauge(
            "ventanilla_copy_age_seconds",
            "Since the newest copy of the database was made; 0 where none is wanted",
            registry=self.registry,
        )
        self.locator_alarms = Counter(
            "ventanilla_locator_guessing_alarms",
            "Kiosks at which 30 locators in a row were unknown",
            ["device"],
            registry=self.registry,
        )
        self._fenced = self._gauge("fenced", "1 while a later node holds the office")
        self._rolled_back = self._gauge("rolled_back", "1 while somebody has seen more of the journal than it has")
        self._date_unconfirmed = self._gauge("date_unconfirmed", "1 while the clock may not open the day")
        self._put_aside = self._gauge("rows_put_aside", "Rows that a restored central forgot and has no report of yet")
        self._people_untold = self._gauge(
            "people_untold", "People of appointments sold here whom central does not have yet"
        )
        self._calls_unseen = self._gauge("calls_unseen", "Calls that no screen has shown in time")
        self._disk_free = self._gauge("disk_free_ratio", "Free share of the disk, with the ballast in its place")
        self._practices = self._gauge("practices", "People who practise in an invented office")
        self._queue_depth = Gauge("ventanilla_queue_depth", "Commands waiting for a decision", registry=self.registry)
        self._waiting = Gauge("ventanilla_people_waiting", "People waiting in the office", registry=self.registry)

    def watch(self, depth: Callable[[], int], waiting: Callable[[], int]) -> None:
        """Read these when somebody asks for the figures."""
        self._queue_depth.set_function(depth)
        self._waiting.set_function(waiting)

    def watch_office(self, office: Office) -> None:
        """Read these when somebody asks for the figures."""
        self._fenced.set_function(lambda: office.standing.is_fenced)
        self._rolled_back.set_function(lambda: office.standing.is_rolled_back)
        self._date_unconfirmed.set_function(lambda: office.doubt(office.now()) is not None)
        self._put_aside.set_function(lambda: office.configuration.put_aside)
        self._people_untold.set_function(lambda: len(office.buyers))
        self._calls_unseen.set_function(lambda: unseen_calls(office.day, office.now()))

    def watch_disk(self, free_ratio: Callable[[], float]) -> None:
        """Read this when somebody asks for the figures."""
        self._disk_free.set_function(free_ratio)

    def watch_practice(self, count: Callable[[], int]) -> None:
        """Read this when somebody asks for the figures."""
        self._practices.set_function(count)

    def _gauge(self, name: str, about: str) -> Gauge:
        return Gauge(f"ventanilla_{name}", about, registry=self.registry)

    def text(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self.registry)


def unseen_calls(day: OfficeDay, now: datetime) -> int:
    """Calls at counters that no screen has shown in time: a display is stale, or there is none."""
    visits = (day.visit_at(session) for session in day.sessions)
    return sum(
        1
        for ticket in visits
        if ticket is not None
        and ticket.state == "called"
        and ticket.shown_at is None
        and ticket.announced_at is not None
        and now - ticket.announced_at >= NOT_SHOWN_AFTER
    )
