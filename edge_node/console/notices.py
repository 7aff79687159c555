"""What is amiss around the queue and a clerk should know: the link to central, devices, paper."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from edge_node.queue.state import OfficeState
from edge_node.uplink.link import LinkState
from sync.messages.topics import DeviceStatus
from ui.catalog import Words

NoticeKind = Literal["late", "plain"]
SENDING_FROM = 20
"""While connected, facts on their way are no news; a heap of them after a cut is."""


class Notice(msgspec.Struct, frozen=True):
    kind: NoticeKind
    text: str


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


def of_sold(count: int, words: Words) -> list[Notice]:
    """Appointments that were sold here and that central has not told of yet."""
    return [Notice("plain", words.text("console.news.sold", n=count))] if count else []


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
