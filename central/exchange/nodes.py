"""The nodes that may speak for an office: registering, revoking, and who signed a request.

Enrolment will register a node when its one-time code is used; until then an operator (or the demo) registers the public
half of a key that was made on the node.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import asyncpg
import msgspec

from central.exchange.feed import withdraw
from sync.io import node_token
from sync.io.node_token import NodeClaims, TokenFault
from sync.io.sql import load
from sync.messages import codec
from sync.messages.feed import GLOBAL, NodeKey

_queries = load("central.exchange", "nodes.sql")
_feed = load("central.exchange", "feed.sql")
_facts = load("central.exchange", "facts.sql")

AuthFault = TokenFault | Literal["token_missing", "node_unknown", "node_revoked"]
Registered = Literal["registered", "unchanged", "id_taken", "epoch_taken", "office_unknown"]

_BEARER = "bearer "


class Claimant(msgspec.Struct, frozen=True, kw_only=True):
    """A token that nobody has believed yet, and the key that must have signed it."""

    token: str
    public_key: bytes


async def register(
    connection: asyncpg.Connection,
    *,
    node_id: str,
    office: str,
    epoch: int,
    public_key: bytes,
    activation: bytes | None = None,
) -> Registered:
    """Let a node speak for an office from ``epoch`` on, and tell the offices its key. Safe to repeat.

    The first node of an office comes this way; for a later one use ``replacement.replace``, which takes today's tickets along.
    A higher epoch than the office's present one takes the authority over: facts of the older node are fenced from then on.
    """
    try:
        async with connection.transaction():
            await connection.execute(_queries.register_node, node_id, office, epoch, public_key, activation)
            row = await connection.fetchrow(_queries.node, node_id)
            if (row["office"], row["epoch"], bytes(row["public_key"])) != (office, epoch, public_key):
                return "id_taken"
            adopted = await connection.execute(_queries.adopt_epoch, office, epoch)
            await announce(connection)
    except asyncpg.ForeignKeyViolationError:
        return "office_unknown"
    except asyncpg.UniqueViolationError:
        return "epoch_taken"
    return "unchanged" if adopted.endswith(" 0") else "registered"


async def announce(connection: asyncpg.Connection) -> int:
    """Tell the offices the keys of nodes that they have not heard of: slips are checked with them. Returns how many."""
    rows = await connection.fetch(_queries.unannounced)
    for row in rows:
        key = NodeKey(office=row["office"], epoch=row["epoch"], public_key=row["public_key"])
        said = (GLOBAL, NodeKey.KIND, key.office, key.epoch, "put", codec.encode(key))
        await connection.fetchrow(_feed.feed_put, *said)
    return len(rows)


async def revoke(connection: asyncpg.Connection, *, node_id: str, at: datetime) -> bool:
    """Stop believing a node, at once; False if it is unknown. Revoking again keeps the first instant.

    The offices forget its key: slips that it signs are worth nothing any more, and nobody is sent there.
    """
    async with connection.transaction():
        row = await connection.fetchrow(_queries.revoke_node, node_id, at)
        if row is None:
            return False
        office, epoch = row
        if await connection.fetchval(_queries.told_key, office, epoch):
            await withdraw(connection, GLOBAL, NodeKey.KIND, office, version=epoch)
    return True


def bearer(authorization: str | None) -> str:
    """The token of an ``Authorization`` header; empty without one."""
    if not authorization or not authorization.lower().startswith(_BEARER):
        return ""
    return authorization[len(_BEARER) :].strip()


async def present_epoch(pool: asyncpg.Pool, office: str) -> int:
    """The epoch of an office's authority; 0 when it has none."""
    return await pool.fetchval(_facts.present_epoch, office) or 0


async def find_claimant(pool: asyncpg.Pool, authorization: str | None) -> Claimant | AuthFault:
    """Look up the key for an ``Authorization`` header; cheap, and done before a body is read."""
    token = bearer(authorization)
    if not token:
        return "token_missing"
    claims = node_token.claimed(token)
    if not isinstance(claims, NodeClaims):
        return claims
    try:
        row = await pool.fetchrow(_queries.node_key, claims.node_id, claims.office, claims.epoch)
    except asyncpg.DataError:  # an epoch that no column holds
        row = None
    if row is None:
        return "node_unknown"
    return "node_revoked" if row["revoked_at"] else Claimant(token=token, public_key=bytes(row["public_key"]))


def verify(claimant: Claimant, *, body: bytes, now: datetime) -> NodeClaims | AuthFault:
    """Whether the claimant signed this body (as received) just now."""
    return node_token.verify(claimant.token, claimant.public_key, body=body, now=now)
