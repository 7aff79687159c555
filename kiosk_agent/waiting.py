"""What the kiosk knows of the queue: the newest board of its zone, and whether the edge is being heard. Pure.

Versions are (epoch, seq, beat); what is not higher than the held one is dropped, and so is every epoch below the highest
ever heard of. A board that comes straight from the edge shows that it is alive even if it says nothing new; one that the
broker kept shows nothing, but is given the benefit of the doubt at the start.
"""

from __future__ import annotations

import msgspec

from sync.messages.topics import BOARD_STALE_S, Board, ServiceWait


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """What is known, as a value. ``heard_at_s``: monotonic seconds."""

    board: Board | None = None
    epoch: int = 0
    heard_at_s: float | None = None


def with_board(queue: Queue, board: Board, *, retained: bool, now_s: float) -> Queue:
    """The queue after a board."""
    if board.epoch < queue.epoch:
        return queue
    fresh = queue if retained and queue.heard_at_s is not None else msgspec.structs.replace(queue, heard_at_s=now_s)
    if queue.board is not None and _version(board) <= _version(queue.board):
        return fresh
    return msgspec.structs.replace(fresh, board=board, epoch=board.epoch)


def with_sign_of_life(queue: Queue, epoch: int, *, now_s: float) -> Queue:
    """The queue after the present node said something that is not about it."""
    return queue if epoch < queue.epoch else msgspec.structs.replace(queue, heard_at_s=now_s)


def with_epoch(queue: Queue, epoch: int) -> Queue:
    """The queue after another node took the office: what the former one said is history."""
    if epoch <= queue.epoch:
        return queue
    return msgspec.structs.replace(queue, board=None, epoch=epoch)


def is_heard(queue: Queue, now_s: float) -> bool:
    """Whether the edge has said something lately."""
    return queue.heard_at_s is not None and now_s - queue.heard_at_s < BOARD_STALE_S


def is_silent(queue: Queue, started_at_s: float, now_s: float) -> bool:
    """Whether the edge has said nothing for so long that the kiosk goes on by itself; a kiosk that just started listens first."""
    return now_s - (started_at_s if queue.heard_at_s is None else queue.heard_at_s) >= BOARD_STALE_S


def wait_for(queue: Queue, service: str, now_s: float) -> ServiceWait | None:
    """People waiting for a service and their wait; none when nothing fresh is known."""
    if queue.board is None or not is_heard(queue, now_s):
        return None
    return next((wait for wait in queue.board.services if wait.service == service), None)


def _version(board: Board) -> tuple[int, int, int]:
    return board.epoch, board.seq, board.beat
