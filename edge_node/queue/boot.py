"""What stands before the first command: who this node is, and the state as the journal tells it."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import structlog

from edge_node import settings
from edge_node.authority.anchor import read_anchor
from edge_node.authority.rules import Anchor, contradiction
from edge_node.leases.store import read_buyers
from edge_node.queue.configuration import configure, read_rows
from edge_node.queue.journal import (
    SQL,
    hash_at,
    read_beyond_the_day,
    read_day,
    read_had_a_day,
    read_people,
    read_remarks,
)
from edge_node.queue.state import OfficeState
from edge_node.uplink.store import read_fence
from edge_node.writer import Writer
from sync.io.clock import Clock
from sync.io.ids import new_id
from sync.io.sql import load
from sync.messages import codec
from sync.messages.codec import MalformedMessage
from sync.messages.wire import Activation

log = structlog.get_logger()
DEVICES = load("edge_node.queue", "devices.sql")


class WrongNode(RuntimeError):
    """The data folder belongs to another office or node than the settings say."""


class Identity(NamedTuple):
    """This life of this node. ``incarnation`` changes with every start of the process."""

    office: str
    node: str
    epoch: int
    csrf_secret: str
    incarnation: str
    activation: Activation | None = None


async def identify(writer: Writer, office: settings.Office, activation_file: Path | None = None) -> Identity:
    """Read who the database belongs to; a new one is made ours, with the epoch of our activation, or 1.

    Raises:
        WrongNode: database or activation belong to somebody else.
    """
    activation = read_activation(activation_file, office)
    epoch = activation.epoch if activation is not None else 1

    def find(connection: sqlite3.Connection) -> tuple[str, str, int, str]:
        row: tuple[str, str, int, str] | None = connection.execute(SQL.find_node).fetchone()
        if row is None:
            csrf_secret = secrets.token_hex(32)
            fresh = {"office": office.id, "node": office.node, "epoch": epoch, "csrf_secret": csrf_secret}
            connection.execute(SQL.insert_node, fresh)
            return office.id, office.node, epoch, csrf_secret
        return row

    found = Identity(*await writer.run(find), incarnation=new_id(), activation=activation)
    if (found.office, found.node) != (office.id, office.node):
        raise WrongNode(f"the data folder belongs to office {found.office}, node {found.node}")
    if activation is not None and activation.epoch != found.epoch:
        raise WrongNode(
            f"the data folder is of epoch {found.epoch}, the activation of epoch {activation.epoch}: "
            "a new life of a node begins with an empty data folder"
        )
    return found


def read_activation(file: Path | None, office: settings.Office) -> Activation | None:
    """Central's word for this node, if there is one.

    Raises:
        WrongNode: it is for another node, or cannot be read.
    """
    if file is None:
        return None
    try:
        activation = codec.decode(file.read_bytes(), Activation)
    except (OSError, MalformedMessage) as error:
        raise WrongNode(f"the activation {file} cannot be read: {error}") from error
    if (activation.office, activation.node) != (office.id, office.node):
        raise WrongNode(f"the activation is for office {activation.office}, node {activation.node}")
    return activation


async def load_state(writer: Writer, identity: Identity, office: settings.Office, clock: Clock) -> OfficeState:
    """Fold the journal from the last ``day.opened`` on, and read what central has told.

    Raises:
        JournalBroken: the chain of facts does not hold.
    """
    state = OfficeState(identity.office, identity.epoch, ZoneInfo(office.time_zone), clock)
    entries, tail = await writer.run(lambda connection: read_day(connection, identity.epoch))
    beyond = await writer.run(lambda connection: read_beyond_the_day(connection, identity.epoch))
    state.buyers = await writer.run(lambda connection: read_buyers(connection, identity.office))
    state.standing = state.standing.fenced(await writer.run(read_fence))
    had_a_day = await writer.run(lambda connection: read_had_a_day(connection, identity.epoch))
    state.restore(entries, tail, beyond, had_a_day=had_a_day)
    state.configuration = configure(await writer.run(read_rows), state.configuration)
    state.people = await writer.run(read_people)
    state.remarks = await writer.run(read_remarks)
    return state


async def drop_anchor(writer: Writer, state: OfficeState, file: Path) -> Anchor | None:
    """Read the anchor, and hold it against the journal: a database that was put back from an image has no authority."""
    anchor = read_anchor(file)
    if anchor is not None:
        hash_there = await writer.run(lambda connection: hash_at(connection, anchor.epoch, anchor.seq))
        seen = contradiction(anchor, (state.tail.epoch, state.tail.seq), hash_there)
        if seen is not None:
            log.error("node.rolled_back", witness="anchor", epoch=seen[0], seq=seen[1], own_seq=state.tail.seq)
            state.standing = state.standing.contradicted(seen)
    return anchor


async def known_requests(writer: Writer) -> dict[str, bytes | None]:
    """Requests whose replies are stored, by id: what they asked; none for those of builds that did not say."""
    return await writer.run(lambda connection: dict(connection.execute(SQL.remembered_requests).fetchall()))


async def register_devices(writer: Writer, devices: Sequence[settings.Device]) -> None:
    """Make the table of devices say what the settings say."""
    rows = [(device.id, device.kind, device.zone, device.printer_profile) for device in devices]

    def write(connection: sqlite3.Connection) -> None:
        connection.execute(DEVICES.clear)
        connection.executemany(DEVICES.insert, rows)

    await writer.run(write)
