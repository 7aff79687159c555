"""The settings of an edge node: ``edge.toml``, then the environment over it. See ``provisioning.settings``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from provisioning.failpoints import require_none
from provisioning.logs import Format, Level
from provisioning.settings import SettingsError, load
from sync.io.single_sign_on.settings import SingleSignOn
from sync.messages.values import Slug

Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class Office(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose queue this node holds.

    Args:
        id: the office, as central knows it.
        node: this installation, as enrolled at central.
        time_zone: the zone of service days and hours.
    """

    id: Slug
    node: Slug
    time_zone: str = "Africa/Ceuta"


class Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where this node keeps what it has.

    Args:
        folder: holds the database and everything else; one process at a time owns it.
        anchor_file: how far the journal went, to find out when the database was put back from an image. Best where backups and
            images of the folder do not reach; none: ``anchor.json`` in the folder.
        ballast_mib: size of a file that only takes room, to be given up when the disk is full; 0: none.
    """

    folder: Path
    anchor_file: Path | None = None
    ballast_mib: Annotated[int, msgspec.Meta(ge=0, le=4096)] = 64


class Copies(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Copies of the database, for the day when its disk dies and central could not be told everything.

    Args:
        folder: where they stand, on another disk than the database; none: no copies are made.
        every_min: minutes between two.
        keep: how many stay.
    """

    folder: Path | None = None
    every_min: Annotated[int, msgspec.Meta(ge=5, le=1440)] = 60
    keep: Annotated[int, msgspec.Meta(ge=1, le=240)] = 24


class Central(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The city's central.

    Args:
        url: where the node finds central; empty: it works alone.
        public_url: where citizens find central; the progress page of a slip is ``{public_url}/t/{code}``.
        node_key_file: private Ed25519 key (PEM) that signs this node's requests.
        activation_file: central's signed word that this node speaks for its office, and from which epoch on; a new data folder
            takes its epoch from it. None: the first node of an office, epoch 1.
        ca_file: certificates that central's address is trusted by; none: the system's.
    """

    url: str = ""
    public_url: str = ""
    node_key_file: Path | None = None
    activation_file: Path | None = None
    ca_file: Path | None = None


class Broker(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The LAN's MQTT broker. ``port = 0`` runs the node without devices."""

    host: str = "127.0.0.1"
    port: Port = 1883
    username: str = ""
    password_file: Path | None = None


class Http(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where staff's browsers find the console. ``secure_cookies`` where it is reached by https."""

    host: str = "127.0.0.1"
    port: Port = 8021
    secure_cookies: bool = False


class SignIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long staff stay signed in, and with what they sign in.

    Args:
        lock_after_min: the screen locks after so many minutes without input; 0: never by itself.
        idle_end_h: a session ends after so many hours without input, locked or not.
        end_h: a session ends after so many hours in any case.
        offline_h: without word from central for so long, staff sign in only while the supervision is there.
        supervisor_code: `required`: whoever has no second factor works without the supervisor's rights.
    """

    lock_after_min: Annotated[int, msgspec.Meta(ge=0, le=240)] = 10
    idle_end_h: Annotated[int, msgspec.Meta(ge=1, le=24)] = 4
    end_h: Annotated[int, msgspec.Meta(ge=1, le=24)] = 12
    offline_h: Annotated[int, msgspec.Meta(ge=1, le=8760)] = 72
    supervisor_code: Literal["if_enrolled", "required"] = "if_enrolled"


class OtherClock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another clock than the machine's, for benches and tests; production refuses it.

    Args:
        rate: seconds that pass per real second.
        ahead_file: holds by how many seconds the wall clock is set; read at every look, so that a test can set it while we run.
    """

    rate: Annotated[float, msgspec.Meta(gt=0, le=1000)] = 1.0
    ahead_file: Path | None = None


class Log(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    level: Level = "info"
    form: Format = "auto"


class Device(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kiosk or display that may speak on the LAN, until devices are paired by staff."""

    id: Slug
    kind: Literal["kiosk", "display"]
    zone: Slug = "a"
    printer_profile: Slug = "generic-80mm"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of ``edge.toml``. ``production = false`` allows what only benches and tests may do."""

    office: Office
    data: Data
    copies: Copies = Copies()
    central: Central = Central()
    broker: Broker = Broker()
    http: Http = Http()
    sign_in: SignIn = SignIn()
    single_sign_on: SingleSignOn = SingleSignOn()
    clock: OtherClock = OtherClock()
    log: Log = Log()
    devices: tuple[Device, ...] = ()
    production: bool = True

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.office.time_zone)

    @property
    def anchor_file(self) -> Path:
        return self.data.anchor_file or self.data.folder / "anchor.json"

    @property
    def database_file(self) -> Path:
        return self.data.folder / "edge.db"


def read_settings(config: Path | None) -> Settings:
    """Read and check the settings of this process.

    Raises:
        SettingsError: names the key, where it stands and what is wrong with it.
    """
    settings = load(Settings, config, os.environ)
    source = str(config) if config else "settings"
    if settings.production:
        require_none(os.environ)
        if settings.clock.rate != 1.0:
            raise SettingsError(source, "clock.rate", "must be 1 in production")
        if settings.clock.ahead_file is not None:
            raise SettingsError(source, "clock.ahead_file", "must not be there in production")
    if settings.single_sign_on.is_used and not settings.single_sign_on.return_url:
        raise SettingsError(source, "single_sign_on.return_url", "is needed: the address of this console in browsers")
    try:
        ZoneInfo(settings.office.time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingsError(source, "office.time_zone", f"no such time zone: {settings.office.time_zone}") from error
    ids = [device.id for device in settings.devices]
    if repeated := next((each for each in ids if ids.count(each) > 1), None):
        raise SettingsError(source, "devices", f"{repeated} stands there twice")
    return settings
