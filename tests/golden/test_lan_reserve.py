"""What edges and kiosks of every build say about reserves, as fixed bytes: both read them for ever. Rows are only added.

``written``: the present build writes these very bytes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sync.messages import codec
from sync.messages.topics import DeviceConfig, DeviceStatus, KioskTellReserved

ROWS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "lan_reserve.json").read_text(encoding="utf-8"))[
    "rows"
]
SHAPES = {shape.__name__: shape for shape in (DeviceConfig, DeviceStatus, KioskTellReserved)}


@pytest.mark.parametrize("row", [row for row in ROWS if row["written"]], ids=lambda row: row["name"])
def test_a_message_is_written_as_these_bytes(row: dict[str, Any]) -> None:
    assert codec.encode(codec.decode(row["body"], SHAPES[row["kind"]])).decode() == row["body"]


@pytest.mark.parametrize("row", [row for row in ROWS if not row["written"]], ids=lambda row: row["name"])
def test_a_peer_of_an_older_build_has_no_reserve(row: dict[str, Any]) -> None:
    read = codec.decode(row["body"], SHAPES[row["kind"]])
    assert isinstance(read, DeviceConfig | DeviceStatus)
    assert (read.reserve if isinstance(read, DeviceConfig) else read.numbers) is None
