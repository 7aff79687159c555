"""Boards as an edge would send them."""

from datetime import UTC, datetime, timedelta

from sync.messages.topics import Board, BoardCall, WaitRange

NINE = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # 9:00 in Melilla


def after(seconds: float) -> datetime:
    return NINE + timedelta(seconds=seconds)


def seconds(count: float) -> int:
    """As nanoseconds of a monotonic clock."""
    return round(count * 1_000_000_000)


def ticket_id(number: int) -> str:
    return f"00000000-0000-7000-8000-{number:012d}"


def call(number: int, at_s: float, *, recalls: int = 0, counter: str = "4", announcement: str = "") -> BoardCall:
    return BoardCall(
        ticket_id=ticket_id(number),
        label=f"K{number}",
        counter=counter,
        called_at=after(at_s),
        recalls=recalls,
        announcement=announcement,
    )


def board(
    at_s: float,
    *calls: BoardCall,
    recent: tuple[BoardCall, ...] = (),
    epoch: int = 1,
    seq: int = 1,
    beat: int = 0,
    waiting: int = 9,
) -> Board:
    return Board(
        office="real",
        zone="b",
        epoch=epoch,
        seq=seq,
        beat=beat,
        at=after(at_s),
        calls=calls,
        recent=recent,
        waiting=waiting,
        wait=WaitRange(low_min=10, high_min=20),
    )
