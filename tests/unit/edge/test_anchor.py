"""The anchor: when it contradicts a journal, and that its file is whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_node.authority.anchor import read_anchor, write_anchor
from edge_node.authority.rules import Anchor, contradiction, raised
from sync.domain.witness import Seen

HASH, OTHER = b"a" * 32, b"b" * 32


@pytest.mark.parametrize(
    "anchor, own, hash_there, seen",
    [
        (Anchor(epoch=1, seq=5, hash=HASH), (1, 5), HASH, None),
        (Anchor(epoch=1, seq=5, hash=HASH), (1, 9), HASH, None),
        (Anchor(epoch=1, seq=5, hash=HASH), (1, 4), None, (1, 5)),
        (Anchor(epoch=1, seq=5, hash=HASH), (1, 9), OTHER, (1, 5)),
        (Anchor(epoch=1, seq=5), (1, 9), OTHER, None),
        (Anchor(epoch=1, seq=5), (1, 4), None, (1, 5)),
        (Anchor(epoch=1, seq=50, hash=HASH), (2, 0), None, None),
        (Anchor(epoch=3, seq=1, hash=HASH), (2, 90), None, (3, 1)),
    ],
)
def test_what_an_anchor_says_of_a_journal(
    anchor: Anchor, own: Seen, hash_there: bytes | None, seen: Seen | None
) -> None:
    assert contradiction(anchor, own, hash_there) == seen


def test_an_anchor_never_goes_back() -> None:
    high, low = Anchor(epoch=1, seq=9, hash=HASH), Anchor(epoch=1, seq=5, hash=OTHER, central_offset_ms=7)
    assert raised(None, low) == low
    assert raised(high, low) == Anchor(epoch=1, seq=9, hash=HASH, central_offset_ms=7)
    assert raised(low, high) == high
    assert raised(high, Anchor(epoch=2, seq=1)).epoch == 2


def test_the_file_is_replaced_whole_and_nonsense_is_no_anchor(tmp_path: Path) -> None:
    file = tmp_path / "anchor.json"
    assert read_anchor(file) is None
    for seq in (1, 2):
        write_anchor(file, Anchor(epoch=1, seq=seq, hash=HASH))
        assert read_anchor(file) == Anchor(epoch=1, seq=seq, hash=HASH)
    assert [each.name for each in tmp_path.iterdir()] == ["anchor.json"]
    for nonsense in (b"", b"{}", b"\xff"):
        file.write_bytes(nonsense)
        assert read_anchor(file) is None
