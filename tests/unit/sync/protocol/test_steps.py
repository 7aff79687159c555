import asyncio

import pytest

from sync.protocol.steps import finish


def test_a_step_that_never_suspends_gives_its_outcome() -> None:
    async def step() -> int:
        return 7

    assert finish(step()) == 7


def test_an_error_of_the_step_comes_through() -> None:
    async def step() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        finish(step())


def test_a_step_that_waits_is_refused_and_closed() -> None:
    closed: list[bool] = []

    async def step() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            closed.append(True)

    with pytest.raises(RuntimeError, match="suspended"):
        finish(step())
    assert closed == [True]
