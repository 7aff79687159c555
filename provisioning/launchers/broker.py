"""An MQTT 5 broker of its own: for the demo, tests and benches. Production names an external one by its address.

    with Broker(Path("run/broker"), port=18831) as broker:
        aiomqtt.Client(broker.host, broker.port, ...)

mosquitto where it is installed, else rumqttd from the wheel `iotcore`. Both are stateless pipes here: nothing survives a
restart, and nothing of ours may count on it. Anybody on this machine may connect; certificates and the topic ACL belong to
production's broker.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal, Self

from provisioning.launchers.ports import free_port, is_listening, require_free
from provisioning.launchers.process import Child

Program = Literal["mosquitto", "rumqttd"]

MAX_PACKET_BYTES: Final = 262_144
_SYSTEM_FOLDERS: Final = "/usr/local/sbin:/usr/sbin"  # not on a plain user's PATH

# TCP_NODELAY: without it each small packet waits for the other side's delayed acknowledgement, about 40 ms.
_MOSQUITTO: Final = """\
listener {port} {host}
allow_anonymous true
persistence false
set_tcp_nodelay true
max_packet_size {max_packet_bytes}
log_dest stderr
log_type error
log_type warning
log_type notice
connection_messages false
"""

# Started by root it becomes somebody else, and the kernel then forgets that it should go when its parent dies.
_MOSQUITTO_AS_WE: Final = "user root\n"

# rumqttd wants every key.
_RUMQTTD: Final = """\
id = 0
[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10
[v5.1]
name = "v5"
listen = "{host}:{port}"
next_connection_delay_ms = 1
  [v5.1.connections]
  connection_timeout_ms = 60000
  max_payload_size = {max_packet_bytes}
  max_inflight_count = 100
  dynamic_filters = true
"""


class BrokerNotFound(Exception):
    """There is no broker here; the text says how to get one."""


def available() -> Iterator[Program]:
    """The broker programs that this machine has, the preferred one first."""
    if _mosquitto():
        yield "mosquitto"
    if find_spec("iotcore"):
        yield "rumqttd"


class Broker:
    """One broker process."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        program: Program | None = None,
        dies_with_us: bool = False,
    ) -> None:
        """Nothing runs yet.

        Args:
            folder: gets its configuration and log.
            port: 0 takes a free one, kept over restarts.
            program: the first of `available()` if none.
            dies_with_us: see `Child`.

        Raises:
            BrokerNotFound: the wanted program, or any, is not here.
        """
        here = list(available())
        if not here or (program and program not in here):
            raise BrokerNotFound(
                f"There is no MQTT broker here{f' called {program}' if program else ''}. Either Debian's 'mosquitto', "
                "or 'pip install iotcore' (in the extra 'embedded')."
            )
        self.program: Program = program or here[0]
        self.host = host
        self._dies_with_us = dies_with_us
        self.port = port or free_port(host)
        # rumqttd tells the format by the ending.
        self._config = folder.resolve() / ("rumqttd.toml" if self.program == "rumqttd" else "mosquitto.conf")
        self._child = Child(
            self.program,
            self._command(),
            log=folder.resolve() / f"{self.program}.log",
            ready=lambda: is_listening(self.host, self.port),
            dies_with_us=dies_with_us,
        )

    @property
    def is_running(self) -> bool:
        """Whether the broker's process runs."""
        return self._child.is_running

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._child.pid

    @property
    def exit_code(self) -> int | None:
        """Of the last run, as `Child.exit_code`."""
        return self._child.exit_code

    @property
    def log(self) -> Path:
        """What it writes."""
        return self._child.log

    def start(self) -> Self:
        """Start it and return when it accepts connections.

        Raises:
            PortTaken: somebody else listens there.
            StartFailed: it ended or did not come up; has the end of its log.
        """
        if self.is_running:
            return self
        require_free(self.host, self.port, f"the MQTT broker ({self.program})")
        self._config.parent.mkdir(parents=True, exist_ok=True)
        template = _MOSQUITTO if self.program == "mosquitto" else _RUMQTTD
        text = template.format(host=self.host, port=self.port, max_packet_bytes=MAX_PACKET_BYTES)
        if self._dies_with_us and self.program == "mosquitto" and os.geteuid() == 0:
            text += _MOSQUITTO_AS_WE
        self._config.write_text(text, "utf-8")
        self._child.start()
        return self

    def revive(self) -> None:
        """Start it again after it ended by itself."""
        self.start()

    def stop(self) -> None:
        """End it; connected clients see their connection close."""
        self._child.stop()

    def kill(self) -> None:
        """`kill -9`."""
        self._child.kill()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _command(self) -> list[str | Path]:
        if self.program == "mosquitto":
            return [_mosquitto() or "mosquitto", "-c", self._config]
        return [sys.executable, "-m", "iotcore", "--config", self._config, "--log-level", "WARNING"]


def _mosquitto() -> str | None:
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=_SYSTEM_FOLDERS)
