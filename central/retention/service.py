"""Carries the rules out, every hour and by command, and writes down what went. Safe to repeat, and to break off anywhere.

Each batch is a transaction with the count of what it deleted, so the record is never more or less than what happened. A run that
was broken off has no end; the next one goes on where it stopped, since what is gone is gone. One process at a time does it. A
rule that fails is logged and counted, and the others are carried out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec
import structlog
from prometheus_client import Counter, Gauge

from central.background import running
from central.context import Central
from central.retention.kinds import KINDS, queries
from central.retention.rules import LastRun, Limits, Rule, State, is_due, rules_of, state_of
from central.settings import Settings
from sync.io.ids import new_id

log = structlog.get_logger(__name__)

EVERY_S: Final = 3600.0
FIRST_AFTER_S: Final = 60.0
"""A process that starts has other things to do first, and one that starts again and again deletes nothing."""
AT_ONCE: Final = 500
MOST_COUNTED: Final = 1_000_000
SYSTEM: Final = "central"

_GONE = Counter("ventanilla_retention_rows_total", "Rows deleted or emptied because their time was over", ["kind"])
_FAILED = Counter("ventanilla_retention_failures_total", "Times that a rule could not be carried out", ["kind"])
_SUCCEEDED = Gauge(
    "ventanilla_retention_succeeded_seconds",
    "When a rule was last carried out to its end, as the record says, or first begun if it never was: Unix time",
    ["kind"],
)


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule did, or would do.

    Args:
        gone: rows deleted or emptied; in a rehearsal those that would be.
        oldest: when the oldest ended that is there now.
        failed: it could not be carried out to its end; what it did before stands in its run.
    """

    rule: Rule
    gone: int
    oldest: datetime | None
    failed: bool = False


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a rule stands: its last run, what went within a month, what is there now."""

    rule: Rule
    state: State
    last: LastRun | None
    gone_of_month: int
    oldest: datetime | None


def limits_of(settings: Settings) -> Limits:
    """The settings that rules are made of."""
    values = {name: getattr(settings.retention, name) for name in settings.retention.__struct_fields__}
    return Limits(**values, lookup_window_min=settings.booking.lookup_window_min)


async def carry_out(
    pool: Any, settings: Settings, now: datetime, *, by: str = SYSTEM, at_once: int = AT_ONCE
) -> list[Done] | None:
    """Carry all rules out.

    Args:
        by: who has it done, for the record.
        at_once: rows in one transaction.

    Returns:
        what each did, or that it failed; none: another process is at it.
    """
    async with pool.acquire() as holder:
        if not await holder.fetchval(queries.try_lock):
            return None
        try:
            rules = [rule for rule in rules_of(limits_of(settings)) if rule.keep is not None]
            lasts = await last_runs(holder, rules)
            return [await _tried(pool, rule, lasts.get(rule.kind), now, by, at_once=at_once) for rule in rules]
        finally:
            await holder.execute(queries.unlock)


async def rehearse(pool: Any, settings: Settings, now: datetime) -> list[Done]:
    """What carrying the rules out would do now; nothing is changed."""
    done = []
    for rule in rules_of(limits_of(settings)):
        kind = KINDS[rule.kind]
        async with pool.acquire() as connection:
            gone = await kind.count(connection, rule.before(now), MOST_COUNTED) if rule.keep is not None else 0
            done.append(Done(rule=rule, gone=gone, oldest=await kind.oldest(connection)))
    return done


async def standing(connection: Any, settings: Settings, now: datetime, month_ago: datetime) -> list[Standing]:
    """How every rule stands."""
    rules = rules_of(limits_of(settings))
    lasts = await last_runs(connection, rules)
    rows = await connection.fetch(queries.gone_since, [rule.kind for rule in rules], month_ago)
    gone = {row["kind"]: row["gone"] for row in rows}
    found = []
    for rule in rules:
        oldest, last = await KINDS[rule.kind].oldest(connection), lasts.get(rule.kind)
        state = state_of(rule, last, oldest, now)
        found.append(Standing(rule=rule, state=state, last=last, gone_of_month=gone.get(rule.kind, 0), oldest=oldest))
    return found


async def last_runs(connection: Any, rules: list[Rule] | tuple[Rule, ...]) -> dict[str, LastRun]:
    """The last recorded run of each rule that had one."""
    rows = await connection.fetch(queries.last_runs, [rule.kind for rule in rules])
    return {row["kind"]: msgspec.convert({**row}, LastRun) for row in rows}


async def tell_successes(connection: Any, settings: Settings) -> None:
    """Set the metric of when each rule last came to its end, whichever process did it."""
    kinds = [rule.kind for rule in rules_of(limits_of(settings)) if rule.keep is not None]
    for row in await connection.fetch(queries.succeeded, kinds):
        if row["at"] is not None:
            _SUCCEEDED.labels(row["kind"]).set(row["at"].timestamp())


async def _tried(pool: Any, rule: Rule, last: LastRun | None, now: datetime, by: str, *, at_once: int) -> Done:
    """One rule that fails must not keep the data of all that come after it."""
    try:
        return await _carry_out(pool, rule, last, now, by, at_once=at_once)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        log.warning("retention.rule_failed", kind=rule.kind, error=type(error).__name__)
    except Exception:
        log.exception("retention.rule_failed", kind=rule.kind)
    _FAILED.labels(rule.kind).inc()
    return Done(rule=rule, gone=0, oldest=None, failed=True)


async def _carry_out(pool: Any, rule: Rule, last: LastRun | None, now: datetime, by: str, *, at_once: int) -> Done:
    kind, before, run_id, gone = KINDS[rule.kind], rule.before(now), None, 0
    if is_due(last, now):
        run_id = await _begin(pool, rule, before, now, by)
    while True:
        async with pool.acquire() as connection, connection.transaction():
            count = await kind.forget(connection, before, at_once)
            if count and run_id is None:
                run_id = await _begin(connection, rule, before, now, by)
            if count:
                await connection.execute(queries.note_gone, run_id, count)
        gone += count
        _GONE.labels(rule.kind).inc(count)
        if count == 0:
            break
    oldest = await kind.oldest(pool)
    if run_id is not None:
        await pool.execute(queries.end_run, run_id, now, oldest)
    if gone:
        log.info("retention.carried_out", kind=rule.kind, gone=gone)
    return Done(rule=rule, gone=gone, oldest=oldest)


async def _begin(connection: Any, rule: Rule, before: datetime, now: datetime, by: str) -> str:
    run_id = new_id()
    await connection.execute(queries.begin_run, run_id, rule.kind, before, now, by)
    return run_id


async def keep_rules(central: Central) -> None:
    """Carry the rules out every hour until cancelled; what fails is done at the next turn."""
    await asyncio.sleep(FIRST_AFTER_S)
    while True:
        try:
            await carry_out(central.pool, central.settings, central.clock.now())
            await tell_successes(central.pool, central.settings)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("retention.failed", error=type(error).__name__)
        except Exception:
            log.exception("retention.failed")
        await asyncio.sleep(EVERY_S)


@asynccontextmanager
async def open_retention(central: Central) -> AsyncIterator[None]:
    """The rules, carried out beside requests; it ends with the block."""
    async with running(keep_rules(central)):
        yield
