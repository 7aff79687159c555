"""Starts and stops a city: Postgres, brokers, central, edges, emulators, kiosks, displays, and the desk beside them.

    with City(folder, config) as city:
        ...

Data stay in the folder, so a second start goes on where the first stopped. Everything that is started is stopped within
seconds, in reverse, whatever happens in between.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import msgspec

from provisioning.demo.keeper import Part
from provisioning.demo.node_keys import ensure_node_key
from provisioning.demo.plan import (
    DemoConfig,
    OfficePorts,
    Places,
    central_settings,
    display_settings,
    edge_settings,
    kiosk_settings,
    node_id,
    node_key,
)
from provisioning.launchers.broker import Broker
from provisioning.launchers.ports import free_port, require_free
from provisioning.launchers.postgres import Postgres
from provisioning.launchers.process import Child, http_ready

DATABASE = "ventanilla"
STOP_S = 4.0

Tell = Callable[[str], None]


class SetUpFailed(Exception):
    """A one-off command of the set-up ended with an error; has what it said."""

    def __init__(self, command: Sequence[str], output: str) -> None:
        super().__init__(f"'{' '.join(command)}' failed:\n{output.strip()[-2000:]}")


class City:
    """One running city. ``children`` are its processes by name, brokers and Postgres apart."""

    def __init__(
        self, folder: Path, config: DemoConfig, tell: Tell = lambda _text: None, *, dies_with_us: bool = False
    ) -> None:
        """Nothing runs yet.

        Args:
            dies_with_us: see `Child`; only for a city that one thread starts and stays with.
        """
        self.config = config
        self.places = Places(folder.resolve())
        self.postgres: Postgres | None = None
        self.brokers: dict[str, Broker] = {}
        self.children: dict[str, Child] = {}
        self._tell = tell
        self._dies_with_us = dies_with_us

    def reset(self) -> None:
        """Forget everything: the folder is emptied.

        Raises:
            PortTaken: perhaps by this very city, which still needs its folder.
        """
        self._require_ports()
        if self.places.root.exists():
            shutil.rmtree(self.places.root)

    def start(self) -> Self:
        """Bring the whole city up.

        Raises:
            PortTaken, PostgresError, BrokerNotFound, StartFailed, SetUpFailed: each says what to do.
        """
        try:
            self._require_ports()
            self._start_servers()
            self._set_up_central()
            self._start_central()
            self._start_offices()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop everything: all are asked at once, then awaited."""
        for child in reversed(self.children.values()):
            child.ask_to_stop()
        for child in reversed(self.children.values()):
            child.wait_stopped()
        for broker in self.brokers.values():
            broker.stop()
        if self.postgres is not None:
            self.postgres.stop()
        self.children.clear()
        self.brokers.clear()
        self.postgres = None

    def _require_ports(self) -> None:
        for port, wanted_by in self.config.ports().items():
            require_free(self.config.host, port, wanted_by)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def parts(self) -> dict[str, Part]:
        """Everything that should run, by name: servers first, as the others need them."""
        brokers: dict[str, Part] = {f"{office}.broker": broker for office, broker in self.brokers.items()}
        servers: dict[str, Part] = {} if self.postgres is None else {"postgres": self.postgres}
        return {**servers, **brokers, **self.children}

    # ---------------------------------------------------------------------------------------------------- central

    def _start_servers(self) -> None:
        self._tell("Postgres")
        self.postgres = Postgres(self.places.central / "postgres", dies_with_us=self._dies_with_us).start()
        self.postgres.ensure_database(DATABASE)
        self._tell("MQTT brokers")
        for office in self.config.offices:
            folder = self.places.office(office.id) / "broker"
            broker = Broker(folder, port=office.broker, host=self.config.host, dies_with_us=self._dies_with_us)
            self.brokers[office.id] = broker.start()

    def _set_up_central(self) -> None:
        assert self.postgres is not None
        settings = central_settings(self.config, self.places, self.postgres.dsn(DATABASE))
        file = self._write(self.places.central_settings_file, settings)
        self._tell("database schema")
        self._run("central", "migrate", "--config", str(file))
        self._tell("the city: offices, services, hours, holidays, seats")
        self._run("central", "load-city", str(self.config.city_file), "--config", str(file))
        offices = [office.id for office in self.config.offices]
        self._run("central", "open-round-the-clock", *offices, "--config", str(file))
        for office in offices:
            public = ensure_node_key(node_key(self.places, office))
            self._run(
                "central", "register-node", office, node_id(office), "--public-key", str(public), "--config", str(file)
            )

    def _start_central(self) -> None:
        self._tell("central, and the desk with the start page")
        config = self.config
        self._launch_desk()
        self._launch(
            "central",
            ["central", "serve", "--config", str(self.places.central_settings_file)],
            config.url(config.central) + "/health/ready",
        )
        self._wait("desk", "central")

    def _launch_desk(self) -> None:
        config = self._write_json(self.places.config, self.config)
        self.places.falls.unlink(missing_ok=True)  # of the run before
        self._launch(
            "desk",
            ["provisioning.demo", "--config", str(config), "--folder", str(self.places.root)],
            self.config.url(self.config.start_page) + "/health/live",
        )

    # ---------------------------------------------------------------------------------------------------- offices

    def _start_offices(self) -> None:
        for office in self.config.offices:
            self._tell(f"office {office.id}: edge node, printer and scanner")
            self._launch_edge(office)
            self._launch_emulators(office)
        for office in self.config.offices:
            self._wait(f"{office.id}.edge", f"{office.id}.printer", f"{office.id}.scanner")
        for office in self.config.offices:
            self._tell(f"office {office.id}: kiosk and display")
            self._launch_agents(office)
        for office in self.config.offices:
            self._wait(f"{office.id}.kiosk", f"{office.id}.display")

    def _launch_edge(self, office: OfficePorts) -> None:
        folder = self.places.office(office.id)
        settings = self._write(folder / "edge.toml", edge_settings(self.config, self.places, office))
        self._run("edge_node", "migrate", "--config", str(settings))
        ready = self.config.url(office.edge) + "/health/ready"
        self._launch(f"{office.id}.edge", ["edge_node", "serve", "--config", str(settings)], ready)

    def _launch_emulators(self, office: OfficePorts) -> None:
        config, places = self.config, self.places
        network = office is config.offices[0]
        port = free_port(config.host) if network else 0
        where = ["--port", str(port)] if network else ["--pty", str(places.printer(office.id))]
        self._launch(
            f"{office.id}.printer",
            [
                *("kiosk_agent", "emulate", "printer", *where),
                *("--folder", str(places.tickets(office.id)), "--control-port", str(office.emulators)),
            ],
            config.url(office.emulators) + "/state",
        )
        self._launch(
            f"{office.id}.scanner",
            [
                *("kiosk_agent", "emulate", "scanner", "--link", str(places.scanner(office.id))),
                *("--control-port", str(office.scanner)),
            ],
            config.url(office.scanner) + "/state",
        )
        self._write(places.office(office.id) / "kiosk.toml", kiosk_settings(config, places, office, printer_port=port))

    def _launch_agents(self, office: OfficePorts) -> None:
        folder = self.places.office(office.id)
        display = self._write(folder / "display.toml", display_settings(self.config, self.places, office))
        self._launch(
            f"{office.id}.kiosk",
            ["kiosk_agent", "run", "--config", str(folder / "kiosk.toml")],
            self.config.url(office.kiosk) + "/health/live",
        )
        self._launch(
            f"{office.id}.display",
            ["display_agent", "run", "--config", str(display)],
            self.config.url(office.display) + "/health/live",
        )

    # -------------------------------------------------------------------------------------------------- processes

    def _launch(self, name: str, module_and_arguments: list[str], ready_url: str) -> None:
        module, *arguments = module_and_arguments
        child = Child(
            name,
            [sys.executable, "-m", module, *arguments],
            log=self.places.logs / f"{name}.log",
            ready=http_ready(ready_url),
            env=_environment(),
            stop_timeout_s=STOP_S,
            dies_with_us=self._dies_with_us,
        )
        self.children[name] = child
        child.launch()

    def _wait(self, *names: str) -> None:
        for name in names:
            self.children[name].wait_ready()

    def _run(self, module: str, *arguments: str) -> None:
        command = [sys.executable, "-m", module, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=_environment(), check=False)
        if done.returncode:
            raise SetUpFailed(["python", *command[1:]], done.stdout + done.stderr)

    def _write(self, file: Path, settings: dict[str, Any]) -> Path:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(msgspec.toml.encode(settings))
        return file

    def _write_json(self, file: Path, value: object) -> Path:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(msgspec.json.encode(value))
        return file


def _environment() -> dict[str, str]:
    """This process's environment without settings of ours: the files alone decide."""
    return {name: value for name, value in os.environ.items() if not name.startswith("VENTANILLA_")}
