"""An office's node is replaced because a person attests that the old one is off or destroyed.

One transaction (``sync.protocol.replacement``): the next epoch, its activation, today's open tickets, the floors of its labels,
and who did it. The old node's key stays good for telling what it did; it has no authority from the commit on.

Asked again for the same node and key, it signs the same activation once more and moves nothing: the file may have been lost,
or the commit's answer. What is signed names the key, so a second file gives a right to nobody who lacks the first one's key.
"""

from __future__ import annotations

from typing import Any, Literal

import asyncpg
import msgspec

from central.audit import Attested, note
from central.exchange.activations import activate
from central.exchange.links import clock_ahead_ms
from central.exchange.store import transaction_on
from central.keys import KeyRing
from sync.io.sql import load
from sync.messages.wire import Activation
from sync.protocol.replacement import Replaced, replace_node

NotReplaced = Literal["office_unknown", "id_taken", "no_node", "node_revoked"]
_queries = load("central.exchange", "nodes.sql")


class Replacement(msgspec.Struct, frozen=True, kw_only=True):
    """The office's new node is known; it needs the activation, and takes its tickets with its first snapshot.

    ``replaced``: what went to it; none when it had the office already.
    """

    activation: Activation
    replaced: Replaced | None


async def replace(
    connection: Any, keys: KeyRing, who: Attested, *, office: str, node: str, public_key: bytes
) -> Replacement | NotReplaced:
    """Give an office to a new node. Safe to repeat as long as it has the office.

    Args:
        node: a name that no node ever had, or that of the office's present one.
        public_key: of the new node, 32 raw bytes.
    """
    try:
        async with transaction_on(connection) as tx:
            present = await tx.lock_authority(office)
            if present is None:
                return "office_unknown"
            if present.epoch == 0:
                return "no_node"
            if (known := await connection.fetchrow(_queries.node, node)) is not None:
                if (known["office"], known["epoch"], bytes(known["public_key"])) != (office, present.epoch, public_key):
                    return "id_taken"
                if known["revoked_at"] is not None:
                    return "node_revoked"
                await note(
                    connection, who, "node.activation_issued", office, office=office, node=node, epoch=present.epoch
                )
                again = activate(keys, office=office, node=node, epoch=present.epoch, public_key=public_key)
                return Replacement(activation=again, replaced=None)
            activation = activate(keys, office=office, node=node, epoch=present.epoch + 1, public_key=public_key)
            replaced = await replace_node(tx, activation, who.at, await clock_ahead_ms(connection, office))
            assert replaced is not None, "the authority is locked, so the epoch is the next one"
            await note(connection, who, "node.replaced", office, office=office, node=node, epoch=activation.epoch)
    except asyncpg.UniqueViolationError:
        return "id_taken"
    return Replacement(activation=activation, replaced=replaced)
