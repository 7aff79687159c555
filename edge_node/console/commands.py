"""What a browser may ask of the queue: one JSON body per verb. Unknown fields are refused.

Most verbs are the queue's own commands. Those that make a ticket or print one are asked for in the console's words, since
the follow code and the ids are the edge's to make.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID, uuid5

import msgspec

from edge_node.console.broadcasts import Broadcast, Broadcasts, EndBroadcast, PostBroadcast
from edge_node.console.staff_sessions import Member
from edge_node.leases.sales import Sales, SellHere
from edge_node.queue.arrivals import Shown
from edge_node.queue.desk import Desk, Seat, Wish
from edge_node.queue.outcomes import SPEAKS, Answer, Done
from sync.domain.outcomes import refuse
from sync.messages import codec
from sync.messages import commands as c
from sync.messages.handover_slip import looks_like_slip
from sync.messages.refusals import Refusal
from sync.messages.topics import PrintJob
from sync.messages.values import Language, Slug, Uuid


class GiveTicket(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A walk-in at the desk.

    Args:
        print_on: a kiosk; none shows the label and its QR on the console only.
        basis: how the clerk came to know of the class.
        needs: what support the person needs; noted with a command of its own, behind the ticket.
        steps: services that the person goes on to; planned with a command of its own, too.
    """

    request_id: Uuid
    service: Slug
    priority_class: Slug | None = None
    language: Language = "es"
    print_on: Slug | None = None
    basis: c.PriorityBasis | None = None
    needs: Annotated[tuple[Slug, ...], msgspec.Meta(max_length=8)] = ()
    steps: Annotated[tuple[Slug, ...], msgspec.Meta(max_length=c.MAX_STEPS)] = ()


class ServeHere(GiveTicket, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A walk-in who is served at a counter at once; ``after`` as of ``call_next``."""

    session: Uuid
    after: Uuid | None = None


class CheckInHere(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who is expected, at the desk: a line of the agenda, a typed locator or a scanned code (of an appointment, or the
    slip of another office); exactly one of them.
    """

    request_id: Uuid
    appointment_id: Uuid | None = None
    locator: Annotated[str, msgspec.Meta(max_length=32)] | None = None
    scanned: Annotated[str, msgspec.Meta(max_length=2048)] | None = None
    priority_class: Slug | None = None
    language: Language = "es"
    print_on: Slug | None = None


class PrintAgain(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    ticket_id: Uuid
    print_on: Slug
    language: Language = "es"


STAFF_COMMANDS: dict[str, type[c.Command]] = {
    "close_day": c.CloseDay,
    "open_counter": c.OpenCounter,
    "close_counter": c.CloseCounter,
    "call_next": c.CallNext,
    "call_ticket": c.CallTicket,
    "recall": c.Recall,
    "start": c.Start,
    "finish": c.Finish,
    "no_show": c.NoShow,
    "transfer": c.Transfer,
    "reinstate": c.Reinstate,
    "park": c.Park,
    "resume": c.Resume,
    "leave": c.Leave,
    "skip": c.Skip,
    "add_service": c.AddService,
    "set_priority": c.SetPriority,
    "set_needs": c.SetNeeds,
    "plan_route": c.PlanRoute,
    "undo": c.Undo,
    "pause_counter": c.PauseCounter,
    "resume_counter": c.ResumeCounter,
    "change_services": c.ChangeServices,
    "assign_ticket": c.AssignTicket,
    "reassign": c.Reassign,
    "take_back": c.TakeBack,
    "ask_support": c.AskSupport,
    "answer_support": c.AnswerSupport,
    "mark_arrived": c.MarkArrived,
    "break_glass": c.BreakGlass,
    "confirm_date": c.ConfirmDate,
}
"""Commands that go to the queue as they come."""


class StaffDesk:
    """Carries out a member's commands.

    Args:
        kiosks: ids of the kiosks of this office, which print.
    """

    def __init__(self, desk: Desk, sales: Sales, kiosks: frozenset[str], broadcasts: Broadcasts) -> None:
        self._desk = desk
        self._broadcasts = broadcasts
        self._sales = sales
        self._kiosks = kiosks

    async def carry_out(self, verb: str, body: bytes, member: Member) -> Answer | PrintJob | Broadcast | None:
        """The answer to a verb; None when there is no such verb.

        Raises:
            MalformedMessage: the body does not fit the verb.
        """
        if verb in STAFF_COMMANDS:
            return await self._desk.dispatcher.submit(codec.decode(body, STAFF_COMMANDS[verb]), member.actor)  # type: ignore[arg-type]
        match verb:
            case "take_ticket":
                return await self.give_ticket(codec.decode(body, GiveTicket), member)
            case "serve_walk_in":
                return await self.serve_walk_in(codec.decode(body, ServeHere), member)
            case "check_in":
                return await self.check_in(codec.decode(body, CheckInHere), member)
            case "hand_over":
                return await self._desk.hand_over(codec.decode(body, c.HandOver), member.actor)
            case "sell_lease":
                return await self._sales.sell(codec.decode(body, SellHere), member.actor)
            case "post_broadcast":
                return self._counted(await self._broadcasts.post(codec.decode(body, PostBroadcast), member))
            case "end_broadcast":
                return self._counted(await self._broadcasts.end(codec.decode(body, EndBroadcast), member))
            case "print_again":
                return await self.print_again(codec.decode(body, PrintAgain))
            case _:
                return None

    async def give_ticket(self, asked: GiveTicket, member: Member) -> Answer:
        if not self._may_print(asked.print_on):
            return self._unknown_kiosk()
        answer = await self._desk.take_ticket(
            asked.request_id, asked.service, member.actor, _wish(asked), basis=asked.basis
        )
        return await self._with_more(asked, answer, member)

    async def serve_walk_in(self, asked: ServeHere, member: Member) -> Answer:
        if not self._may_print(asked.print_on):
            return self._unknown_kiosk()
        seat = Seat(asked.session, asked.after)
        answer = await self._desk.serve_walk_in(
            asked.request_id, asked.service, seat, member.actor, _wish(asked), basis=asked.basis
        )
        return await self._with_more(asked, answer, member)

    async def _with_more(self, asked: GiveTicket, answer: Answer, member: Member) -> Answer:
        """The ticket's answer, when needs and steps are noted too: once, if asked again, since their ids follow from its own."""
        if isinstance(answer, Done) and asked.needs and answer.reply.outcome == "done":
            needs_id = str(uuid5(UUID(asked.request_id), "needs"))
            spoken = (f"{SPEAKS}{asked.language}",) if asked.language != "es" else ()
            command = c.SetNeeds(request_id=needs_id, ticket_id=asked.request_id, needs=(*asked.needs, *spoken))
            await self._desk.dispatcher.submit(command, member.actor)
        if isinstance(answer, Done) and asked.steps and answer.reply.outcome == "done":
            route_id = str(uuid5(UUID(asked.request_id), "route"))
            steps = tuple(dict.fromkeys(step for step in asked.steps if step != asked.service))
            route = c.PlanRoute(request_id=route_id, ticket_id=asked.request_id, steps=steps)
            await self._desk.dispatcher.submit(route, member.actor)
        return answer

    async def check_in(self, asked: CheckInHere, member: Member) -> Answer:
        shown = _shown(asked)
        if shown is None:
            return self._desk.refused(refuse("malformed"))
        if not self._may_print(asked.print_on):
            return self._unknown_kiosk()
        wish = _wish(asked)
        if asked.scanned is not None and looks_like_slip(asked.scanned.strip()):
            return await self._desk.take_over(asked.request_id, asked.scanned, member.actor, wish)
        return await self._desk.check_in(asked.request_id, shown, member.actor, wish)

    async def print_again(self, asked: PrintAgain) -> PrintJob | Refusal:
        if not self._may_print(asked.print_on):
            return self._unknown_kiosk()
        return await self._desk.print_again(asked.ticket_id, asked.print_on, asked.language)

    def _counted(self, answer: Broadcast | Refusal) -> Broadcast | Refusal:
        return self._desk.refused(answer) if isinstance(answer, Refusal) else answer

    def _may_print(self, device: str | None) -> bool:
        return device is None or device in self._kiosks

    def _unknown_kiosk(self) -> Refusal:
        return self._desk.refused(refuse("malformed"))


def _wish(asked: GiveTicket | CheckInHere) -> Wish:
    return Wish(language=asked.language, print_on=asked.print_on, priority_class=asked.priority_class)


def _shown(asked: CheckInHere) -> Shown | None:
    """How the appointment is looked for; None unless exactly one way was given."""
    ways: list[Shown] = []
    if asked.appointment_id is not None:
        ways.append(Shown("appointment", asked.appointment_id))
    if asked.locator is not None:
        ways.append(Shown("locator", asked.locator))
    if asked.scanned is not None:
        ways.append(Shown("scanned", asked.scanned))
    return ways[0] if len(ways) == 1 else None
