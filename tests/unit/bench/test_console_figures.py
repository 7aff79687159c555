"""How the bench counts: from an act to the screens of the others."""

from __future__ import annotations

from tests.bench.console.figures import figures_of
from tests.bench.console.judge import Verdict
from tests.bench.console.plan import Act, Console, Office, Plan, Recorded, Seen
from tests.bench.console.screen import Screen
from tests.bench.console.summary import summary

PLAN = Plan(offices=(Office(office="centro", port=1, counters=2),), seconds=10, warm_up_s=0, rate=1)


def act(request_id: str, sent_at: float, took_s: float, status: int = 200) -> Act:
    return Act(
        request_id=request_id, kind="form", verb="call_next", office="centro", counter="1",
        sent_at=sent_at, answered_at=sent_at + took_s, status=status,
    )  # fmt: skip


def console(counter: str, *seen: tuple[int, float]) -> Console:
    screens, news = (
        ([seq for seq, _ in seen], [at for _, at in seen]),
        ([seq for seq, _ in seen], [at - 0.1 for _, at in seen]),
    )
    return Console(office="centro", counter=counter, screens=Seen(*screens), news=Seen(*news))


def test_an_act_is_on_another_screen_with_the_first_page_that_knows_of_it_or_of_more() -> None:
    recorded = Recorded(
        acts=[act("before", 0.5, 9), act("r1", 1.0, 0.02), act("late", 9.9, 0.02), act("refused", 2.0, 0.5, 409)],
        consoles=[console("1", (5, 1.02)), console("2", (3, 0.9), (6, 1.25))],
        began_at=1.0, ended_at=11.0, looks=4, page_bytes=8192, lag_ms=(1, 1), troubles={},
    )  # fmt: skip
    verdict = Verdict(seq_of={"before": 2, "r1": 5, "late": 9})
    found = figures_of(PLAN, recorded, {"centro": verdict}, {"centro": 60.0})
    assert (found["own_screen_ms_p50"], found["other_screens_ms_p99"], found["news_ms_p50"]) == (20.0, 250.0, 150.0)
    assert (found["actions"], found["actions_per_s"], found["never_shown"]) == (2, 0.2, 0)
    assert found["not_done"] == {"call_next 409": 1}
    assert found["memory_mb_per_console"] == 30.0


def test_what_never_came_is_counted_unless_it_may_still_be_coming() -> None:
    recorded = Recorded(
        acts=[act("r1", 1.0, 0.02), act("r2", 9.0, 0.02)], consoles=[console("2")],
        began_at=0.0, ended_at=10.0, looks=0, page_bytes=0, lag_ms=(1, 1), troubles={},
    )  # fmt: skip
    found = figures_of(PLAN, recorded, {"centro": Verdict(seq_of={"r1": 1, "r2": 2})}, {})
    assert found["never_shown"] == 2, "neither the page nor the news of the first"
    assert found["other_screens_ms_p50"] is None


def test_the_line_speaks_of_the_city_and_of_everything_that_was_wrong() -> None:
    office = {"staff": 30, "double_calls": 1, "skipped": 0, "order_violations": 0}
    city = {"staff": 1000, "double_calls": 0, "skipped": 2, "order_violations": 0}
    line = summary({"office": office, "city": city, "limits": {"g6": {"met": True}}})
    assert (line["staff"], line["double_calls"], line["skipped"], line["g6"]) == (1000, 1, 2, {"met": True})
    assert summary({"office": office})["staff"] == 30


def test_a_screen_is_read_as_the_page_writes_it() -> None:
    page = b"""<div id="live" data-position="1-42" data-refresh-s="7" hidden></div>
<form method="post" action="/act/start" id="start-t">
  <input type="hidden" name="_csrf_token" value="x"><input type="hidden" name="request_id" value="r">
  <input type="hidden" name="ticket_id" value="t"><button>Ha venido</button></form>"""
    screen = Screen(page)
    assert (screen.seq, screen.refresh_s) == (42, 7)
    assert screen.forms() == {"start": {"request_id": "r", "ticket_id": "t"}}
    assert Screen(b"<p>other</p>").seq == -1
