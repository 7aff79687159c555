"""Every kind of message has recorded bytes, and this code reads all of them, for ever, and writes the newest of them again.

A test fails here? New kind or new field: ``python -m tests.golden.record``, and commit what it adds. Anything else: a peer of
another version, or a disk, has such bytes, and the change has to be made so that they can still be read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from sync.messages import codec
from sync.messages.codec import MalformedMessage
from tests.golden import record as recorder
from tests.golden import samples as s

GROUPS = s.kinds()
SAMPLES = [(group, sample) for group in GROUPS for sample in s.recorded(group)]


@pytest.mark.parametrize(
    "group, sample", SAMPLES, ids=[f"{n}-{group}-{each.kind}-{each.form}" for n, (group, each) in enumerate(SAMPLES)]
)
def test_recorded_bytes_can_be_read_and_nothing_of_them_is_lost(group: str, sample: s.Sample) -> None:
    assert sample.kind in GROUPS[group], "a kind is never taken away: peers and disks have it"
    before = msgspec.json.decode(sample.body)
    after = msgspec.json.decode(s.again(GROUPS[group][sample.kind], sample.body))
    assert _is_kept(before, after)


def _is_kept(before: Any, after: Any) -> bool:
    """Whether all of a value is in another one, which may have more fields."""
    if isinstance(before, dict):
        return isinstance(after, dict) and all(name in after and _is_kept(before[name], after[name]) for name in before)
    if isinstance(before, list):
        return len(before) == len(after) and all(map(_is_kept, before, after))
    return bool(before == after)


@pytest.mark.parametrize("group", GROUPS)
def test_what_this_code_writes_today_is_recorded_byte_for_byte(group: str) -> None:
    latest = {(each.kind, each.form): each.body for each in s.recorded(group)}
    assert {kind for kind, _ in latest} >= set(GROUPS[group]), "run python -m tests.golden.record"
    assert not [(kind, form) for kind, form, _ in s.missing(group, s.recorded(group))], (
        "run python -m tests.golden.record"
    )
    for (kind, _), body in latest.items():
        assert s.again(GROUPS[group][kind], body) == body, kind


@pytest.mark.parametrize("group", GROUPS)
def test_no_recorded_line_was_changed(group: str) -> None:
    last = ""
    for number, each in enumerate(s.recorded(group), 1):
        last = s.chained(last, each.kind, each.form, each.body)
        assert each.chain == last, f"{group}.jsonl, line {number}"


def test_what_a_later_build_adds_is_tolerated() -> None:
    """Unknown fields of feed rows, wire bodies and LAN messages are left alone; facts are kept as the bytes they came as."""
    for group in ("feed", "wire", "lan"):
        for each in s.recorded(group):
            body = msgspec.json.decode(each.body)
            if isinstance(body, dict):
                later = codec.encode(body | {"of_a_later_build": [1]})
                assert s.again(GROUPS[group][each.kind], later.decode()) == s.again(GROUPS[group][each.kind], each.body)


class Recorder:
    """The recorder on a folder of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.file = folder / "lan.jsonl"
        for module in (s, recorder):
            monkeypatch.setattr(module, "FOLDER", folder)
        assert recorder.record("lan") > 0


@pytest.fixture
def recorder_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    return Recorder(tmp_path, monkeypatch)


def test_the_recorder_adds_a_new_kind_and_leaves_the_others(recorder_there: Recorder) -> None:
    whole = recorder_there.file.read_bytes()
    assert recorder.record("lan") == 0
    first_lines = whole.splitlines(keepends=True)[:-2]
    recorder_there.file.write_bytes(b"".join(first_lines))
    assert recorder.record("lan") == 2
    assert recorder_there.file.read_bytes() == whole


def test_the_recorder_refuses_changed_bytes(recorder_there: Recorder) -> None:
    recorder_there.file.write_bytes(recorder_there.file.read_bytes().replace(b"K12", b"K13", 1))
    with pytest.raises(SystemExit, match="were changed"):
        recorder.record("lan")


def test_the_recorder_refuses_what_cannot_be_read_any_more(
    recorder_there: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Board(msgspec.Struct):
        a_field_that_old_boards_lack: int

    with pytest.raises(MalformedMessage):
        codec.decode(b"{}", Board)
    monkeypatch.setattr(recorder, "kinds", lambda: {"lan": GROUPS["lan"] | {"Board": Board}})
    with pytest.raises(SystemExit, match="cannot be read any more"):
        recorder.record("lan")
