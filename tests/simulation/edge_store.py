"""An office's database in the simulator: judged at each commit, against central as it is."""

from __future__ import annotations

from collections.abc import Sequence

from sync.messages.envelope import FactRecord
from tests.kit.memory import CommitFailed, Crashed, UndoLog
from tests.kit.memory_central import MemoryCentralStore
from tests.kit.memory_edge import MemoryEdgeStore
from tests.simulation.ledger import Ledger, Violated


class WatchedEdgeStore(MemoryEdgeStore):
    """Checks the invariants of an edge at each commit, against central as it is."""

    def __init__(self, office: str, epoch: int, ledger: Ledger, central: MemoryCentralStore) -> None:
        super().__init__()
        self._key = (office, epoch)
        self._ledger = ledger
        self._central = central

    def on_commit(self, undo: UndoLog) -> None:
        if not len(undo):
            return
        if undo.keys_of(self.acks):
            self._ledger.note_told(self._key, self)
            self._ledger.check_told(self._central, self._key)
        if len(undo.keys_of(self.entities)) or len(undo.keys_of(self.places)):
            self._ledger.check_prefix(self._key[0], self)

    def commit_act(self, records: Sequence[FactRecord], request_id: str | None) -> None:
        """Tell the ledger of what is durable, whether or not the process lived to know it."""
        if self.fence:
            raise Violated("I-16", "fenced_acts", f"{self._key} acts although it knows of epoch {self.fence}")
        try:
            super().commit_act(records, request_id)
        except (Crashed, CommitFailed) as failed:
            if str(failed) in ("after_commit", "io_error_late"):
                self._note(records)
            raise
        self._note(records)

    def _note(self, records: Sequence[FactRecord]) -> None:
        self._ledger.note_facts(self._key, self.journal.get(self._key[1], ()), records)
