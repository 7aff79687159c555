"""What comes in over the LAN, read and judged before anything believes it.

A body is refused whole: another version, a shape that does not fit, or a body that names another office or device than
its topic does. The code is counted and logged, the body never.
"""

from __future__ import annotations

from typing import Literal
from zoneinfo import available_timezones

import msgspec

from sync.io.mqtt import MqttMessage
from sync.messages.codec import MalformedMessage, decode
from sync.messages.topics import Board, DeviceConfig, DeviceResponse, Epoch, V, device_topic, epoch_topic

RefusedCode = Literal["malformed", "unsupported_version", "misplaced"]


class Refused(msgspec.Struct, frozen=True):
    code: RefusedCode


Reading = Board | Epoch | DeviceConfig | DeviceResponse | Refused


class _Versioned(msgspec.Struct):
    v: int


class Reader:
    """Reads the messages of one kiosk."""

    def __init__(self, office: str, device: str) -> None:
        self._office = office
        self._device = device
        self._config = device_topic(office, device, "config")
        self._responses = device_topic(office, device, "resp")
        self._epoch = epoch_topic(office)

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """Epoch first: what is fenced shall be known before a board comes. All zones: config says which is ours."""
        return self._epoch, self._config, self._responses, f"o/{self._office}/zone/+/board"

    def read(self, message: MqttMessage) -> Reading:
        """The message's body, or why not."""
        try:
            return self._read(message.topic, message.payload)
        except MalformedMessage:
            return Refused("malformed")

    def _read(self, topic: str, payload: bytes) -> Reading:
        if decode(payload, _Versioned).v != V:
            return Refused("unsupported_version")
        if topic == self._responses:
            return decode(payload, DeviceResponse)  # type: ignore[arg-type] # a union is a shape too
        if topic == self._config:
            return self._own_config(decode(payload, DeviceConfig))
        if topic == self._epoch:
            return self._ours(decode(payload, Epoch))
        board = decode(payload, Board)
        return self._ours(board) if topic.split("/")[3] == board.zone else Refused("misplaced")

    def _own_config(self, config: DeviceConfig) -> Reading:
        if config.time_zone not in available_timezones():
            return Refused("malformed")
        return self._ours(config) if config.device == self._device else Refused("misplaced")

    def _ours(self, body: Board | Epoch | DeviceConfig) -> Reading:
        return body if body.office == self._office else Refused("misplaced")
