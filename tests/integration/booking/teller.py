"""An office that tells central of what it did: facts go through ingest, as over HTTP."""

from __future__ import annotations

import pytest

from central.exchange.store import PostgresCentralStore
from sync.messages import codec
from sync.messages.facts import Fact
from sync.messages.feed import Lease
from sync.messages.values import GENESIS
from sync.messages.wire import UpReply, UpRequest
from sync.protocol.uplink import chain_batch, ingest
from tests.integration.booking.conftest import Bed, request_id
from tests.kit.facts import record_of


class Holder:
    """An office as it tells of what it did."""

    def __init__(self, bed: Bed, office: str = "centro") -> None:
        self.bed = bed
        self.office = office
        self._seq = 0
        self._hash = GENESIS

    async def begin(self) -> None:
        await self.bed.pool.execute("INSERT INTO office_authority (office, epoch) VALUES ($1, 1)", self.office)

    async def tell(self, *facts: Fact) -> None:
        records = [
            record_of(fact, seq, office=self.office, at=self.bed.clock.now())
            for seq, fact in enumerate(facts, self._seq + 1)
        ]
        request = UpRequest(
            request_id=request_id(),
            office=self.office,
            node="edge",
            epoch=1,
            incarnation=request_id(),
            first_seq=self._seq + 1,
            prev_hash=self._hash,
            facts=tuple(records),
        )
        reply = await ingest(PostgresCentralStore(self.bed.pool), request, self.bed.clock.now())
        assert isinstance(reply, UpReply)
        self._seq, self._hash = reply.acked_seq, chain_batch(self._hash, records)[-1].hash
        assert await self.bed.pool.fetchval("SELECT count(*) FROM fact_parked") == 0

    async def lease(self) -> Lease:
        """The only lease, as the office was told of it."""
        body = await self.bed.pool.fetchval(
            "SELECT body FROM feed_entity WHERE kind = 'lease' AND stream = 'office:centro'"
        )
        return codec.decode(body, Lease)


@pytest.fixture
async def holder(bed: Bed) -> Holder:
    holder = Holder(bed)
    await holder.begin()
    return holder
