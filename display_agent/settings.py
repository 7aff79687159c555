"""What a display's own file says: who it is, where its broker is, its hardware. All else comes from the edge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from provisioning.logs import Format, Level
from sync.io.mqtt import MqttSettings
from sync.messages.values import Slug


class Device(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The identity given at installation.

    Args:
        zone: whose calls to show until the edge's config has come for the first time.
    """

    office: Slug
    id: Slug
    zone: Slug | None = None


class Http(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the page is served; the browser runs on the same machine."""

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8051


class Log(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    level: Level = "info"
    form: Format = "auto"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`display.toml`.

    Args:
        spool: SQLite file of what must outlive a restart.
        strict_texts: a missing text is an error (development) instead of Spanish and a line in the log.
    """

    device: Device
    broker: MqttSettings = MqttSettings()
    http: Http = Http()
    log: Log = Log()
    spool: Path = Path("display.db")
    strict_texts: bool = False
