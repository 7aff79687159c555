"""Who commands, and what every command has. The commands themselves stand in ``commands``."""

from __future__ import annotations

import msgspec

from sync.messages.values import Uuid

CITIZEN = "citizen"
SYSTEM = "system"


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who acts, from where. ``actor_id`` is a staff id, ``citizen`` or ``system``."""

    actor_id: str
    device_id: str
    supervisor: bool = False


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """The base of all commands; the tag is on the wire."""

    request_id: Uuid
