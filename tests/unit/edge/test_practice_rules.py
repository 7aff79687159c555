"""What a learner has done follows from the facts of their practice; help follows from what is open."""

from types import SimpleNamespace

from edge_node.console.help import ELSEWHERE, HELP, help_key
from edge_node.console.panels import PANELS
from edge_node.practice.rules import STEPS, Progress


def test_a_step_is_done_by_its_fact_whatever_comes_first() -> None:
    progress = Progress().with_fact("ticket.finished")
    assert progress.done == {"finish"}
    assert progress.next == STEPS[0]


def test_facts_of_nothing_to_learn_change_nothing() -> None:
    progress = Progress()
    assert progress.with_fact("counter.opened") is progress


def test_all_steps_done_leave_none() -> None:
    progress = Progress()
    for step in STEPS:
        progress = progress.with_fact(step.fact)
    assert progress.next is None


def test_every_panel_has_its_help() -> None:
    assert set(PANELS) <= set(HELP)


def test_help_is_about_the_panel_then_about_the_visit() -> None:
    serving = SimpleNamespace(visit=SimpleNamespace(state="serving"))
    assert help_key("console/work.html", {"view": serving, "panel": "transfer"}) == HELP["transfer"]
    assert help_key("console/work.html", {"view": serving, "panel": ""}) == HELP["serving"]
    assert help_key("console/work.html", {"view": SimpleNamespace(visit=None), "panel": ""}) == HELP["none"]


def test_other_pages_have_help_too_but_not_before_signing_in() -> None:
    assert help_key("console/counter.html", {}) == HELP["counter"]
    assert help_key("console/new.html", {}) == ELSEWHERE
    assert help_key("console/sign_in.html", {}) == ""
