"""The devices of the office: which may speak, how they are, and what they are told to show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from edge_node.metrics import Metrics
from edge_node.queue.state import OfficeState
from edge_node.settings import Device
from sync.domain.office_day import OfficeDay
from sync.messages.topics import DeviceConfig, DeviceStatus, HeldNumbers, ReserveBlock, ServiceTile

Kind = Literal["kiosk", "display"]
KINDS: tuple[Kind, ...] = ("kiosk", "display")


class Devices:
    """Known devices and the last status of each. A device that was never heard of is offline."""

    def __init__(self, known: Iterable[Device], metrics: Metrics) -> None:
        self.known: Mapping[str, Device] = {device.id: device for device in known}
        self._metrics = metrics
        self._status: dict[str, DeviceStatus] = {}
        self._count()

    @property
    def kiosks(self) -> frozenset[str]:
        return frozenset(device.id for device in self.known.values() if device.kind == "kiosk")

    def is_a(self, device: str, kind: Kind) -> bool:
        return device in self.known and self.known[device].kind == kind

    def heard(self, status: DeviceStatus) -> bool:
        """Take a status; whether it says anything new. Of a device of another kind than we know it says nothing."""
        if not self.is_a(status.device, status.kind):
            return False
        before = self._status.get(status.device)
        self._status[status.device] = status
        self._count()
        same = {"at": status.at, "seen_epoch": status.seen_epoch, "seen_seq": status.seen_seq}
        return before is None or msgspec.structs.replace(before, **same) != status

    def numbers(self) -> dict[str, HeldNumbers]:
        """What kiosks that keep a reserve have said of their numbers, by id."""
        return {device: status.numbers for device, status in self._status.items() if status.numbers is not None}

    def lost_all(self) -> None:
        """Without the broker nobody is heard: all are taken as offline until they speak again."""
        self._status = {
            device: msgspec.structs.replace(status, online=False) for device, status in self._status.items()
        }
        self._count()

    def all(self) -> list[DeviceStatus]:
        """The status of every known device, by id."""
        return [
            self._status.get(device.id) or DeviceStatus(device=device.id, kind=device.kind, online=False)
            for device in sorted(self.known.values(), key=lambda d: d.id)
        ]

    def _count(self) -> None:
        for kind in KINDS:
            online = sum(1 for status in self._status.values() if status.kind == kind and status.online)
            self._metrics.devices_online.labels(kind).set(online)


def config_of(device: Device, state: OfficeState, public_url: str) -> DeviceConfig:
    """All that a device shows, from the catalogue."""
    office = state.configuration.catalogue.office
    services = (state.configuration.catalogue.services[s] for s in office.services if s in _offered(state))
    return DeviceConfig(
        office=office.id,
        office_name=office.name,
        device=device.id,
        zone=device.zone,
        time_zone=office.time_zone,
        second_language=office.second_language,
        services=tuple(
            ServiceTile(
                id=s.id,
                names=s.names,
                pictogram=s.pictogram,
                walk_in=s.walk_in,
                zone=state.configuration.zone_of(s.id),
            )
            for s in services
        ),
        printer_profile=device.printer_profile,
        public_url=public_url,
        version=state.tail.seq,
        reserve=_reserve(device.id, state.day),
    )


def _reserve(device: str, day: OfficeDay) -> ReserveBlock | None:
    """What is left of a kiosk's block: a kiosk that lost its memory gives nothing again that it has told of."""
    block = day.reserves.get(device)
    if block is None or not day.is_open:
        return None
    first = max(block.first, day.last_numbers.get(block.series, 0) + 1)
    if first > block.last:
        return None
    return ReserveBlock(service_date=block.service_date, series=block.series, first=first, last=block.last)


def _offered(state: OfficeState) -> Mapping[str, object]:
    return state.configuration.catalogue.services
