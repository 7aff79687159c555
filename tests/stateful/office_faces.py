"""The two faces of an office's node: the console's commands over HTTP, and a kiosk's over MQTT."""

from __future__ import annotations

import json
import queue
import time
from typing import Any, Self

import httpx
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from sync.io.ids import new_id
from sync.messages import topics as t
from tests.kit.edge import OFFICE
from tests.kit.edge_process import Browser

KIOSK = "kiosk-1"
RESEND_S = 1.0
ANSWER_S = 15.0
AGAIN_S = 0.05


class Console(Browser):
    """A clerk's browser, which asks again when a node that is coming up says so."""

    def __init__(self, url: str, staff_id: str) -> None:
        super().__init__(url)
        self.staff_id = staff_id
        assert self.sign_in(staff_id).status_code == 200

    def command(self, verb: str, request_id: str | None = None, **fields: Any) -> tuple[dict[str, Any], httpx.Response]:
        """What was asked, and its answer."""
        body = {"request_id": request_id or new_id(), **fields}
        return body, self.post(f"/api/v1/commands/{verb}", body)

    def __enter__(self) -> Self:
        return self

    def queue(self) -> dict[str, Any]:
        reply = self.http.get("/api/v1/queue")
        assert reply.status_code == 200, reply.text
        return dict(reply.json())


class KioskOnTheLan:
    """A kiosk's place on the broker: says commands until they are answered, and keeps the last board."""

    def __init__(self, port: int) -> None:
        self.board: dict[str, Any] = {}
        self._answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_connect = self._connected
        self._client.on_message = self._heard
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send a command, again and again like any kiosk, until its answer comes."""
        end = time.monotonic() + ANSWER_S
        payload = json.dumps({"v": 1, "device": KIOSK, **message})
        while time.monotonic() < end:
            self._client.publish(t.device_topic(OFFICE, KIOSK, "cmd"), payload, qos=1)
            again = time.monotonic() + RESEND_S
            while (left := again - time.monotonic()) > 0:
                try:
                    answer = self._answers.get(timeout=left)
                except queue.Empty:
                    break
                if answer.get("request_id") == message["request_id"]:
                    return answer
        raise AssertionError(f"no answer to {message}")

    def shows(self, calls: set[str], within_s: float = 10.0) -> None:
        """The board has these calls and no others, now or soon."""
        end = time.monotonic() + within_s
        while (shown := {call["ticket_id"] for call in self.board.get("calls", ())}) != calls:
            assert time.monotonic() < end, f"the board shows {shown} and not {calls}"
            time.sleep(AGAIN_S)

    def leave(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, client: Client, *_: Any) -> None:
        client.subscribe([(t.device_topic(OFFICE, KIOSK, "resp"), 1), (t.board_topic(OFFICE, "a"), 1)])

    def _heard(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        said = json.loads(message.payload)
        if message.topic == t.board_topic(OFFICE, "a"):
            self.board = said
        elif said.get("type") == "reply":
            self._answers.put(said)
