"""What happens in an office and at central: small realistic streams of facts and rows, from chance alone."""

from __future__ import annotations

from random import Random

import msgspec

from sync.messages import codec
from sync.messages.envelope import FactRecord
from sync.messages.feed import GLOBAL, Counter, Op, Service, office_stream
from tests.kit.facts import header_of
from tests.kit.memory_edge import MemoryEdgeStore
from tests.simulation.people import SERVICES
from tests.simulation.queue import Wall


class OddFacts:
    """Now and then a fact is poison, or of a later build."""

    def __init__(self, rng: Random, office: str, epoch: int) -> None:
        self._rng = rng
        self._office = office
        self._epoch = epoch
        self.poisoned = 0

    def write(self, store: MemoryEdgeStore, wall: Wall) -> None:
        """Write one.

        Raises:
            Crashed: the process died at the commit.
        """
        seq = store.end(self._epoch).seq + 1
        if self._rng.random() < 0.5:
            body, kind = b'{"later":true}', "ticket.invented"
        else:
            body, kind = b'{"ticket_id":7}', "ticket.called"
        header = header_of(kind, 1, seq, office=self._office, epoch=self._epoch, at=wall.now())
        store.commit_act([FactRecord(header=header, body=msgspec.Raw(body))], None)


class RowWritten(msgspec.Struct, frozen=True, kw_only=True):
    """One change of an entity, to be emitted."""

    stream: str
    kind: str
    entity_id: str
    version: int
    op: Op
    body: bytes


class CentralStory:
    """Services and counters change; one kind is unknown to this build."""

    def __init__(self, rng: Random, offices: tuple[str, ...]) -> None:
        self._rng = rng
        self._offices = offices
        self._versions: dict[tuple[str, str, str], int] = {}

    def changes(self) -> list[RowWritten]:
        """The rows of one business transaction, sorted by stream as locks are taken."""
        rows = [self._change() for _ in range(self._rng.choice((1, 1, 2, 3)))]
        return sorted(rows, key=lambda row: row.stream)

    def _change(self) -> RowWritten:
        if self._rng.random() < 0.4:
            return self._global()
        counter, office = self._rng.choice("123"), self._rng.choice(self._offices)
        row = Counter(id=counter, zone="a", primary=SERVICES)
        return self._row(office_stream(office), Counter.KIND, counter, row, gone=self._rng.random() < 0.2)

    def _global(self) -> RowWritten:
        if self._rng.random() < 0.3:
            body = msgspec.Raw(codec.encode({"es": "aviso", "n": self._rng.randint(0, 99)}))
            return self._row(GLOBAL, "hologram", self._rng.choice("ab"), body, gone=self._rng.random() < 0.3)
        service = self._rng.choice(SERVICES)
        names = {"es": service.title()}
        row = Service(id=service, names=names, series="K", duration_min=self._rng.randint(5, 30))
        return self._row(GLOBAL, Service.KIND, service, row)

    def _row(self, stream: str, kind: str, entity_id: str, body: object, *, gone: bool = False) -> RowWritten:
        key = (stream, kind, entity_id)
        version = self._versions[key] = self._versions.get(key, 0) + 1
        text = b"{}" if gone else codec.encode(body)
        return RowWritten(
            stream=stream, kind=kind, entity_id=entity_id, version=version, op="del" if gone else "put", body=text
        )
