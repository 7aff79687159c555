"""What is amiss around the queue and a clerk should know: the link to central, devices, paper."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from edge_node.console.bar_view import Waiting, waiting_texts
from edge_node.queue.state import OfficeState
from edge_node.uplink.link import LinkState
from sync.domain.parked import ParkedAlert, Returned
from sync.domain.ticket import SupportAnswer, SupportCall
from sync.messages.topics import DeviceStatus
from ui.catalog import Words
from ui.formats import clock, listed

NoticeKind = Literal["late", "plain", "stop", "ok"]
PARK_REASONS = ("papers", "form", "payment", "company", "inquiry", "other")
SENDING_FROM = 20
"""While connected, facts on their way are no news; a heap of them after a cut is."""


class Notice(msgspec.Struct, frozen=True):
    """A line in the column of the day.

    Args:
        verb, fields, act: a form that answers it, and the words of its button.
        about: what it is about; the same as long as it stands.
    """

    kind: NoticeKind
    text: str
    verb: str = ""
    fields: Mapping[str, str] = {}
    act: str = ""
    about: str = ""


class Reader(msgspec.Struct, frozen=True):
    """Who is told, and in which words.

    Args:
        names: the name of a clerk, by staff id.
    """

    staff_id: str
    names: Callable[[str], str]
    words: Words
    zone: ZoneInfo


def link_key(link: LinkState | None) -> str:
    """The text of the discreet banner about central; empty when there is nothing to say. The node may work alone."""
    if link is None:
        return ""
    if not link.connected:
        return "console.news.offline"
    if link.report_due and not link.fenced_by:
        return "console.news.reporting"
    return "console.news.sending" if link.pending_facts >= SENDING_FROM else ""


def standing_key(state: OfficeState) -> str:
    """The text of the banner that says that nothing can be done here; empty while this node holds its office."""
    if state.standing.is_fenced:
        return "console.standing.fenced"
    if state.standing.is_rolled_back:
        return "console.standing.rolled_back"
    if state.disk_full:
        return "console.standing.disk"
    return "console.standing.date" if state.doubt(state.now()) is not None else ""


def of_devices(devices: Iterable[DeviceStatus], words: Words) -> list[Notice]:
    """One notice per device that needs somebody."""
    known = list(devices)
    notices = [Notice("late", text) for device in known if (text := _device_text(device, words))]
    return notices + [notice for device in known for notice in _of_reserve(device, words)]


def _of_reserve(device: DeviceStatus, words: Words) -> list[Notice]:
    """Tickets that a kiosk gave by itself and that stand in no queue, yet or for good."""
    held, notices = device.numbers, []
    if held is not None and held.untold:
        notices.append(Notice("plain", words.text("console.news.reserve", kiosk=device.device, n=held.untold)))
    if held is not None and held.refused:
        codes = ", ".join(held.refused)
        notices.append(Notice("late", words.text("console.news.reserve.refused", kiosk=device.device, codes=codes)))
    return notices


def of_tickets(not_printed: tuple[str, ...], to_verify: tuple[str, ...], words: Words) -> list[Notice]:
    """Waiting people without paper, and bookings that nobody has seen yet."""
    notices = []
    if not_printed:
        notices.append(Notice("late", words.text("console.news.not_printed", codes=", ".join(not_printed))))
    if to_verify:
        notices.append(Notice("plain", words.text("console.news.to_verify", codes=", ".join(to_verify))))
    return notices


def of_parked(alerts: Iterable[ParkedAlert], to: Reader) -> list[Notice]:
    """Parked tickets that are due; a supervisor reads whose they are."""
    return [_of_alert(alert, to) for alert in alerts]


def of_returned(back: Iterable[Returned], to: Reader) -> list[Notice]:
    """People whom this clerk had set aside and who wait again by themselves."""
    told = "console.news.returned"
    return [Notice("plain", to.words.text(told, code=each.label, time=clock(each.at, to.zone))) for each in back]


def _of_alert(alert: ParkedAlert, to: Reader) -> Notice:
    key = "console.news.parked" if alert.parked_by == to.staff_id else "console.news.parked.of"
    text = to.words.text(
        key,
        code=alert.label,
        who=to.names(alert.parked_by),
        since=clock(alert.parked_at, to.zone),
        reason=park_reason(alert.reason, to.words),
    )
    fields = {"ticket_id": alert.ticket_id}
    return Notice("late", text, "resume", fields, to.words.text("console.resume"), f"parked-{alert.ticket_id}")


def of_support(calls: Iterable[SupportCall], answer: SupportAnswer | None, to: Reader) -> list[Notice]:
    """Colleagues who want somebody to come, with a way to say that one does; and to who asked, who comes."""
    notices = [_of_call(call, to) for call in calls]
    if answer is not None:
        key = "console.news.support.comes" if answer.counter else "console.news.support.comes.free"
        who, counter = to.names(answer.staff_id), answer.counter or ""
        notices.append(Notice("ok", to.words.text(key, who=who, counter=counter)))
    return notices


def _of_call(call: SupportCall, to: Reader) -> Notice:
    words, fields, about = to.words, {"support_id": call.support_id}, f"support-{call.support_id}"
    time, urgent = clock(call.asked_at, to.zone), call.urgency == "panic"
    if call.staff_id == to.staff_id:
        text = words.text("console.news.support.mine", time=time)
        return Notice("plain", text, "answer_support", fields, words.text("console.support.over"), about)
    key = "console.news.panic" if urgent else "console.news.support"
    where = (
        words.text("console.desk.one", counter=call.counter) if call.counter else words.text("console.support.nowhere")
    )
    text = words.text(key, where=where, who=to.names(call.staff_id), time=time)
    return Notice("stop" if urgent else "late", text, "answer_support", fields, words.text("console.support.go"), about)


def park_reason(reason: str, words: Words) -> str:
    """Why a ticket is set aside; a reason that this build has no words for is another one."""
    known = reason if reason in PARK_REASONS else "other"
    return words.text(f"console.park.{known}")


def of_sold(count: int, words: Words) -> list[Notice]:
    """Appointments that were sold here and that central has not told of yet."""
    return [Notice("plain", words.text("console.news.sold", n=count))] if count else []


def of_unattended(services: tuple[Waiting, ...], words: Words) -> list[Notice]:
    """People who wait for services that no counter at work serves; one notice for all of them."""
    if not services:
        return []
    return [
        Notice("late", words.text("console.news.unattended", services=listed(waiting_texts(services, words), words)))
    ]


def _device_text(device: DeviceStatus, words: Words) -> str:
    if device.kind == "display":
        return "" if device.online else words.text("console.news.screen.of", screen=device.device)
    if not device.online:
        return words.text("console.news.kiosk.of", kiosk=device.device)
    match device.printer:
        case "no_paper":
            return words.text("console.news.paper", kiosk=device.device)
        case "near_end":
            return words.text("console.news.paper.low", kiosk=device.device)
        case "offline":
            return words.text("console.news.printer", kiosk=device.device)
        case _:
            return ""
