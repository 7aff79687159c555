"""The settings of a kiosk: ``kiosk.toml`` and the environment. Only what stands on this machine; everything that people see
comes from the office (``sync.messages.topics.DeviceConfig``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from provisioning.logs import Format, Level
from sync.io.mqtt import MqttSettings
from sync.messages.values import Slug

Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of all tables: an unknown key is an error that names it."""


class Device(Section, frozen=True, kw_only=True):
    """Who this kiosk is."""

    office: Slug
    id: Slug


class Printer(Section, frozen=True, kw_only=True):
    """The ticket printer.

    Args:
        kind: how it is connected; ``none``: labels are only shown.
        path, baud, flow: of a serial line.
        host, port: of a network printer.
        profile: capability profile of the model in python-escpos.
        code_page: the Latin code page that the model really has.
        width_dots: printable width at 203 dpi: 576 on 80 mm paper, 384 on 58 mm.
        raster: print pictures instead of the printer's own letters; left out: on the network yes, on a serial line no.
            Arabic is a picture always.
        answers: the model answers status questions (DLE EOT); without it paper is hoped for, not known.
        confirms: the model answers GS r after what it has printed, which proves that it took all of it.
        timeout_s: to connect, and for one answer.
        print_timeout_s: for one whole ticket.
    """

    kind: Literal["serial", "network", "none"] = "none"
    path: str = ""
    baud: Annotated[int, msgspec.Meta(ge=1200, le=921600)] = 115200
    flow: Literal["dsrdtr", "rtscts", "xonxoff", "none"] = "none"
    host: str = "127.0.0.1"
    port: Port = 9100
    profile: str = "default"
    code_page: str = "CP858"
    width_dots: Annotated[int, msgspec.Meta(ge=256, le=832)] = 576
    raster: bool | None = None
    answers: bool = True
    confirms: bool = True
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=30)] = 2.0
    print_timeout_s: Annotated[float, msgspec.Meta(gt=0, le=120)] = 20.0

    @property
    def prints_raster(self) -> bool:
        return self.kind == "network" if self.raster is None else self.raster


class Scanner(Section, frozen=True, kw_only=True):
    """The code reader on a serial line; an empty path: none."""

    path: str = ""
    baud: Annotated[int, msgspec.Meta(ge=1200, le=921600)] = 9600


class Http(Section, frozen=True, kw_only=True):
    """Where the kiosk's own browser finds its page. Never another machine's business."""

    host: str = "127.0.0.1"
    port: Port = 8041


class Log(Section, frozen=True, kw_only=True):
    level: Level = "info"
    form: Format = "auto"


class Settings(Section, frozen=True, kw_only=True):
    """``kiosk.toml``.

    Args:
        data: the folder of the spool, kept over restarts.
        strict_texts: a missing text is an error (development) instead of Spanish and a line in the log.
    """

    device: Device
    data: Path = Path("kiosk-data")
    broker: MqttSettings = MqttSettings()
    printer: Printer = Printer()
    scanner: Scanner = Scanner()
    http: Http = Http()
    log: Log = Log()
    strict_texts: bool = False
