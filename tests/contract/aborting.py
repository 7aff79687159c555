"""A transaction that is always rolled back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol, TypeVar

import pytest

TxT_co = TypeVar("TxT_co", covariant=True)


class Transactional(Protocol[TxT_co]):
    def transaction(self) -> AbstractAsyncContextManager[TxT_co]: ...


class Stop(Exception):
    """Raised at the end of the block."""


@asynccontextmanager
async def aborted(store: Transactional[TxT_co]) -> AsyncIterator[TxT_co]:
    """Run the block in a transaction that then raises; the error must come through the store."""
    with pytest.raises(Stop):
        async with store.transaction() as tx:
            yield tx
            raise Stop
