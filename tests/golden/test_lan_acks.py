"""What kiosks of every build say about paper, as fixed bytes: an edge reads them for ever. Rows are only added.

``written``: the present build writes these very bytes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sync.messages import codec
from sync.messages.topics import PrintedAck, PrintFailedAck

ROWS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "lan_acks.json").read_text(encoding="utf-8"))["rows"]
SHAPES: dict[str, type[PrintedAck | PrintFailedAck]] = {"PrintedAck": PrintedAck, "PrintFailedAck": PrintFailedAck}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_an_ack_of_any_build_is_read(row: dict[str, Any]) -> None:
    ack = msgspec.json.decode(row["body"], type=PrintedAck | PrintFailedAck)
    assert (type(ack), ack.job_id) == (SHAPES[row["kind"]], row["job_id"])


@pytest.mark.parametrize("row", [row for row in ROWS if row["written"]], ids=lambda row: row["name"])
def test_an_ack_is_written_as_these_bytes(row: dict[str, Any]) -> None:
    assert codec.encode(codec.decode(row["body"], SHAPES[row["kind"]])).decode() == row["body"]
