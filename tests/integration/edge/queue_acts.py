"""What people do at a node's queue, for its tests."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from edge_node.node import EdgeNode
from edge_node.queue.desk import Wish
from edge_node.queue.outcomes import Done
from edge_node.queue.replies import CommandReply
from sync.domain.office_day import OfficeDay
from sync.io.ids import new_id
from sync.messages import commands as c

KIOSK = c.Actor(actor_id=c.CITIZEN, device_id="kiosk-1")


def clerk(number: int = 1, supervisor: bool = False) -> c.Actor:
    return c.Actor(actor_id=f"clerk-{number}", device_id="console-1", supervisor=supervisor)


async def done(node: EdgeNode, command: c.AnyCommand, actor: c.Actor) -> CommandReply:
    answer = await node.dispatcher.submit(command, actor)
    assert isinstance(answer, Done), answer
    return answer.reply


async def take(node: EdgeNode, service: str = "padron") -> CommandReply:
    answer = await node.desk.take_ticket(new_id(), service, KIOSK, Wish())
    assert isinstance(answer, Done), answer
    return answer.reply


async def open_counter(node: EdgeNode, number: int = 1) -> str:
    reply = await done(node, c.OpenCounter(request_id=new_id(), counter=str(number)), clerk(number))
    assert reply.session is not None
    return reply.session.session


def types(folder: Path) -> list[str]:
    connection = sqlite3.connect(folder / "edge.db")
    found = [row[0] for row in connection.execute("SELECT type FROM fact ORDER BY epoch, seq")]
    connection.close()
    return found


def same(one: OfficeDay, other: OfficeDay) -> bool:
    return vars(one) == vars(other)
