"""What a kiosk keeps over a crash: the file on the disk, opened again as after a power cut."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kiosk_agent.spool import Entry, SpoolTakenError, open_spool
from sync.io.ids import new_id
from sync.messages.topics import KioskTakeTicket, PrintedAck, PrintJob
from tests.integration.kiosk.office import slip

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


def command() -> KioskTakeTicket:
    return KioskTakeTicket(request_id=new_id(), device="kiosk-1", service="padron")


def ack() -> PrintedAck:
    return PrintedAck(ack_id=new_id(), device="kiosk-1", ticket_id=new_id())


async def test_everything_is_there_after_reopening(tmp_path: Path) -> None:
    asked, job, said = command(), PrintJob(job_id=new_id(), slip=slip()), ack()
    async with open_spool(tmp_path) as spool:
        await spool.write(Entry(commands=(asked,), jobs=(job,), acks=(said,)), NOW)
        await spool.keep("config", b"{}")
    async with open_spool(tmp_path) as spool:
        assert [each.command for each in await spool.open_commands()] == [asked]
        (spooled,) = await spool.unfinished_jobs()
        assert (spooled.job, spooled.added_at, spooled.state) == (job, NOW, "waiting")
        assert list(await spool.acks()) == [said.ack_id]
        assert await spool.kept("config") == b"{}"
        assert await spool.kept("epoch") is None


async def test_an_entry_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    asked, job = command(), PrintJob(job_id=new_id(), slip=slip())
    async with open_spool(tmp_path) as spool:
        await spool.write(Entry(commands=(asked,)), NOW)
        with pytest.raises(sqlite3.IntegrityError):
            await spool.write(Entry(jobs=(job,), commands=(asked,)), NOW)
        with pytest.raises(sqlite3.IntegrityError):
            await spool.write(Entry(acks=(ack(),), commands=(asked,)), NOW)
        assert await spool.unfinished_jobs() == []
        assert await spool.acks() == {}


async def test_the_same_job_is_one_job_and_its_end_carries_its_ack(tmp_path: Path) -> None:
    job, said = PrintJob(job_id=new_id(), slip=slip()), ack()
    async with open_spool(tmp_path) as spool:
        for _ in range(2):
            await spool.write(Entry(jobs=(job,)), NOW)
        assert len(await spool.unfinished_jobs()) == 1
        await spool.start_job(job.job_id)
        assert [each.state for each in await spool.unfinished_jobs()] == ["started"]
        await spool.finish_job(job.job_id, said)
        assert (await spool.unfinished_jobs(), await spool.job_state(job.job_id)) == ([], "done")
        await spool.drop_ack(said.ack_id)
        assert await spool.acks() == {}
        await spool.acknowledge_again(job.job_id)
        assert list(await spool.acks()) == [said.ack_id]


async def test_what_is_settled_is_forgotten_in_time_and_what_is_open_never(tmp_path: Path) -> None:
    done, left, job = command(), command(), PrintJob(job_id=new_id(), slip=slip())
    async with open_spool(tmp_path) as spool:
        await spool.write(Entry(commands=(done, left), jobs=(job,)), NOW)
        await spool.write(Entry(settled=(done.request_id, "answered")), NOW)
        await spool.forget(NOW)
        assert await spool.command(done.request_id) is not None
        await spool.forget(NOW + timedelta(seconds=1))
        assert await spool.command(done.request_id) is None
        assert await spool.command(left.request_id) is not None
        assert len(await spool.unfinished_jobs()) == 1


async def test_an_answer_is_never_given_up_and_what_was_given_up_may_be_answered(tmp_path: Path) -> None:
    asked = command()
    async with open_spool(tmp_path) as spool:
        await spool.write(Entry(commands=(asked,)), NOW)
        states = []
        for state in ("given_up", "answered", "given_up"):
            await spool.write(Entry(settled=(asked.request_id, state)), NOW)
            kept = await spool.command(asked.request_id)
            states.append(kept.state if kept else None)
    assert states == ["given_up", "answered", "answered"]


async def test_two_agents_never_share_a_spool(tmp_path: Path) -> None:
    async with open_spool(tmp_path):
        with pytest.raises(SpoolTakenError):
            async with open_spool(tmp_path):
                pass


async def test_commits_wait_for_the_disk(tmp_path: Path) -> None:
    async with open_spool(tmp_path) as spool, spool._db.execute("PRAGMA synchronous") as rows:
        assert await rows.fetchone() == (2,)
