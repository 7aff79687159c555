"""Requests under way: each is sent again with the same id until it is answered or patience ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from sync.io.waiting import set_within
from sync.messages.topics import KioskCommand
from sync.messages.values import Uuid

ATTEMPTS = 3
ATTEMPT_S = 1.0

log = structlog.get_logger(__name__)


class Requests:
    """The requests of one kiosk.

    Args:
        send: hands a request to the broker.
        gave_up: told of a request that nobody answered.
    """

    def __init__(
        self, send: Callable[[KioskCommand], Awaitable[bool]], gave_up: Callable[[Uuid], Awaitable[None]]
    ) -> None:
        self._send = send
        self._gave_up = gave_up
        self._answers: dict[Uuid, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, command: KioskCommand) -> None:
        """Begin to ask; the request is on the disk already."""
        task = asyncio.create_task(self._ask(command), name=f"ask {command.request_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def answered(self, request_id: Uuid) -> None:
        """Stop asking."""
        if (answer := self._answers.get(request_id)) is not None:
            answer.set()

    async def stop(self) -> None:
        """Stop all asking; what is open stays so on the disk."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _ask(self, command: KioskCommand) -> None:
        answer = self._answers[command.request_id] = asyncio.Event()
        try:
            for _ in range(ATTEMPTS):
                if await self._attempt(command, answer):
                    return
            log.warning("request.unanswered", request_id=command.request_id)
            await self._gave_up(command.request_id)
        except Exception:
            log.exception("request.failed", request_id=command.request_id)
        finally:
            del self._answers[command.request_id]

    async def _attempt(self, command: KioskCommand, answer: asyncio.Event) -> bool:
        """Send once and wait a second; a broker that does not confirm must not make it longer."""
        sending = asyncio.ensure_future(self._send(command))
        try:
            return await set_within(answer, ATTEMPT_S)
        finally:
            sending.cancel()
