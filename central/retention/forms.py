"""The half-made forms of one person: those in which one of their documents was typed, in whatever way, or that became or move one
of their appointments. A form is not indexed by what it says, so all are read, some at a time; they stand for half an hour.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, get_args

import msgspec

from central.booking.documents import Document, DocumentKind, read_document
from central.booking.rules import person_hash
from central.portal.draft import Draft
from central.retention.kinds import changed
from sync.io.sql import load

queries = load("central.retention", "erasure.sql")

AT_ONCE: Final = 500


def documents(typed: str) -> list[Document]:
    """What was typed, as each kind of document that it can be."""
    read = [read_document(kind, typed) for kind in get_args(DocumentKind)]
    return [one for one in read if isinstance(one, Document)]


async def drop_forms(pool: Any, key: bytes, people: Collection[bytes], appointments: Collection[str]) -> int:
    """Delete the forms of a person; how many.

    Args:
        key: makes of a document what stands for its person.
        people: what stands for the person, by kind of document.
        appointments: ids of theirs.
    """
    gone, after = 0, b""
    while rows := await pool.fetch(queries.forms, after, AT_ONCE):
        theirs = [row["cookie_hash"] for row in rows if _is_theirs(row["body"], key, people, appointments)]
        if theirs:
            gone += changed(await pool.execute(queries.drop_forms, theirs))
        after = rows[-1]["cookie_hash"]
    return gone


def _is_theirs(body: bytes, key: bytes, people: Collection[bytes], appointments: Collection[str]) -> bool:
    try:
        draft = msgspec.json.decode(body, type=Draft)
    except msgspec.DecodeError:
        return False  # of a build long gone: nobody can open it
    if draft.booked in appointments or draft.moves in appointments:
        return True
    return any(person_hash(key, one.kind, one.number) in people for one in documents(draft.details.doc))
