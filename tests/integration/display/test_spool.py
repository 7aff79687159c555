"""What a display remembers, on a real file."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from display_agent.board import CallMark
from display_agent.spool import ACKS_MAX, open_spool
from sync.io.ids import new_id

AT = datetime(2026, 11, 23, 8, 0, 0, 123000, tzinfo=UTC)
ONE = CallMark(new_id(), "1.7", 0, AT)
TWO = CallMark(new_id(), "1.9", 1, AT + timedelta(seconds=30))


async def test_marks_and_acks_outlive_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "new folder" / "display.db"
    async with open_spool(file) as spool:
        await spool.mark_sounded(ONE)
        await spool.add_proof(ONE, "a", b"first")
        await spool.add_proof(TWO, "b", b"second")
        await spool.drop_ack("a")
        await spool.keep("epoch", b"3")
        await spool.keep("epoch", b"4")
    async with open_spool(file) as spool:
        remembered = await spool.remembered()
        assert remembered.sounded == (ONE,)
        assert remembered.proven == (ONE, TWO)
        assert await spool.acks() == {"b": b"second"}
        assert await spool.kept("epoch", int) == 4
        assert await spool.kept("config", int) is None
        assert await spool.kept("epoch", str) is None


async def test_old_marks_are_forgotten(tmp_path: Path) -> None:
    async with open_spool(tmp_path / "display.db") as spool:
        await spool.mark_sounded(ONE)
        await spool.mark_sounded(TWO)
        await spool.forget(most=1)
        assert (await spool.remembered()).sounded == (TWO,)


async def test_a_clock_that_was_set_back_makes_no_call_newer_than_those_after_it(tmp_path: Path) -> None:
    ahead = CallMark(new_id(), "1.8", 0, AT + timedelta(days=3650))
    after = [CallMark(new_id(), number, 0, AT) for number in ("1.9", "1.10", "2.3")]
    unnumbered = CallMark(new_id(), "", 0, AT + timedelta(days=1))
    async with open_spool(tmp_path / "display.db") as spool:
        for mark in (*reversed(after), unnumbered, ahead):
            await spool.mark_sounded(mark)
        assert (await spool.remembered()).sounded == (unnumbered, ahead, *after), "by their numbers, oldest first"
        await spool.forget(most=2)
        assert (await spool.remembered()).sounded == tuple(after[1:])


async def test_acks_that_nobody_answers_do_not_fill_the_disk(tmp_path: Path) -> None:
    ids = sorted(new_id() for _ in range(ACKS_MAX + 5))
    async with open_spool(tmp_path / "display.db") as spool:
        for ack_id in ids:
            await spool.add_proof(ONE, ack_id, b"{}")
        assert list(await spool.acks()) == ids[5:]


async def test_a_damaged_file_is_put_aside(tmp_path: Path) -> None:
    file = tmp_path / "display.db"
    file.write_bytes(b"not a database, but long enough to be looked at" * 100)
    async with open_spool(file) as spool:
        assert (await spool.remembered()).sounded == ()
    assert (tmp_path / "display.damaged").read_bytes().startswith(b"not a database")
