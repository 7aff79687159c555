"""The transitions: one table from (screen, event) to what comes next, and the few rules that hold on every screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from kiosk_agent.machine import events as e
from kiosk_agent.machine import screens as s
from kiosk_agent.machine.given import Offer, slip_of, tale_of
from kiosk_agent.machine.replies import screen_for
from kiosk_agent.machine.timing import is_done, over
from sync.domain.check_in import LOCATOR_ALPHABET
from sync.messages.topics import KioskCheckIn, KioskCommand, KioskReprint, KioskTakeTicket
from sync.messages.values import Language, Slug


class Step(msgspec.Struct, frozen=True):
    """The kiosk after an event, and what is to be done, in this order, once it is saved."""

    kiosk: s.Kiosk
    effects: tuple[e.Effect, ...] = ()


def step(kiosk: s.Kiosk, event: e.Event, *, now_s: float, device: Slug) -> Step:
    """What follows from an event.

    Args:
        now_s: monotonic seconds.
        device: this kiosk's id, for the requests it makes.
    """
    if isinstance(event, e.Touch):
        kiosk = msgspec.structs.replace(kiosk, touched_at_s=now_s)
    everywhere = _EVERYWHERE.get(type(event))
    if everywhere is not None:
        return _appeared(kiosk, everywhere(kiosk, event, now_s, device), now_s)
    here = _HERE.get((type(kiosk.screen), type(event)))
    if here is None:
        return Step(kiosk)
    return _appeared(kiosk, here(kiosk, kiosk.screen, event, device), now_s)


def resume(kiosk: s.Kiosk, command: KioskCommand, *, now_s: float) -> Step:
    """Go on with a request that was under way when the process died: somebody may be waiting for its ticket."""
    present = msgspec.structs.replace(kiosk, touched_at_s=now_s)
    if not isinstance(command, KioskReprint):
        chosen = not isinstance(command, KioskCheckIn) or command.language_chosen
        present = msgspec.structs.replace(present, language=command.language, language_chosen=chosen)
    return _appeared(kiosk, _ask(present, command, asked_by(command)), now_s)


def asked_by(command: KioskCommand) -> s.Asked:
    """What a request asks for."""
    return _ASKED[type(command)]


def _appeared(before: s.Kiosk, after: Step, now_s: float) -> Step:
    if type(after.kiosk.screen) is type(before.screen):
        return after
    kiosk = msgspec.structs.replace(after.kiosk, shown_at_s=now_s, serial=before.serial + 1)
    if (
        isinstance(kiosk.screen, s.Home) and not kiosk.language_chosen
    ):  # a booking's language ends where the next begins
        kiosk = msgspec.structs.replace(kiosk, language="es")
    return Step(kiosk, after.effects)


def _show(kiosk: s.Kiosk, screen: s.AnyScreen, *effects: e.Effect) -> Step:
    return Step(msgspec.structs.replace(kiosk, screen=screen), effects)


def _ask(kiosk: s.Kiosk, command: KioskCommand, asked: s.Asked) -> Step:
    return _show(kiosk, s.Asking(command.request_id, asked), e.Send(command))


def _give(kiosk: s.Kiosk, asked: KioskTakeTicket, offer: Offer) -> Step:
    if asked.service not in offer.names:  # the office offers it no more
        return _show(kiosk, s.Problem("desk", request_id=asked.request_id))
    slip = slip_of(offer, asked)
    return _show(kiosk, s.Ticket(slip), e.Give(tale_of(offer, asked), slip))


def _wiped(kiosk: s.Kiosk) -> s.Kiosk:
    """The same kiosk with nobody in front of it."""
    return msgspec.structs.replace(kiosk, screen=s.Home(), language="es", language_chosen=False, comfort=s.Comfort())


# On every screen


def _start_over(kiosk: s.Kiosk, _event: e.StartOver, _now_s: float, _device: Slug) -> Step:
    # A request under way is not taken back by leaving: its answer still finds its screen.
    return Step(kiosk) if isinstance(kiosk.screen, s.Asking) else Step(_wiped(kiosk))


def _tick(kiosk: s.Kiosk, _event: e.Tick, now_s: float, _device: Slug) -> Step:
    if not over(kiosk, now_s):
        return Step(kiosk)
    if isinstance(kiosk.screen, s.Asking):
        return _show(kiosk, s.Problem("desk", request_id=kiosk.screen.request_id))
    return Step(_wiped(kiosk))


def _configured(kiosk: s.Kiosk, event: e.Configured, _now_s: float, _device: Slug) -> Step:
    known = msgspec.structs.replace(kiosk, services=event.services, languages=event.languages, unsure=event.unsure)
    screen = kiosk.screen
    if isinstance(screen, s.Confirm) and screen.service not in known.offered:
        return _show(known, s.Services())
    if isinstance(screen, s.Services) and screen.page * s.TILES >= max(1, len(event.services)):
        return _show(known, s.Services())
    return Step(known)


def _edge_heard(kiosk: s.Kiosk, event: e.EdgeHeard, _now_s: float, _device: Slug) -> Step:
    return Step(msgspec.structs.replace(kiosk, edge_heard=event.heard))


def _reserve_stands(kiosk: s.Kiosk, event: e.ReserveStands, _now_s: float, _device: Slug) -> Step:
    return Step(msgspec.structs.replace(kiosk, reserve=event.stands))


def _choose_language(kiosk: s.Kiosk, event: e.ChooseLanguage, _now_s: float, _device: Slug) -> Step:
    if event.language not in kiosk.languages:
        return Step(kiosk)
    return Step(msgspec.structs.replace(kiosk, language=event.language, language_chosen=True))


def _switch_comfort(kiosk: s.Kiosk, event: e.SwitchComfort, _now_s: float, _device: Slug) -> Step:
    switched = {event.what: not getattr(kiosk.comfort, event.what)}
    return Step(msgspec.structs.replace(kiosk, comfort=msgspec.structs.replace(kiosk.comfort, **switched)))


def _scanned(kiosk: s.Kiosk, event: e.Scanned, _now_s: float, device: Slug) -> Step:
    if isinstance(kiosk.screen, s.Asking) or (isinstance(kiosk.screen, s.Ticket) and not is_done(kiosk)):
        return Step(kiosk)  # a code held before the glass is read again and again
    visitor = _wiped(kiosk) if is_done(kiosk) else kiosk
    command = KioskCheckIn(
        request_id=event.request_id,
        device=device,
        scanned=event.text,
        language=visitor.language,
        language_chosen=visitor.language_chosen,
    )
    return _ask(visitor, command, "check_in")


def _replied(kiosk: s.Kiosk, event: e.Replied, _now_s: float, _device: Slug) -> Step:
    reply, reprint = event.reply, event.asked == "reprint"
    if not _waits_for(kiosk, reply.request_id):
        left_behind = reply.slip if reply.refusal is None and not reprint else None
        if left_behind is None:
            return Step(kiosk)
        return Step(kiosk, (e.LeaveUnprinted(left_behind.ticket_id, reply.request_id),))
    screen = screen_for(reply, reprint=reprint)
    if isinstance(screen, s.Ticket | s.AlreadyIn):
        kiosk = _speaking(kiosk, screen.slip.language)
    if isinstance(screen, s.Ticket):
        slip = screen.slip  # in the language of the booking, until the person before the screen chooses one
        if kiosk.language_chosen:
            slip = msgspec.structs.replace(slip, language=kiosk.language)
        return _show(kiosk, s.Ticket(slip, reprint=reprint), e.Print(reply.request_id, slip, reprint=reprint))
    return _show(kiosk, screen)


def _speaking(kiosk: s.Kiosk, language: Language) -> s.Kiosk:
    """The screen in the language of the paper; what the person chose here stands above it."""
    if kiosk.language_chosen or language not in kiosk.languages:
        return kiosk
    return msgspec.structs.replace(kiosk, language=language)


def _waits_for(kiosk: s.Kiosk, request_id: str) -> bool:
    return isinstance(kiosk.screen, s.Asking | s.Problem) and kiosk.screen.request_id == request_id


def _no_reply(kiosk: s.Kiosk, event: e.NoReply, _now_s: float, _device: Slug) -> Step:
    if not _waits_for(kiosk, event.request_id):
        return Step(kiosk)
    if isinstance(event.command, KioskTakeTicket) and event.offer is not None:
        return _give(kiosk, event.command, event.offer)
    unchecked = isinstance(event.command, KioskCheckIn) and kiosk.reserve == "ready"
    return _show(kiosk, s.Problem("unchecked" if unchecked else "desk", request_id=event.request_id))


def _print_ended(kiosk: s.Kiosk, event: e.PrintEnded, now_s: float, _device: Slug) -> Step:
    screen = kiosk.screen
    if not isinstance(screen, s.Ticket) or screen.slip.ticket_id != event.ticket_id:
        return Step(kiosk)
    return _show(kiosk, msgspec.structs.replace(screen, paper=event.paper, settled_at_s=now_s))


_EVERYWHERE: dict[type, Callable[[s.Kiosk, Any, float, Slug], Step]] = {
    e.StartOver: _start_over,
    e.Tick: _tick,
    e.Configured: _configured,
    e.EdgeHeard: _edge_heard,
    e.ReserveStands: _reserve_stands,
    e.ChooseLanguage: _choose_language,
    e.SwitchComfort: _switch_comfort,
    e.Scanned: _scanned,
    e.Replied: _replied,
    e.NoReply: _no_reply,
    e.PrintEnded: _print_ended,
}


# On one screen


def _home(kiosk: s.Kiosk, _screen: s.AnyScreen, _event: e.Touch, _device: Slug) -> Step:
    return Step(_wiped(kiosk))


def _home_same_person(kiosk: s.Kiosk, _screen: s.AnyScreen, _event: e.Touch, _device: Slug) -> Step:
    return _show(kiosk, s.Home())


def _to_code(kiosk: s.Kiosk, _screen: s.AnyScreen, _event: e.Touch, _device: Slug) -> Step:
    return _show(kiosk, s.EnterCode())


def _to_services(kiosk: s.Kiosk, _screen: s.AnyScreen, _event: e.Touch, _device: Slug) -> Step:
    return _show(kiosk, s.Services()) if kiosk.offered else Step(kiosk)


def _more(kiosk: s.Kiosk, screen: s.Services, _event: e.MoreServices, _device: Slug) -> Step:
    further = (screen.page + 1) * s.TILES < len(kiosk.services)
    return _show(kiosk, s.Services(screen.page + 1)) if further else Step(kiosk)


def _fewer(kiosk: s.Kiosk, screen: s.Services, _event: e.Back, _device: Slug) -> Step:
    return _show(kiosk, s.Services(screen.page - 1) if screen.page else s.Home())


def _choose(kiosk: s.Kiosk, screen: s.Services, event: e.ChooseService, _device: Slug) -> Step:
    if event.service not in kiosk.offered:
        return Step(kiosk)
    return _show(kiosk, s.Confirm(event.service, screen.page))


def _unchoose(kiosk: s.Kiosk, screen: s.Confirm, _event: e.Back, _device: Slug) -> Step:
    return _show(kiosk, s.Services(screen.page))


def _take(kiosk: s.Kiosk, screen: s.Confirm, event: e.TakeTicket, device: Slug) -> Step:
    command = KioskTakeTicket(
        request_id=event.request_id, device=device, service=screen.service, language=kiosk.language
    )
    if kiosk.reserve == "ready" and event.offer is not None:
        return _give(kiosk, command, event.offer)
    return _ask(kiosk, command, "ticket")


def _type(kiosk: s.Kiosk, screen: s.EnterCode, event: e.TypeLetter, _device: Slug) -> Step:
    letter = event.letter.upper()
    if screen.complete or len(letter) != 1 or letter not in LOCATOR_ALPHABET:
        return Step(kiosk)
    return _show(kiosk, s.EnterCode(screen.typed + letter))


def _erase(kiosk: s.Kiosk, screen: s.EnterCode, _event: e.EraseLetter, _device: Slug) -> Step:
    return _show(kiosk, s.EnterCode(screen.typed[:-1]))


def _send_code(kiosk: s.Kiosk, screen: s.EnterCode, event: e.SendCode, device: Slug) -> Step:
    if not screen.complete:
        return Step(kiosk)
    command = KioskCheckIn(
        request_id=event.request_id,
        device=device,
        locator=screen.typed,
        language=kiosk.language,
        language_chosen=kiosk.language_chosen,
    )
    return _ask(kiosk, command, "check_in")


def _reprint(kiosk: s.Kiosk, screen: s.AlreadyIn, event: e.AskReprint, device: Slug) -> Step:
    command = KioskReprint(request_id=event.request_id, device=device, ticket_id=screen.slip.ticket_id)
    return _ask(kiosk, command, "reprint")


_HERE: dict[tuple[type, type], Callable[[s.Kiosk, Any, Any, Slug], Step]] = {
    (s.Home, e.WithAppointment): _to_code,
    (s.Home, e.WithoutAppointment): _to_services,
    (s.Services, e.ChooseService): _choose,
    (s.Services, e.MoreServices): _more,
    (s.Services, e.Back): _fewer,
    (s.Confirm, e.TakeTicket): _take,
    (s.Confirm, e.Back): _unchoose,
    (s.EnterCode, e.TypeLetter): _type,
    (s.EnterCode, e.EraseLetter): _erase,
    (s.EnterCode, e.SendCode): _send_code,
    (s.EnterCode, e.WithoutAppointment): _to_services,
    (s.EnterCode, e.Back): _home_same_person,
    (s.AlreadyIn, e.AskReprint): _reprint,
    (s.AlreadyIn, e.Back): _home_same_person,
    (s.Problem, e.WithAppointment): _to_code,
    (s.Problem, e.WithoutAppointment): _to_services,
    (s.Problem, e.Back): _home_same_person,
    (s.Ticket, e.Back): _home,
}

_ASKED: dict[type, s.Asked] = {KioskTakeTicket: "ticket", KioskCheckIn: "check_in", KioskReprint: "reprint"}
