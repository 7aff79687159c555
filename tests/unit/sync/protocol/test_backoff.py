import pytest

from sync.messages.wire import LONG_POLL_S
from sync.protocol.backoff import ANSWER_WITHIN_S, LONGEST_S, retry_delay_s

ALMOST_ONE = 1 - 2**-53


@pytest.mark.parametrize(
    "failures,chance,retry_after_s,expected",
    [
        (0, 0.9, 0, 0.0),
        (1, 0.5, 0, 0.5),
        (2, 0.5, 0, 1.0),
        (3, 0.25, 0, 1.0),
        (6, 0.5, 0, 15.0),
        (10_000, 1.0, 0, LONGEST_S),
        (1, 0.0, 0, 0.0),
        (0, 0.9, 7, 7.0),
        (4, 0.5, 2, 4.0),
    ],
)
def test_delay(failures: int, chance: float, retry_after_s: float, expected: float) -> None:
    assert retry_delay_s(failures, chance, retry_after_s) == expected


def test_a_loop_that_had_failed_for_long_asks_again_within_a_minute_of_a_heal() -> None:
    probe_lost_just_before = ANSWER_WITHIN_S + retry_delay_s(50, ALMOST_ONE)
    poll_lost_just_before = LONG_POLL_S + ANSWER_WITHIN_S + retry_delay_s(1, ALMOST_ONE)
    assert max(probe_lost_just_before, poll_lost_just_before) < 60 - ANSWER_WITHIN_S
