"""What runs in a demo and with which settings: pure values, computed from the ports and a folder.

Everything is loopback. Each edge knows central only by the address of its relay; citizens' links name central itself.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec

Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
DEMO_FOLDER = Path(__file__).parent


class OfficePorts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ports of one office of the demo. ``emulators``: control of its printer's and its scanner's emulator."""

    id: str
    edge: Port
    relay: Port
    kiosk: Port
    display: Port
    broker: Port
    emulators: Port
    scanner: Port


class DemoConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``demo.toml``: what the demo runs and where."""

    host: str = "127.0.0.1"
    start_page: Port = 8000
    central: Port = 8010
    smtp: Port = 8025
    city: str = "melilla.toml"
    offices: tuple[OfficePorts, ...]

    def url(self, port: int) -> str:
        return f"http://{self.host}:{port}"

    @property
    def city_file(self) -> Path:
        """The city's file; a relative name is looked up beside this module."""
        return DEMO_FOLDER / self.city

    def ports(self) -> dict[int, str]:
        """Every port and who wants it, for a clear message when one is taken."""
        wanted = {self.start_page: "the start page", self.central: "central", self.smtp: "the mailbox"}
        for office in self.offices:
            for name in ("edge", "relay", "kiosk", "display", "broker", "emulators", "scanner"):
                wanted[getattr(office, name)] = f"the {name} of {office.id}"
        return wanted


def read_config(file: Path | None = None) -> DemoConfig:
    """Read ``demo.toml``, or another file of its shape.

    Raises:
        msgspec.ValidationError: names the wrong key.
    """
    return msgspec.toml.decode((file or DEMO_FOLDER / "demo.toml").read_bytes(), type=DemoConfig)


def on_free_ports(config: DemoConfig, free_port: Callable[[], int]) -> DemoConfig:
    """The same demo on other ports, so that several run beside each other."""
    names = ("edge", "relay", "kiosk", "display", "broker", "emulators", "scanner")
    offices = tuple(
        msgspec.structs.replace(office, **{name: free_port() for name in names}) for office in config.offices
    )
    return msgspec.structs.replace(
        config, start_page=free_port(), central=free_port(), smtp=free_port(), offices=offices
    )


class Places(msgspec.Struct, frozen=True):
    """Where a demo keeps its things, below one folder."""

    root: Path

    @property
    def central(self) -> Path:
        return self.root / "central"

    @property
    def central_settings_file(self) -> Path:
        return self.central / "central.toml"

    @property
    def config(self) -> Path:
        """What the demo of this folder runs and where, as its last start noted it."""
        return self.root / "demo.json"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def falls(self) -> Path:
        """Which parts ended by themselves, for the start page."""
        return self.root / "falls.json"

    @property
    def mail(self) -> Path:
        return self.root / "mail"

    def office(self, office: str) -> Path:
        return self.root / "offices" / office

    def scanner(self, office: str) -> Path:
        """The kiosk's serial line: a link to the emulator's pseudo-terminal."""
        return self.office(office) / "scanner.tty"

    def printer(self, office: str) -> Path:
        """The serial printer's line, where the office has one."""
        return self.office(office) / "printer.tty"

    def tickets(self, office: str) -> Path:
        return self.office(office) / "tickets"


def central_settings(config: DemoConfig, places: Places, dsn: str) -> dict[str, Any]:
    """``central.toml`` of a demo."""
    return {
        "http": {"host": config.host, "port": config.central, "public_url": config.url(config.central)},
        "database": {"dsn": dsn},
        "keys": {"folder": str(places.central / "keys"), "create_missing": True},
        "leases": {"automatic": True},
        "mail": {"host": config.host, "port": config.smtp, "sender": "citas@melilla.example"},
        "logs": {"form": "json"},
    }


def edge_settings(config: DemoConfig, places: Places, office: OfficePorts) -> dict[str, Any]:
    """``edge.toml`` of an office: central stands at the relay's address, as far as it knows."""
    return {
        "production": False,
        "office": {"id": office.id, "node": node_id(office.id), "time_zone": "Africa/Ceuta"},
        "data": {"folder": str(places.office(office.id) / "edge")},
        "central": {
            "url": config.url(office.relay),
            "public_url": config.url(config.central),
            "node_key_file": str(node_key(places, office.id)),
        },
        "broker": {"host": config.host, "port": office.broker},
        "http": {"host": config.host, "port": office.edge},
        "devices": [{"id": "kiosk-1", "kind": "kiosk"}, {"id": "display-1", "kind": "display"}],
        "log": {"form": "json"},
    }


def kiosk_settings(config: DemoConfig, places: Places, office: OfficePorts, printer_port: int) -> dict[str, Any]:
    """``kiosk.toml``: the first office prints over the network, as pictures; the others on a serial line, in letters."""
    printer = {"kind": "network", "host": config.host, "port": printer_port}
    if printer_port == 0:
        printer = {"kind": "serial", "path": str(places.printer(office.id))}
    return {
        "device": {"office": office.id, "id": "kiosk-1"},
        "data": str(places.office(office.id) / "kiosk"),
        "broker": {"host": config.host, "port": office.broker},
        "printer": printer,
        "scanner": {"path": str(places.scanner(office.id))},
        "http": {"host": config.host, "port": office.kiosk},
    }


def display_settings(config: DemoConfig, places: Places, office: OfficePorts) -> dict[str, Any]:
    """``display.toml`` of an office."""
    return {
        "device": {"office": office.id, "id": "display-1"},
        "broker": {"host": config.host, "port": office.broker},
        "http": {"host": config.host, "port": office.display},
        "spool": str(places.office(office.id) / "display.db"),
        "log": {"form": "json"},
    }


def node_id(office: str) -> str:
    return f"edge-{office}"


def node_key(places: Places, office: str) -> Path:
    return places.office(office) / "node.pem"
