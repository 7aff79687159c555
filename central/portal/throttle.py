"""Slows down who sends forms faster than a person can (`central.portal.rules`). In memory, bounded, per process."""

import asyncio
from collections import OrderedDict

from central.portal.rules import ADDRESS, VISITOR, Bucket, Pace, Verdict, take
from sync.io.clock import Clock

MAX_BUCKETS = 20_000


class Throttle:
    """Buckets of visitors and of addresses; the ones longest unused fall out."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[tuple[str, str], Bucket] = OrderedDict()

    async def pass_one(self, visitor: str | None, address: str, clock: Clock) -> Verdict:
        """Wait as long as this form has to. A refusal is returned at once, with the seconds until another try."""
        now_s = clock.monotonic_ns() / 1e9
        verdicts = [self._take(("address", address), ADDRESS, now_s)]
        if visitor:
            verdicts.append(self._take(("visitor", visitor), VISITOR, now_s))
        refused = [verdict for verdict in verdicts if verdict.kind == "refuse"]
        if refused:
            return refused[0]
        slowest = max(verdicts, key=lambda verdict: verdict.delay_s)
        if slowest.delay_s > 0:
            await asyncio.sleep(slowest.delay_s)
        return slowest

    def _take(self, key: tuple[str, str], pace: Pace, now_s: float) -> Verdict:
        bucket, verdict = take(self._buckets.get(key), pace, now_s)
        self._buckets[key] = bucket
        self._buckets.move_to_end(key)
        while len(self._buckets) > MAX_BUCKETS:
            self._buckets.popitem(last=False)
        return verdict
