"""What a request asked. An id that comes again with the same is a repetition and gets the stored answer; one that comes with
anything else, or from somebody else, must not: the answer may hold another person's ticket.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import msgspec

from sync.messages import codec
from sync.messages.commands import Actor, Command, TakeReserved

ASKED_BYTES = 16


def asked(actor: Actor, *content: Any) -> bytes:
    """A digest of who asks and for what; the device is left out, for a person may ask again from another one.

    Args:
        content: all that the request says, and nothing that is made here or grows while it waits.
    """
    return blake2b(codec.encode((actor.actor_id, content)), digest_size=ASKED_BYTES).digest()


def asked_by(actor: Actor, command: Command) -> bytes:
    """The digest of a command that goes to the queue as it came."""
    if isinstance(command, TakeReserved):  # it says how long ago, and that grows until it gets through
        command = msgspec.structs.replace(command, elapsed_ms=0)
    return asked(actor, command)
