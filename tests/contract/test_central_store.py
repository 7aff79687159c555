"""What any store of central must do: ``sync.protocol.store.CentralStore``."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from sync.messages.envelope import FactRecord
from sync.messages.facts import UnknownFact
from sync.messages.feed import GLOBAL, FeedRow, Op, chain_row
from sync.messages.values import GENESIS
from sync.messages.wire import StreamHead
from sync.protocol.store import START, Authority, CentralTx, Parked, Position, StreamState
from sync.protocol.uplink import chain_batch, open_facts
from tests.contract.aborting import aborted
from tests.contract.factories import POISON, CentralBed
from tests.kit.facts import printed_run, raw_record, record_of

OFFICE = "office:centro"


async def emit(
    tx: CentralTx, entity_id: str, *, stream: str = OFFICE, kind: str = "counter", version: int = 1, op: Op = "put"
) -> StreamHead:
    body = b"{}" if op == "del" else b'{"n":%d}' % version
    return await tx.emit(stream, kind=kind, entity_id=entity_id, version=version, op=op, body=body)


async def record(central: CentralBed, records: Sequence[FactRecord]) -> Position:
    """Write a whole run as ingest does, from genesis."""
    chained = chain_batch(GENESIS, records)
    last = Position(records[-1].seq, chained[-1].hash)
    async with central.store.transaction() as tx:
        await tx.lock_authority("centro")
        await tx.append(chained)
        opened, poison = open_facts(records)
        failed = await tx.project(opened)
        await tx.park([*poison, *failed])
        await tx.advance("centro", last)
    return last


async def test_an_office_has_one_authority(central: CentralBed) -> None:
    await central.add_office("centro", 3)
    async with central.store.transaction() as tx:
        assert await tx.lock_authority("centro") == Authority(epoch=3, last=START)
        assert await tx.lock_authority("nowhere") is None


async def test_the_raw_log_keeps_the_very_bytes_and_their_hashes(central: CentralBed) -> None:
    await central.add_office("centro", 1)
    records = [*printed_run(1, 3), raw_record("ticket.invented", 9, 4, b'{"z":1,"a":[true,null]}')]
    chained = chain_batch(GENESIS, records)
    last = await record(central, records)
    async with central.store.transaction() as tx:
        assert await tx.lock_authority("centro") == Authority(epoch=1, last=last)
        assert [await tx.fact_hash("centro", 1, seq) for seq in range(1, 5)] == [one.hash for one in chained]
        assert await tx.fact_hash("centro", 1, 5) is None
        assert await tx.fact_hash("centro", 2, 1) is None
    stored = await central.raw_log("centro", 1)
    assert [(one.header, bytes(one.body)) for one in stored] == [(one.header, bytes(one.body)) for one in records]


async def test_a_fact_is_there_once(central: CentralBed) -> None:
    await central.add_office("centro", 1)
    records = printed_run(1, 2)
    await record(central, records)
    with pytest.raises(Exception):  # noqa: B017, PT011 - each database has its own error for a broken primary key
        async with central.store.transaction() as tx:
            await tx.append(chain_batch(GENESIS, records[:1]))
    assert [one.seq for one in await central.raw_log("centro", 1)] == [1, 2]


async def test_a_fact_that_cannot_be_projected_is_parked_and_delays_nobody(central: CentralBed) -> None:
    await central.add_office("centro", 1)
    good = printed_run(1, 4)
    bad = record_of(open_facts(good[1:2])[0][0].fact, 2, actor_id=POISON)
    await record(central, [good[0], bad, good[2], raw_record("ticket.called", 1, 4, b'{"ticket_id":7}')])
    assert list(await central.projected("centro")) == [1, 3]
    assert list(await central.parked("centro")) == [2, 4]
    assert len(await central.raw_log("centro", 1)) == 4


async def test_project_returns_what_failed_with_its_record(central: CentralBed) -> None:
    await central.add_office("centro", 1)
    good = printed_run(1, 2)
    bad = record_of(open_facts(good[:1])[0][0].fact, 1, actor_id=POISON)
    opened, _ = open_facts([bad, good[1]])
    async with central.store.transaction() as tx:
        failed = await tx.project(opened)
    assert [one.record.seq for one in failed] == [1]
    assert all(one.detail for one in failed)


async def test_facts_of_later_builds_are_projected_as_unknown(central: CentralBed) -> None:
    await central.add_office("centro", 1)
    opened, poison = open_facts([raw_record("ticket.invented", 1, 1, b'{"a":1}')])
    assert (opened[0].fact, poison) == (UnknownFact(type="ticket.invented", v=1), [])
    async with central.store.transaction() as tx:
        assert list(await tx.project(opened)) == []


async def test_a_transaction_that_raises_leaves_nothing(central: CentralBed) -> None:
    await central.add_office("centro", 1)
    records = printed_run(1, 2)
    chained = chain_batch(GENESIS, records)
    async with aborted(central.store) as tx:
        await tx.append(chained)
        await tx.project(open_facts(records)[0])
        await tx.park([Parked(record=records[0], detail="x")])
        await tx.advance("centro", Position(2, chained[1].hash))
        await emit(tx, "1")
    async with central.store.transaction() as tx:
        assert await tx.lock_authority("centro") == Authority(epoch=1, last=START)
        assert await tx.stream(OFFICE) == StreamState(last=START, oldest=1)
    assert (await central.raw_log("centro", 1), await central.projected("centro"), await central.parked("centro")) == (
        [],
        [],
        [],
    )


async def test_a_stream_is_dense_and_chained_and_a_rollback_leaves_no_hole(central: CentralBed) -> None:
    async with central.store.transaction() as tx:
        first = await emit(tx, "1")
    async with aborted(central.store) as tx:
        await emit(tx, "2")
    async with central.store.transaction() as tx:
        await emit(tx, "2")
        last = await emit(tx, "1", version=2, op="del")
    async with central.store.transaction() as tx:
        rows = await tx.rows_after(OFFICE, 0, 10)
        state = await tx.stream(OFFICE)
        hashes = [await tx.feed_hash(OFFICE, seq) for seq in (1, 2, 3, 4)]
    assert [(one.row.seq, one.row.entity_id, one.row.op, bytes(one.row.body)) for one in rows] == [
        (1, "1", "put", b'{"n":1}'),
        (2, "2", "put", b'{"n":1}'),
        (3, "1", "del", b"{}"),
    ]
    running = GENESIS
    for one in rows:
        running = chain_row(running, one.row)
        assert one.hash == running
    assert hashes == [*(one.hash for one in rows), None]
    assert (first.seq, first.hash) == (1, rows[0].hash)
    assert state == StreamState(last=Position(3, running), oldest=1)
    assert last == StreamHead(stream=OFFICE, seq=3, hash=running)


async def test_the_hash_of_a_row_is_over_its_bytes_as_they_are(central: CentralBed) -> None:
    body = '{"name":"Fátima M.","b":[1, 2],"a":"\\u00e9"}'.encode()
    async with central.store.transaction() as tx:
        head = await tx.emit(OFFICE, kind="staff", entity_id="ñ", version=7, op="put", body=body)
    row = FeedRow(seq=1, kind="staff", entity_id="ñ", version=7, op="put", body=msgspec.Raw(body))
    assert head.hash == chain_row(GENESIS, row)
    async with central.store.transaction() as tx:
        assert [bytes(one.row.body) for one in await tx.rows_after(OFFICE, 0, 1)] == [body]


async def test_streams_do_not_touch_each_other(central: CentralBed) -> None:
    async with central.store.transaction() as tx:
        await emit(tx, "a", stream=GLOBAL)
        await emit(tx, "b", stream="office:real")
        await emit(tx, "c")
    async with central.store.transaction() as tx:
        assert [one.row.entity_id for one in await tx.rows_after(OFFICE, 0, 10)] == ["c"]
        assert (await tx.stream("office:real")).last.seq == 1
        assert await tx.stream("office:never") == StreamState(last=START, oldest=1)


async def test_rows_are_read_from_a_place_up_to_a_limit(central: CentralBed) -> None:
    async with central.store.transaction() as tx:
        for number in range(1, 6):
            await emit(tx, str(number))
    async with central.store.transaction() as tx:
        assert [one.row.seq for one in await tx.rows_after(OFFICE, 1, 3)] == [2, 3, 4]
        assert list(await tx.rows_after(OFFICE, 5, 3)) == []


@pytest.mark.parametrize("oldest,kept", [(1, [1, 2, 3]), (3, [3]), (4, [])])
async def test_pruning_keeps_the_end_and_the_entities(central: CentralBed, oldest: int, kept: list[int]) -> None:
    async with central.store.transaction() as tx:
        heads = [await emit(tx, str(number)) for number in (1, 2, 3)]
    await central.prune(OFFICE, oldest)
    async with central.store.transaction() as tx:
        assert await tx.stream(OFFICE) == StreamState(last=Position(3, heads[-1].hash), oldest=oldest)
        assert [one.row.seq for one in await tx.rows_after(OFFICE, oldest - 1, 10)] == kept
        assert (await tx.feed_hash(OFFICE, 1) is None) == (oldest > 1)
        assert (await emit(tx, "4")).seq == 4
    async with central.store.snapshot() as reading:
        assert dict(await reading.counts([OFFICE])) == {"counter": 4}


async def test_gen_is_one_and_stays(central: CentralBed) -> None:
    async with central.store.transaction() as tx:
        gen = await tx.gen()
    async with central.store.snapshot() as reading:
        assert await reading.gen() == gen
    assert len(gen) == 36


async def test_a_snapshot_reads_live_entities_of_the_asked_streams_in_order(central: CentralBed) -> None:
    async with central.store.transaction() as tx:
        await emit(tx, "b")
        await emit(tx, "a", version=1)
        await emit(tx, "a", version=2)
        await emit(tx, "gone")
        await emit(tx, "gone", op="del", version=2)
        await emit(tx, "z", stream=GLOBAL, kind="hologram")
        await emit(tx, "other", stream="office:real")
    streams = [GLOBAL, OFFICE]
    async with central.store.snapshot() as reading:
        heads = await reading.heads(streams)
        counts = await reading.counts(streams)
        rows = [row async for row in reading.entities(streams)]
    assert [(head.stream, head.seq) for head in heads] == [(GLOBAL, 1), (OFFICE, 5)]
    assert dict(counts) == {"counter": 2, "hologram": 1}
    assert [(row.stream, row.kind, row.entity_id, row.version, bytes(row.body)) for row in rows] == [
        (GLOBAL, "hologram", "z", 1, b'{"n":1}'),
        (OFFICE, "counter", "a", 2, b'{"n":2}'),
        (OFFICE, "counter", "b", 1, b'{"n":1}'),
    ]


async def test_a_snapshot_of_nothing_is_whole(central: CentralBed) -> None:
    async with central.store.snapshot() as reading:
        assert list(await reading.heads([GLOBAL])) == [StreamHead(stream=GLOBAL, seq=0, hash=GENESIS)]
        assert dict(await reading.counts([GLOBAL])) == {}
        assert [row async for row in reading.entities([GLOBAL])] == []


async def test_a_snapshot_is_of_one_moment_whatever_is_committed_meanwhile(central: CentralBed) -> None:
    if not central.concurrent:
        pytest.skip("this store runs one transaction at a time")
    async with central.store.transaction() as tx:
        await emit(tx, "1")
    async with central.store.snapshot() as reading:
        heads = await reading.heads([OFFICE])
        async with central.store.transaction() as tx:
            await emit(tx, "2")
        counts = await reading.counts([OFFICE])
        rows = [row async for row in reading.entities([OFFICE])]
    assert (heads[0].seq, dict(counts), [row.entity_id for row in rows]) == (1, {"counter": 1}, ["1"])
