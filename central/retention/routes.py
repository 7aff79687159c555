"""What is kept, how long and why, with the proof: for who manages the whole city."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from litestar import get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from central.portal.service import Portal
from central.portal.visit import Incoming, Page
from central.retention.kinds import queries
from central.retention.rules import Rule, rules_of
from central.retention.service import limits_of, standing
from central.staff.gate import RETENTION, StaffVisit, enter
from ui.catalog import Words

MONTH: Final = timedelta(days=30)
RUNS: Final = 100
CHIPS: Final = {"kept": None, "in_time": "ok", "late": "late", "never_run": "act"}


@get(RETENTION)
async def show(request: Incoming, portal: NamedDependency[Portal]) -> Page:
    """Every rule: the limit, its reason, the last run, what is there now."""
    visit = await enter(request, portal)
    if page := _refused(visit):
        return page
    await visit.looked_at("retention.looked_at", "city", office=None)
    central, words = portal.central, visit.words
    now = central.clock.now()
    async with central.pool.acquire() as connection:
        found = await standing(connection, central.settings, now, now - MONTH)
    rows = [
        {
            "kind": one.rule.kind,
            "name": words.text(f"city.kept.{one.rule.kind}"),
            "why": words.text(f"city.kept.{one.rule.kind}.why"),
            "limit": limit_words(one.rule, words),
            "chip": (words.text(f"city.retention.state.{one.state}"), CHIPS[one.state]),
            "ran_at": one.last.began_at if one.last else None,
            "broken_off": one.last is not None and one.last.ended_at is None,
            "gone": one.gone_of_month if one.rule.keep is not None else None,
            "oldest": one.oldest,
            "is_over": one.oldest is not None and one.oldest <= now,
        }
        for one in found
    ]
    return visit.page("retention/retention.html", {"tab": RETENTION, "rows": rows})


@get(f"{RETENTION}/{{kind:str}}")
async def runs(request: Incoming, portal: NamedDependency[Portal], kind: FromPath[str]) -> Page:
    """The runs of one rule, newest first."""
    visit = await enter(request, portal)
    if page := _refused(visit):
        return page
    rule = next((one for one in rules_of(limits_of(portal.central.settings)) if one.kind == kind), None)
    if rule is None or rule.keep is None:
        raise NotFoundException
    await visit.looked_at("retention.looked_at", kind, office=None)
    before = _instant(request.query_params.get("antes", "")) or portal.central.clock.now() + timedelta(seconds=1)
    found = await portal.central.pool.fetch(queries.runs_of, kind, before, RUNS + 1)
    more = found[RUNS - 1]["began_at"].isoformat() if len(found) > RUNS else ""
    values = {
        "tab": RETENTION,
        "kind": kind,
        "name": visit.words.text(f"city.kept.{kind}"),
        "why": visit.words.text(f"city.kept.{kind}.why"),
        "limit": limit_words(rule, visit.words),
        "runs": found[:RUNS],
        "more": more,
    }
    return visit.page("retention/runs.html", values)


def limit_words(rule: Rule, words: Words) -> str:
    """How long a kind is kept, for people."""
    if rule.keep is None:
        return words.text("city.retention.kept")
    if not rule.keep:
        return words.text("city.retention.at_once")
    minutes = rule.keep // timedelta(minutes=1)
    if minutes % (24 * 60) == 0:
        return words.text("city.retention.days", n=minutes // (24 * 60))
    if minutes % 60 == 0:
        return words.text("city.retention.hours", n=minutes // 60)
    return words.text("city.retention.minutes", n=minutes)


def _refused(visit: StaffVisit) -> Page | None:
    return None if visit.member.is_city_wide else visit.page("staff/refused.html", {"tab": ""}, status=403)


def _instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


ROUTES: tuple[ControllerRouterHandler, ...] = (show, runs)
