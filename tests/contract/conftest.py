"""Every test of the suite runs on every registered store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from tests.contract.factories import CENTRAL_STORES, EDGE_STORES, CentralBed, EdgeBed, Registered


def _params(stores: Mapping[str, Registered]) -> list[Any]:
    return [pytest.param(one.factory, id=name, marks=one.marks) for name, one in stores.items()]


@pytest.fixture(params=_params(EDGE_STORES))
async def edge(request: pytest.FixtureRequest) -> AsyncIterator[EdgeBed]:
    async with request.param(request) as bed:
        yield bed


@pytest.fixture(params=_params(CENTRAL_STORES))
async def central(request: pytest.FixtureRequest) -> AsyncIterator[CentralBed]:
    async with request.param(request) as bed:
        yield bed
