"""What stands for a person where their name need not be read: initials, enough to find somebody in a list."""

from __future__ import annotations

import msgspec

from edge_node.console.queue_view import AppointmentView, PersonView, QueueView
from sync.domain.names import initials


def masked(line: AppointmentView) -> AppointmentView:
    """A line of the agenda as it leaves for browsers."""
    return msgspec.structs.replace(line, person=_masked(line.person))


def masked_queue(view: QueueView, shown: str | None) -> QueueView:
    """The queue as it leaves for a browser.

    Args:
        shown: the ticket whose person's name that browser may read now.
    """
    people = {ticket_id: each if ticket_id == shown else _masked(each) for ticket_id, each in view.people.items()}
    return msgspec.structs.replace(
        view, people=people, agenda=tuple(map(masked, view.agenda)), sold=tuple(map(masked, view.sold))
    )


def _masked(person: PersonView) -> PersonView:
    return msgspec.structs.replace(person, display_name=initials(person.display_name))
