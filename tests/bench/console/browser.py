"""One console's page: sends forms, hears news, asks for itself anew. The rules are those of ``static/console.js``."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from time import perf_counter

import msgspec

from sync.io.ids import new_id
from tests.bench.console.plan import Act, Console, Json, Seen
from tests.bench.console.screen import Screen
from tests.bench.console.wire import Reply, Wire

CALM_S = 0.08
LINK_S = 2.0
RETRY_S = 1.0
LOST = (OSError, asyncio.IncompleteReadError, TimeoutError)


class Ledger:
    """What all consoles of a run did; only from ``began_at`` on does it count."""

    def __init__(self) -> None:
        self.acts: list[Act] = []
        self.looks = 0
        self.page_bytes = 0
        self.troubles: Counter[str] = Counter()

    def page(self, body: bytes) -> None:
        self.looks += 1
        self.page_bytes += len(body)


class Page:
    """An open work screen."""

    def __init__(self, wire: Wire, office: str, counter: str, ledger: Ledger) -> None:
        self.screen = Screen(b"")
        self.record = Console(office=office, counter=counter, screens=Seen([], []), news=Seen([], []))
        self._wire = wire
        self._ledger = ledger
        self._sending = False
        self._looking = False
        self._again = False
        self._soon: dict[float, asyncio.TimerHandle] = {}
        self._refresh: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def sit_down(self, staff_id: str, *, busy: bool) -> None:
        """Sign in and take the counter; ``busy``: with somebody there already, as in the middle of a day.

        Raises:
            RuntimeError: the console said something else.
        """
        await self._wire.sign_in(staff_id)
        session = (await self._prepare("open_counter", counter=self.record.counter))["session"]["session"]
        if busy:
            ticket = (await self._prepare("call_next", session=session))["ticket"]
            await self._prepare("start", session=session, ticket_id=ticket["ticket_id"])

    async def open(self) -> None:
        """Open the page and its stream."""
        self._show(await self._wire.page("/"))
        self._start(self._follow())

    async def _prepare(self, verb: str, **fields: object) -> Json:
        reply = await self._wire.command(f"/api/v1/commands/{verb}", {"request_id": new_id(), **fields})
        if reply.status != 200:
            raise RuntimeError(f"{verb}: {reply.status} {reply.body[:200]!r}")
        return dict(msgspec.json.decode(reply.body))

    def close(self) -> None:
        for timer in self._soon.values():
            timer.cancel()
        if self._refresh is not None:
            self._refresh.cancel()
        for task in self._tasks:
            task.cancel()
        self._wire.close()

    async def press(self, verb: str, **fields: str) -> bool:
        """Send the page's form of a verb; whether there is an answer that is a page.

        A verb without a form on the page is sent with what every form of a visit has.
        """
        forms = self.screen.forms()
        of_form = dict(forms.get(verb, {})) if "ticket_id" not in fields else {}
        body = {"request_id": new_id(), **of_form, **fields}
        sent_at = perf_counter()
        self._sending = True
        try:
            reply = await self._wire.form(f"/act/{verb}", body)
        except LOST:
            self._ledger.troubles["form"] += 1
            return False
        finally:
            self._sending = False
        self._note("form", verb, body["request_id"], sent_at, reply)
        self._show(reply)
        if self._again:
            self._start(self._look())
        return reply.status == 200

    async def command(self, verb: str, **fields: object) -> bool:
        """The same by the JSON interface; the page hears of it by its stream."""
        request_id, sent_at = new_id(), perf_counter()
        try:
            reply = await self._wire.command(f"/api/v1/commands/{verb}", {"request_id": request_id, **fields})
        except LOST:
            self._ledger.troubles["command"] += 1
            return False
        self._note("command", verb, request_id, sent_at, reply)
        return reply.status == 200

    async def open_panel(self, name: str) -> None:
        """A panel of the page, as a link opens it."""
        with suppress(*LOST):
            self._show(await self._wire.page(f"/?panel={name}"))

    def _note(self, kind: str, verb: str, request_id: str, sent_at: float, reply: Reply) -> None:
        self._ledger.acts.append(
            Act(
                request_id=request_id, kind="form" if kind == "form" else "command", verb=verb,
                office=self.record.office, counter=self.record.counter,
                sent_at=sent_at, answered_at=perf_counter(), status=reply.status,
            )
        )  # fmt: skip

    def _show(self, reply: Reply) -> None:
        screen = Screen(reply.body)
        if reply.status != 200 or screen.seq < 0:
            self._ledger.troubles[f"page {reply.status} {reply.leads_to}"] += 1
            return
        self._ledger.page(reply.body)
        if screen.seq < self.screen.seq:
            return
        self.screen = screen
        self.record.screens.add(screen.seq, perf_counter())
        if self._refresh is not None:
            self._refresh.cancel()
        loop = asyncio.get_running_loop()
        self._refresh = loop.call_later(screen.refresh_s, lambda: self._start(self._look()))

    async def _look(self) -> None:
        if self._sending or self._looking:
            self._again = True
            return
        self._looking, self._again = True, False
        try:
            self._show(await self._wire.page("/"))
        except LOST:
            self._ledger.troubles["look"] += 1
        finally:
            self._looking = False
        if self._again:
            self._look_soon()

    def _look_soon(self, wait_s: float = CALM_S) -> None:
        if wait_s not in self._soon:
            self._soon[wait_s] = asyncio.get_running_loop().call_later(wait_s, self._now, wait_s)

    def _now(self, waited_s: float) -> None:
        del self._soon[waited_s]
        self._start(self._look())

    async def _follow(self) -> None:
        while True:
            try:
                async for event, seq in self._wire.events(f"/api/v1/live?last_event_id=1-{self.screen.seq}"):
                    self._heard(event, seq)
            except LOST:
                self._ledger.troubles["stream"] += 1
            await asyncio.sleep(RETRY_S)

    def _heard(self, event: str, seq: int) -> None:
        if seq >= 0:
            self.record.news.add(seq, perf_counter())
        if event in ("beat", "waits", "bye", ""):
            return
        if event == "link":
            self._look_soon(LINK_S)
        elif seq < 0 or seq > self.screen.seq:
            self._look_soon()

    def _start(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
