"""From what was recorded and what the journal holds to the figures of a run."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping

from tests.bench.console.judge import Verdict
from tests.bench.console.plan import Act, Console, Json, Plan, Recorded
from tests.bench.limits.figures import figures

STILL_COMING_S = 5.0
"""Acts of the last seconds may not be everywhere yet; earlier ones that never came are counted."""


def figures_of(plan: Plan, recorded: Recorded, verdicts: Mapping[str, Verdict], memory: Mapping[str, float]) -> Json:
    """One part of the bench in numbers. Milliseconds of one monotonic clock."""
    staff = sum(office.counters for office in plan.offices)
    counted = [act for act in recorded.acts if recorded.began_at <= act.sent_at < recorded.ended_at]
    done = [act for act in counted if act.status == 200]
    seconds = recorded.ended_at - recorded.began_at
    others, news, never = _elsewhere(done, recorded, verdicts)
    return {
        "staff": staff,
        "nodes": len(plan.offices),
        "rate": plan.rate,
        "seconds": round(seconds, 1),
        "actions": len(done),
        "actions_per_s": round(len(done) / seconds, 2),
        "looks_per_s": round(recorded.looks / seconds, 1),
        "page_kb": round(recorded.page_bytes / max(recorded.looks, 1) / 1024, 1),
        **percentiles("own_screen_ms", [a.answered_at - a.sent_at for a in done if a.kind == "form"]),
        **percentiles("command_ms", [a.answered_at - a.sent_at for a in done if a.kind != "form"]),
        **percentiles("other_screens_ms", others),
        **percentiles("news_ms", news),
        "never_shown": never,
        **{
            name: sum(verdict.figures[name] for verdict in verdicts.values())
            for name in ("calls", "double_calls", "skipped", "order_violations")
        },
        "memory_mb_per_console": round(sum(memory.values()) / staff, 2),
        "memory_mb_per_node": round(sum(memory.values()) / len(plan.offices), 1),
        "not_done": _refused(counted),
        "troubles": recorded.troubles,
        "generator_lag_ms": {"max": recorded.lag_ms[0], "p99": recorded.lag_ms[1]},
    }


def percentiles(name: str, seconds: list[float]) -> dict[str, float | None]:
    """``{name}_p50``, ``_p95``, ``_p99`` in milliseconds; none where nothing was measured."""
    if not seconds:
        return {f"{name}_{share}": None for share in ("p50", "p95", "p99")}
    found = figures(seconds, sum(seconds) or 1.0)
    return {f"{name}_p50": found.p50_ms, f"{name}_p95": found.p95_ms, f"{name}_p99": found.p99_ms}


def _elsewhere(
    done: Iterable[Act], recorded: Recorded, verdicts: Mapping[str, Verdict]
) -> tuple[list[float], list[float], int]:
    """Seconds from each act until each other console of its office had a page that knows of it, and until it had the news;
    and how often that never came.
    """
    of_office: dict[str, list[Console]] = defaultdict(list)
    for console in recorded.consoles:
        of_office[console.office].append(console)
    screens: list[float] = []
    news: list[float] = []
    never = 0
    for act in done:
        seq = verdicts[act.office].seq_of.get(act.request_id)
        if seq is None:
            continue  # it changed nothing: a second click, nobody there to call
        for console in of_office[act.office]:
            if console.counter == act.counter:
                continue
            for seen, waits in ((console.screens, screens), (console.news, news)):
                at = bisect_left(seen.seqs, seq)
                if at < len(seen.at):
                    waits.append(max(0.0, seen.at[at] - act.sent_at))
                elif act.answered_at < recorded.ended_at - STILL_COMING_S:
                    never += 1
    return screens, news, never


def _refused(acts: Iterable[Act]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for act in acts:
        if act.status != 200:
            found[f"{act.verb} {act.status}"] += 1
    return dict(found)
