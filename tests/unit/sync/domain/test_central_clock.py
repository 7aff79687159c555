"""Which of two words about central's time is believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sync.domain.central_clock import DRIFT_PPM, CentralClock

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
SECOND_NS = 1_000_000_000


def heard(known: CentralClock | None, at_s: float, trip_s: float, server_at: datetime) -> CentralClock:
    """A hello that was answered at a second of the monotonic clock after a trip of so many seconds."""
    received_ns = int(at_s * SECOND_NS)
    sent_ns = received_ns - int(trip_s * SECOND_NS)
    return CentralClock.heard(known, sent_ns=sent_ns, received_ns=received_ns, server_at=server_at)


def test_a_quick_answer_is_kept_before_a_slow_one_until_clocks_may_have_drifted() -> None:
    quick = heard(None, at_s=10, trip_s=0.01, server_at=AT)
    slow_at = AT + timedelta(seconds=59.3)
    assert heard(quick, at_s=70, trip_s=2, server_at=slow_at) is quick
    later_s = 10 + 1.0 / (DRIFT_PPM / 1e6) + 60
    later = heard(quick, at_s=later_s, trip_s=2, server_at=AT + timedelta(seconds=later_s - 10.8))
    assert later is not quick


def test_the_time_goes_on_with_the_monotonic_clock() -> None:
    known = heard(None, at_s=10, trip_s=2, server_at=AT)
    assert known.now(14 * SECOND_NS) == AT + timedelta(seconds=5)
    assert known.error_at(9 * SECOND_NS) == SECOND_NS
    assert known.error_at(1009 * SECOND_NS) == SECOND_NS + SECOND_NS // 2


def test_what_cannot_both_be_right_was_a_machine_that_slept_or_a_clock_that_was_set() -> None:
    quick = heard(None, at_s=10, trip_s=0.01, server_at=AT)
    slept = heard(quick, at_s=70, trip_s=2, server_at=AT + timedelta(hours=8))
    assert slept.now(70 * SECOND_NS) == AT + timedelta(hours=8, seconds=1)
