"""What operations watch of the link; the backlog itself is among the node's own metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class UplinkMetrics:
    """The link's instruments in the node's registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.acked = Gauge(
            "ventanilla_uplink_acked_seq", "Central has every fact of this epoch up to this one", registry=registry
        )
        self.connected = Gauge("ventanilla_uplink_connected", "1 while central is heard", registry=registry)
        self.clock_offset_s = Gauge(
            "ventanilla_clock_offset_seconds", "Central's clock minus this node's", registry=registry
        )
        self.failures = Counter(
            "ventanilla_uplink_failures", "Exchanges without a usable answer", ["loop", "code"], registry=registry
        )
        self.rows = Counter("ventanilla_feed_rows_applied", "Rows of central that were applied", registry=registry)
        self.snapshots = Counter(
            "ventanilla_snapshots_taken", "Snapshots that were applied, or why not", ["outcome"], registry=registry
        )
        self.restarts = Counter(
            "ventanilla_uplink_restarts", "Loops that a watchdog had to restart", ["loop"], registry=registry
        )
