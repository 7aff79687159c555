"""An office's node is replaced because a person attests that the old one is off or destroyed.

One transaction (``sync.protocol.replacement``): the next epoch, its activation, today's open tickets, the floors of its labels,
and who did it. The old node's key stays good for telling what it did; it has no authority from the commit on.
"""

from __future__ import annotations

from typing import Any, Literal

import asyncpg
import msgspec

from central.audit import Attested, note
from central.exchange.activations import activate
from central.exchange.store import transaction_on
from central.keys import KeyRing
from sync.io.sql import load
from sync.messages.wire import Activation
from sync.protocol.replacement import Replaced, replace_node

_nodes = load("central.exchange", "nodes.sql")

NotReplaced = Literal["office_unknown", "id_taken", "no_node"]


class Replacement(msgspec.Struct, frozen=True, kw_only=True):
    """The office's new node is known; it needs the activation, and takes its tickets with its first snapshot."""

    activation: Activation
    replaced: Replaced


async def replace(
    connection: Any, keys: KeyRing, who: Attested, *, office: str, node: str, public_key: bytes
) -> Replacement | NotReplaced:
    """Give an office to a new node.

    Args:
        node: a name that no node ever had.
        public_key: of the new node, 32 raw bytes.
    """
    try:
        async with transaction_on(connection) as tx:
            present = await tx.lock_authority(office)
            if present is None:
                return "office_unknown"
            if present.epoch == 0:
                return "no_node"
            activation = activate(keys, office=office, node=node, epoch=present.epoch + 1, public_key=public_key)
            clock_ahead_ms = await connection.fetchval(_nodes.clock_ahead, office) or 0
            replaced = await replace_node(tx, activation, who.at, clock_ahead_ms)
            assert replaced is not None, "the authority is locked, so the epoch is the next one"
            await note(connection, who, "node.replaced", office, node=node, epoch=activation.epoch)
    except asyncpg.UniqueViolationError:
        return "id_taken"
    return Replacement(activation=activation, replaced=replaced)
