"""The person of an appointment that an office sold from a lease: sent to central apart from the facts, which name nobody.

``POST /sync/v1/people``, signed like the others, one person per request, as often as it takes: central keeps the first that it
gets for an appointment and answers ``taken`` to every later one.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from sync.messages.values import Language, Slug, Uuid

DocumentKind = Literal["dni", "nie", "passport", "other"]


class PersonRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Who a sold appointment is for.

    Args:
        needs: codes of support, never a reason.
    """

    request_id: Uuid
    office: Slug
    appointment_id: Uuid
    full_name: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    document_kind: DocumentKind
    document: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    email: Annotated[str, msgspec.Meta(max_length=254)] | None = None
    phone: Annotated[str, msgspec.Meta(max_length=20)] | None = None
    language: Language = "es"
    needs: Annotated[tuple[Slug, ...], msgspec.Meta(max_length=8)] = ()


class PersonReply(msgspec.Struct, frozen=True, kw_only=True):
    """``taken``: central has it, forget it here. ``not_yet``: the sale itself is not known; send the facts first."""

    request_id: Uuid
    outcome: Literal["taken", "not_yet"]
