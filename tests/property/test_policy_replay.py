"""A replayed day: the same policy gives the same calls, whoever came and however long things took."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sync.domain.replays.recording import record
from sync.domain.replays.rerun import as_it_was, rerun
from sync.messages.policy import Policy
from tests.kit.random_days import RandomDay
from tests.kit.simulated_weeks import SimulatedDay, World


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_same_policy_reproduces_the_calls_of_a_random_day(seed: int) -> None:
    recording = record(RandomDay(seed).office.journal)
    assert recording is not None
    assert recording.chosen == 0
    again = rerun(recording)
    assert [(c.at, c.session, c.ticket_id) for c in again.calls] == [
        (c.at, c.session, c.ticket_id) for c in recording.calls
    ]
    assert again.over_bound == 0


def test_the_same_policy_reproduces_a_whole_simulated_day() -> None:
    recording = record(SimulatedDay(5, World()).office.journal)
    assert recording is not None
    assert len(recording.calls) > 100
    assert rerun(recording).calls == as_it_was(recording).calls


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), head_start=st.sampled_from([0, 30, 90]))
def test_another_policy_keeps_its_bound_and_everybody(seed: int, head_start: int) -> None:
    recording = record(RandomDay(seed).office.journal)
    assert recording is not None
    other = rerun(recording, Policy(appointment_head_start_min=head_start))
    assert other.over_bound == 0
    assert {t.ticket_id for t in other.tickets} == {t.ticket_id for t in as_it_was(recording).tickets}
