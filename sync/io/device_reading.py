"""What a device hears over its office's LAN, read and judged before anything believes it.

A body is refused whole: other versions, shapes that do not fit, and bodies that name another office or device than their
topic does. A refusal is counted by its code; the topic is logged, the body never.
"""

from __future__ import annotations

from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from sync.io.mqtt import MqttMessage
from sync.messages.codec import MalformedMessage, decode
from sync.messages.topics import Board, DeviceConfig, DeviceResponse, Epoch, V, board_topic, device_topic, epoch_topic

ReadingCode = Literal["malformed", "unsupported_version", "misplaced"]


class Refused(msgspec.Struct, frozen=True):
    """A message that was not for us, or not understood."""

    code: ReadingCode


Reading = Board | Epoch | DeviceConfig | DeviceResponse | Refused


class _Versioned(msgspec.Struct):
    v: int


class Reader:
    """Reads the messages of one kiosk or display."""

    def __init__(self, office: str, device: str) -> None:
        self._office = office
        self._device = device
        self._config_topic = device_topic(office, device, "config")
        self._response_topic = device_topic(office, device, "resp")
        self._epoch_topic = epoch_topic(office)

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """Epoch first: what is fenced shall be known before a board comes. Boards of all zones: config says which is ours."""
        return self._epoch_topic, self._config_topic, self._response_topic, board_topic(self._office, "+")

    def read(self, message: MqttMessage) -> Reading:
        """The message's body, or why not."""
        try:
            return self._read(message.topic, message.payload)
        except MalformedMessage:
            return Refused("malformed")

    def _read(self, topic: str, payload: bytes) -> Reading:
        if decode(payload, _Versioned).v != V:
            return Refused("unsupported_version")
        if topic == self._epoch_topic:
            return self._ours(decode(payload, Epoch))
        if topic == self._config_topic:
            return self._read_config(decode(payload, DeviceConfig))
        if topic == self._response_topic:
            return decode(payload, DeviceResponse)  # type: ignore[arg-type] # a union is a shape too
        board = decode(payload, Board)
        return self._ours(board) if topic.split("/")[3] == board.zone else Refused("misplaced")

    def _read_config(self, config: DeviceConfig) -> Reading:
        if not _is_zone(config.time_zone):
            return Refused("malformed")
        return self._ours(config) if config.device == self._device else Refused("misplaced")

    def _ours(self, body: Board | Epoch | DeviceConfig) -> Reading:
        return body if body.office == self._office else Refused("misplaced")


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # unknown, not a name, a folder
        return False
    return True
