"""Holds back backlogs so that many offices which come back together drain smoothly (``rules.hold_back``).

A bucket per office and one for all, in the memory of each process: advice to honest senders, which their protocol follows.
"""

from __future__ import annotations

from central.exchange import metrics
from central.exchange.rules import Bucket, Pace, hold_back, pour
from central.settings import Exchange
from sync.messages.wire import UpReply


class Backpressure:
    """What has been taken lately."""

    def __init__(self, settings: Exchange) -> None:
        self._office = Pace(burst=settings.office_burst, per_s=settings.office_facts_per_s)
        self._all = Pace(burst=settings.facts_per_s, per_s=settings.facts_per_s)
        self._buckets: dict[str, Bucket] = {}
        self._together: Bucket | None = None

    def paced(self, office: str, reply: UpReply, count: int, now_s: float) -> UpReply:
        """The answer to a batch of ``count`` facts, with when the next one should come.

        Args:
            now_s: seconds of the monotonic clock.
        """
        own = self._buckets[office] = pour(self._buckets.get(office), self._office, count, now_s)
        together = self._together = pour(self._together, self._all, count, now_s)
        wait = hold_back(count, ((own, self._office), (together, self._all)))
        if wait is None:
            return reply
        metrics.HELD_BACK.labels(office).inc()
        return UpReply(
            request_id=reply.request_id,
            acked_seq=reply.acked_seq,
            acked_hash=reply.acked_hash,
            fenced_by=reply.fenced_by,
            retry_after_s=wait[0],
            max_batch=wait[1],
        )
