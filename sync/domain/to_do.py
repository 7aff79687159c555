"""What a planned visit still has to do: services in order, the present one among them while it is a step of the plan.

Only what is finished, or left for a later step, is off the list. On a detour the present service is not on it.
"""

from __future__ import annotations

from collections.abc import Iterable

from sync.messages.commands import MAX_STEPS

MOST_TO_DO = MAX_STEPS + 2
"""The present step, and what ``PlanRoute`` can say."""
MOST_STEPS_DONE = 99
"""More than anybody walks in a day."""


def sent_on(to_do: tuple[str, ...], left: str, to: str) -> tuple[str, ...]:
    """After a move that ends no step: to a step, which is next then, and the one that was left is off; or a detour, and back."""
    if to == left or to not in to_do:
        return to_do
    return (to, *(each for each in to_do if each not in (left, to)))


def without(to_do: tuple[str, ...], done: Iterable[str]) -> tuple[str, ...]:
    """After services were done."""
    over = set(done)
    return tuple(each for each in to_do if each not in over)


def planned(service: str, steps: tuple[str, ...], steps_done: int) -> tuple[str, ...]:
    """After staff have said what follows the present service; without further steps it ends the route, or there is none."""
    return (service, *steps) if steps or steps_done else ()


def planned_meanwhile(
    to_do: tuple[str, ...], service: str, at: str, steps: tuple[str, ...], steps_done: int
) -> tuple[str, ...]:
    """What a ticket has to do if its last act is taken back after a plan was made.

    Args:
        to_do, service, steps_done: of the ticket as it was before the act.
        at: the service that it was at when staff planned the steps; a step that the act had led to is walked again.
    """
    again = (at,) if at != service and at in to_do else ()
    ahead = tuple(each for each in (*again, *steps) if each != service)
    return planned(service, ahead, steps_done)
