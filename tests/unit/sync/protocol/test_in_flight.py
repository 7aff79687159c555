import pytest

from sync.messages.wire import SnapshotRequest
from sync.protocol.in_flight import InFlight
from tests.kit.facts import uuid_of


def request(number: int) -> SnapshotRequest:
    return SnapshotRequest(request_id=uuid_of(number), office="centro")


def test_only_the_open_request_is_answered_and_only_once() -> None:
    loop: InFlight[SnapshotRequest] = InFlight()
    loop.open(request(1))
    assert loop.take(uuid_of(2)) is None
    assert loop.take(uuid_of(1)) == request(1)
    assert loop.take(uuid_of(1)) is None


def test_a_failure_counts_for_the_open_request_only() -> None:
    loop: InFlight[SnapshotRequest] = InFlight()
    loop.open(request(1))
    assert not loop.fail(uuid_of(2))
    assert loop.failures == 0
    assert loop.fail(uuid_of(1))
    assert (loop.failures, loop.request) == (1, None)


def test_a_second_request_in_flight_is_a_fault_of_the_caller() -> None:
    loop: InFlight[SnapshotRequest] = InFlight()
    loop.open(request(1))
    with pytest.raises(AssertionError):
        loop.open(request(2))
