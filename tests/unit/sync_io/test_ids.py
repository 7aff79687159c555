"""Ids: canonical text of version 7 that grows within the process."""

from __future__ import annotations

import uuid

import msgspec

from sync.io.ids import new_id
from sync.messages.values import Uuid


def test_ids_are_canonical_version_7_and_grow() -> None:
    made = [new_id() for _ in range(10_000)]

    assert made == sorted(set(made))
    assert uuid.UUID(made[0]).version == 7
    assert msgspec.convert(made[0], Uuid) == made[0]
