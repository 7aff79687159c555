"""Which bookings go together, and how they reach the statement that carries them out (`groups.sql`)."""

from collections.abc import Hashable, Sequence
from typing import Any

import msgspec

from central.booking.claims import Where


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A booking that waits to be written.

    Args:
        arguments: of the statement `book`, in its order.
        person: who it is for, and the family in which a person has one appointment.
    """

    arguments: tuple[Any, ...]
    appointment_id: str
    where: Where
    person: tuple[bytes, str]


def together(asks: Sequence[Ask], most: int) -> tuple[list[int], list[int]]:
    """Divide what waits into the next group and the rest, both in the order of arrival.

    Of those that repeat a request, a person in a family or a hold only the first goes: the outcome of the others depends on
    it, so they come after it.

    Args:
        most: how many a group may have.

    Returns:
        Positions in `asks`.
    """
    taken: set[Hashable] = set()
    group: list[int] = []
    rest: list[int] = []
    for at, ask in enumerate(asks):
        keys = _keys(ask)
        if len(group) < most and taken.isdisjoint(keys):
            group.append(at)
        else:
            rest.append(at)
        taken |= keys
    return group, rest


def group_arguments(asks: Sequence[Ask]) -> list[Any]:
    """The arguments of `book_group` for the arguments of several `book`: the first column, the second, and so on."""
    columns: list[Any] = [list(column) for column in zip(*(ask.arguments for ask in asks), strict=True)]
    columns[3] = max(columns[3])
    columns[6] = [_array_text([start.isoformat() for start in starts]) for starts in columns[6]]
    columns[16] = [_array_text(needs) for needs in columns[16]]
    return columns


def _keys(ask: Ask) -> set[Hashable]:
    keys: set[Hashable] = {("request", ask.where.request_id), ("person", *ask.person)}
    return keys if ask.where.hold_id is None else keys | {("hold", ask.where.hold_id)}


def _array_text(items: Sequence[str]) -> str:
    """A Postgres array as text; instants and codes need no quotes, and get them for whatever comes instead."""
    quoted = (item.replace("\\", "\\\\").replace('"', '\\"') for item in items)
    return "{" + ",".join(f'"{item}"' for item in quoted) + "}"
