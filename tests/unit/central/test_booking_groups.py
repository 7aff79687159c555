"""Which bookings go together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from central.booking.claims import Where
from central.booking.groups import Ask, group_arguments, together

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def ask(request: int, person: int, hold: int | None = None, family: str = "viaje") -> Ask:
    arguments = (
        str(request), b"", b"", AT + timedelta(seconds=request), "centro", "todo", (AT, AT + timedelta(minutes=10)), hold
    ) + ("",) * 8 + (("wheelchair", 'odd"\\'),)  # fmt: skip
    where = Where(
        request_id=str(request), now=AT, office="centro", pool="todo", starts=(AT,),
        hold_id=None if hold is None else str(hold),
    )  # fmt: skip
    return Ask(arguments=arguments, appointment_id=f"a{request}", where=where, person=(bytes([person]), family))


asks = st.lists(
    st.builds(ask, st.integers(0, 9), st.integers(0, 9), st.none() | st.integers(0, 3), st.sampled_from("ab")),
    max_size=30,
)


@given(asks, st.integers(1, 12))
def test_a_group_takes_the_first_of_each_and_leaves_the_rest_in_order(waiting: list[Ask], most: int) -> None:
    group, rest = together(waiting, most)

    assert sorted(group + rest) == list(range(len(waiting)))
    assert group == sorted(group)
    assert rest == sorted(rest)
    assert len(group) <= most
    assert group[:1] == list(range(len(waiting)))[:1]
    for at in rest:
        before = waiting[:at]
        assert len(group) == most or any(depends(waiting[at], one) for one in before)


@given(asks, st.integers(1, 12))
def test_nobody_overtakes_whom_it_depends_on(waiting: list[Ask], most: int) -> None:
    group, _ = together(waiting, most)
    for at in group:
        assert not any(depends(waiting[at], one) for one in waiting[:at])


def depends(one: Ask, other: Ask) -> bool:
    same_hold = one.where.hold_id is not None and one.where.hold_id == other.where.hold_id
    return one.where.request_id == other.where.request_id or one.person == other.person or same_hold


def test_a_family_is_a_limit_of_its_own() -> None:
    assert together([ask(1, 1, family="a"), ask(2, 1, family="b")], 50) == ([0, 1], [])


def test_arguments_become_columns() -> None:
    columns = group_arguments([ask(1, 1), ask(2, 2, hold=7)])

    assert columns[0] == ["1", "2"]
    assert columns[3] == AT + timedelta(seconds=2)  # one instant: the latest
    assert columns[6] == ['{"2026-11-24T08:00:00+00:00","2026-11-24T08:10:00+00:00"}'] * 2
    assert columns[7] == [None, 7]
    assert columns[16] == ['{"wheelchair","odd\\"\\\\"}'] * 2
