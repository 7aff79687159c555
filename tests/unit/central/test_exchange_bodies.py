"""How much of a body is kept before it is known who sends it."""

from __future__ import annotations

import tracemalloc
from typing import Any, cast

import pytest

from central.exchange.requests import read_body
from central.problems import Problem

CHUNK_BYTES = 1000


class Upload:
    """A request whose body comes in chunks, and which waits for ever once they are all read."""

    def __init__(self, chunks: int, *, hangs_up: bool = False) -> None:
        self.left = chunks
        self._hangs_up = hangs_up

    async def receive(self) -> dict[str, Any]:
        assert self.left > 0, "nothing more to read"
        self.left -= 1
        if self._hangs_up and self.left == 0:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": b"x" * CHUNK_BYTES, "more_body": self.left > 0}


@pytest.mark.parametrize("chunks", [1, 9, 10])
async def test_a_body_within_the_limit_is_read_whole(chunks: int) -> None:
    assert await read_body(cast("Any", Upload(chunks)), 10_000) == b"x" * CHUNK_BYTES * chunks


@pytest.mark.parametrize("chunks", [11, 12, 10_000])
async def test_a_body_beyond_the_limit_is_read_on_without_keeping_it(chunks: int) -> None:
    upload = Upload(chunks)
    tracemalloc.start()
    try:
        assert await read_body(cast("Any", upload), 10_000) is None
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert upload.left == 0, "who is cut off while sending never sees the answer"
    assert peak_bytes < 100_000


async def test_half_a_body_is_no_body() -> None:
    with pytest.raises(Problem, match="body_truncated"):
        await read_body(cast("Any", Upload(3, hangs_up=True)), 10_000)
