"""``/health/live``: the process answers. ``/health/ready``: the queue works. ``/metrics``: Prometheus."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from prometheus_client import CONTENT_TYPE_LATEST

from edge_node.node import EdgeNode
from sync.domain.standing import Standing


@get("/health/live", sync_to_thread=False)
def live() -> dict[str, str]:
    return {"status": "ok"}


@get("/health/ready", sync_to_thread=False)
def ready(request: Request[Any, Any, Any]) -> Response[dict[str, str]]:
    """503 while no command can be carried out. Broker and central may be away: the office works on.

    A fenced node is ready too: it shows what it has, and goes on telling central.
    """
    node: EdgeNode = request.app.state.node
    checks = {
        "journal": "unknown" if node.dispatcher.stale else "ok",
        "stopping": "yes" if node.stopping else "no",
        "broker": node.broker_state,
        "central": _central(node),
        "authority": _authority(node.dispatcher.state.standing),
    }
    is_ready = checks["journal"] == "ok" and not node.stopping
    return Response(checks, status_code=200 if is_ready else 503)


def _authority(standing: Standing) -> str:
    if standing.is_fenced:
        return "fenced"
    return "rolled_back" if standing.is_rolled_back else "ok"


def _central(node: EdgeNode) -> str:
    if node.link is None:
        return "none"
    return "online" if node.link.connected else "offline"


@get("/metrics", sync_to_thread=False)
def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
    node: EdgeNode = request.app.state.node
    return Response(node.metrics.text(), media_type=CONTENT_TYPE_LATEST)


ROUTES = (live, ready, metrics)
