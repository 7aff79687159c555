"""What this process tells about itself, for Prometheus. One registry per node, so that tests can have several."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


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
        self.locator_alarms = Counter(
            "ventanilla_locator_guessing_alarms",
            "Kiosks at which 30 locators in a row were unknown",
            ["device"],
            registry=self.registry,
        )
        self._queue_depth = Gauge("ventanilla_queue_depth", "Commands waiting for a decision", registry=self.registry)
        self._waiting = Gauge("ventanilla_people_waiting", "People waiting in the office", registry=self.registry)

    def watch(self, depth: Callable[[], int], waiting: Callable[[], int]) -> None:
        """Read these when somebody asks for the figures."""
        self._queue_depth.set_function(depth)
        self._waiting.set_function(waiting)

    def text(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self.registry)
