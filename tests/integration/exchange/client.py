"""A node's HTTP face without its loops: sends what a test wants, signed as it wants."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from central.exchange import nodes
from sync.io.ids import new_id
from sync.io.node_token import sign
from sync.messages import codec
from sync.messages.feed import Cursor
from sync.messages.people import PersonRequest
from sync.messages.values import GENESIS
from sync.messages.wire import Activation, DownRequest, HelloRequest, ReportRequest, SnapshotRequest, UpRequest
from sync.protocol.streams import streams_of
from tests.kit.plain_http import NO_TLS


class NodeClient:
    def __init__(self, url: str, office: str, epoch: int = 1) -> None:
        self.office = office
        self.node = f"edge-{office}"
        self.epoch = epoch
        self.key = Ed25519PrivateKey.generate()
        self.activation: Activation | None = None
        self.start: dict[str, tuple[int, bytes]] = {}
        self.http = httpx.AsyncClient(verify=NO_TLS, base_url=url, timeout=40, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.aclose()

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    async def enrol(self, pool: Any) -> None:
        async with pool.acquire() as connection:
            await nodes.register(
                connection, node_id=self.node, office=self.office, epoch=self.epoch, public_key=self.public_key
            )
        await self.look(pool)

    async def look(self, pool: Any) -> None:
        """Note where the streams stand now."""
        rows = await pool.fetch("SELECT stream, head, hash FROM stream_head")
        self.start = {row["stream"]: (row["head"], row["hash"]) for row in rows}

    def token(self, body: bytes, *, ahead_s: float = 0, **claims: Any) -> str:
        """A good token, or one with other claims or of another time."""
        known: dict[str, Any] = {"node_id": self.node, "office": self.office, "epoch": self.epoch}
        now = datetime.now(UTC) + timedelta(seconds=ahead_s)
        return sign(self.key, body=body, now=now, **(known | claims))

    async def post(self, path: str, body: bytes, *, token: str | None = None, **headers: str) -> httpx.Response:
        """POST these very bytes."""
        bearer = {"authorization": f"Bearer {self.token(body) if token is None else token}"}
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post(f"/sync/v1/{path}", content=body, headers=bearer | fields)

    async def send(self, path: str, message: Any) -> httpx.Response:
        return await self.post(path, codec.encode(message))

    def hello(self, **changes: Any) -> HelloRequest:
        known: dict[str, Any] = {
            "request_id": new_id(),
            "office": self.office,
            "node": self.node,
            "epoch": self.epoch,
            "incarnation": new_id(),
            "proto_min": 1,
            "proto_max": 1,
            "fact_versions": {},
            "schema": "0002_feed",
            "sqlite_version": "3.40.1",
            "clock_at": datetime.now(UTC),
            "disk_free_bytes": 10**9,
            "last_seq": 0,
            "last_hash": GENESIS,
            "cursors": (),
            "activation": self.activation,
        }
        return HelloRequest(**known | changes)

    def up(self, *facts: Any, first_seq: int = 1, **changes: Any) -> UpRequest:
        known: dict[str, Any] = {
            "request_id": new_id(),
            "office": self.office,
            "node": self.node,
            "epoch": self.epoch,
            "incarnation": new_id(),
            "first_seq": first_seq,
            "prev_hash": GENESIS,
            "facts": tuple(facts),
        }
        return UpRequest(**known | changes)

    def down(self, gen: str, *, wait_s: int = 0, **changes: Any) -> DownRequest:
        """Cursors where both streams stood when the node was enrolled or looked last, unless told otherwise."""
        places = [(stream, *self.start.get(stream, (0, GENESIS))) for stream in streams_of(self.office)]
        cursors = tuple(Cursor(stream=stream, gen=gen, seq=seq, hash=head) for stream, seq, head in places)
        known: dict[str, Any] = {"request_id": new_id(), "office": self.office, "cursors": cursors, "wait_s": wait_s}
        return DownRequest(**known | changes)

    def person(self, **changes: Any) -> PersonRequest:
        known: dict[str, Any] = {
            "request_id": new_id(),
            "office": self.office,
            "appointment_id": new_id(),
            "full_name": "Fátima Mohamed",
            "document_kind": "passport",
            "document": "AB000001",
        }
        return PersonRequest(**known | changes)

    def report(self, **changes: Any) -> ReportRequest:
        known: dict[str, Any] = {
            "request_id": new_id(),
            "office": self.office,
            "epoch": self.epoch,
            "gen": new_id(),
            "facts_seq": 0,
            "leases": (),
            "bookings": (),
        }
        return ReportRequest(**known | changes)

    def snapshot(self, **changes: Any) -> SnapshotRequest:
        return SnapshotRequest(**{"request_id": new_id(), "office": self.office} | changes)
