from __future__ import annotations

from central.portal.rules import ADDRESS, VISITOR, Bucket, Pace, take


def run(pace: Pace, times_s: list[float]) -> list[tuple[str, float]]:
    bucket: Bucket | None = None
    found: list[tuple[str, float]] = []
    for at_s in times_s:
        bucket, verdict = take(bucket, pace, at_s)
        found.append((verdict.kind, round(verdict.delay_s, 2)))
    return found


def test_a_person_is_never_slowed() -> None:
    assert set(run(VISITOR, [n * 2.0 for n in range(200)])) == {("answer", 0.0)}


def test_a_machine_is_slowed_before_it_is_refused() -> None:
    verdicts = run(VISITOR, [0.0] * 40)
    kinds = [kind for kind, _ in verdicts]
    assert kinds[:20] == ["answer"] * 20
    assert verdicts[20] == ("answer", 2.0)
    assert verdicts[29] == ("answer", VISITOR.longest_delay_s)
    assert kinds[30:] == ["refuse"] * 10


def test_a_refused_visitor_is_let_in_again_after_the_time_it_was_told() -> None:
    bucket, verdict = take(None, VISITOR, 0.0)
    for _ in range(30):
        bucket, verdict = take(bucket, VISITOR, 0.0)
    assert verdict.kind == "refuse"
    _, later = take(bucket, VISITOR, verdict.delay_s)
    assert later.kind == "answer"


def test_a_shared_address_is_slowed_and_never_refused() -> None:
    verdicts = run(ADDRESS, [0.0] * 2000)
    assert {kind for kind, _ in verdicts} == {"answer"}
    assert max(delay for _, delay in verdicts) == ADDRESS.longest_delay_s
    bucket: Bucket | None = None
    for _ in range(2000):
        bucket, _ = take(bucket, ADDRESS, 0.0)
    _, soon = take(bucket, ADDRESS, 4.0)
    assert soon.delay_s == 0.0, "neighbours do not wait for what others did long ago"
