"""An office whose facts reach central as they do in life: decided by the queue's rules, signed, sent over HTTP."""

from __future__ import annotations

import base64
import hashlib

import msgspec

from central.insight.office_now import domain_catalogue
from central.offices.catalogue import Catalogue
from sync.domain.outcomes import Accepted
from sync.io.ids import new_id
from sync.io.node_token import sign
from sync.messages import codec
from sync.messages import commands as c
from sync.messages.envelope import FactHeader, chain, seal
from sync.messages.values import GENESIS
from tests.integration.exchange.client import NodeClient
from tests.kit.central_server import CentralServer
from tests.kit.clock import ManualClock
from tests.kit.office import TestOffice


class Office:
    """One office of a loaded city. Acts are decided at the bed's clock; ``send`` takes them to central."""

    def __init__(self, server: CentralServer, city: Catalogue, office: str, clock: ManualClock) -> None:
        self.catalogue = domain_catalogue(city.offices[office], city)
        self.queue = TestOffice(self.catalogue)
        self.clock = clock
        self.server = server
        self.node = NodeClient(server.url, office)
        self._sent = 0
        self._hash = GENESIS
        self._office = office

    async def start(self) -> None:
        """Enrol and say hello."""
        await self.node.enrol(self.server.central.pool)
        await self.hello()
        await self.send()

    async def hello(self, *, rolled_back: bool = False) -> None:
        """Say hello, as a node does whose standing is this."""
        position = {"clock_at": self.clock.now(), "last_seq": len(self.queue.journal)}
        assert await self._post("hello", self.node.hello(**position, rolled_back=rolled_back)) == 200

    async def stop(self) -> None:
        await self.node.http.aclose()

    def take(self, service: str) -> str:
        """A walk-in; the code of the slip's address."""
        code = hashlib.sha256(new_id().encode()).digest()[:16]
        command = c.TakeTicket(request_id=new_id(), service=service, follow_hash=hashlib.sha256(code).digest())
        assert isinstance(self.queue.do(command, self.clock.now(), c.CITIZEN), Accepted)
        return base64.urlsafe_b64encode(code).rstrip(b"=").decode()

    def open(self, counter: str, actor: str = "ana") -> str:
        return self.queue.open(counter, self.clock.now(), actor)

    def call(self, session: str, actor: str = "ana") -> str | None:
        return self.queue.call_next(session, self.clock.now(), actor)

    def act(self, command: c.AnyCommand, actor: str = "ana") -> None:
        decision = self.queue.do(command, self.clock.now(), actor, supervisor=True)
        assert isinstance(decision, Accepted), decision

    async def send(self) -> None:
        """Everything that central does not have yet."""
        fresh = self.queue.journal[self._sent :]
        records = [seal(_of(header, self._office), fact) for header, fact in fresh]
        if not records:
            return
        reply = await self._post("up", self.node.up(*records, first_seq=self._sent + 1, prev_hash=self._hash))
        assert reply == 200, reply
        for record in records:
            self._hash = chain(self._hash, record)
        self._sent += len(records)

    async def _post(self, path: str, message: object) -> int:
        body = codec.encode(message)
        token = sign(
            self.node.key,
            body=body,
            now=self.clock.now(),
            node_id=self.node.node,
            office=self.node.office,
            epoch=self.node.epoch,
        )
        return (await self.node.post(path, body, token=token)).status_code


def _of(header: FactHeader, office: str) -> FactHeader:
    """The queue of tests always speaks for ``centro``."""
    return msgspec.structs.replace(header, office=office)
