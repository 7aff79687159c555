"""The processes under load: one edge node by itself, or a city of them with central and Postgres."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import msgspec

from provisioning.launchers.broker import Broker
from provisioning.launchers.ports import free_port, is_listening
from provisioning.launchers.process import Child
from sync.messages import feed as f
from tests.bench.console.plan import RECEPTION, SERVICES
from tests.kit.edge import OFFICE, appointment, prepare, staff

READY_S = 240.0
"""Forty processes come up at once on two cores."""
MORNING_H = 8


class Node:
    """An edge node's process."""

    def __init__(self, office: str, folder: Path, broker_port: int, **more: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.office = office
        self.folder = folder
        self.port = free_port()
        config = folder / "edge.toml"
        config.write_bytes(msgspec.toml.encode(edge_settings(office, folder, self.port, broker_port, **more)))
        self.child = Child(
            office,
            [sys.executable, "-m", "edge_node", "serve", "--config", config],
            log=folder / "edge.log",
            ready=lambda: is_listening("127.0.0.1", self.port),
            ready_timeout_s=READY_S,
            dies_with_us=True,
        )

    @property
    def memory_mb(self) -> float:
        """Its proportional set size: pages that processes share are shared out among them."""
        return memory_mb(self.child.pid)


def edge_settings(office: str, folder: Path, port: int, broker_port: int, **more: Any) -> dict[str, Any]:
    """``edge.toml``; ``more`` are further sections."""
    return {
        "production": False,
        "office": {"id": office, "node": f"{office}-1", "time_zone": morning_zone(datetime.now(UTC))},
        "data": {"folder": str(folder), "ballast_mib": 0},
        "central": {"public_url": "https://citas.example"},
        "broker": {"port": broker_port},
        "http": {"port": port},
        "log": {"form": "json", "level": "warning"},
        "devices": [{"id": "kiosk-1", "kind": "kiosk"}, {"id": "display-1", "kind": "display"}],
        **more,
    }


def morning_zone(now: datetime) -> str:
    """A zone in which it is eight in the morning or so: no run meets the end of its service day, also at sixty times."""
    ahead = (MORNING_H - now.hour + 12) % 24 - 12
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def office_rows(office: str, counters: int, appointments: Sequence[f.Appointment] = ()) -> list[f.Entity]:
    """An office whose counters have two services of their own and help out with the others."""
    return [
        f.Office(
            id=office,
            name=office.title(),
            address="Plaza 1",
            time_zone=morning_zone(datetime.now(UTC)),
            services=SERVICES,
            hours=(f.OpeningHours(weekday=0, opens=time(9), closes=time(14)),),
        ),
        *(
            f.Service(id=name, names={"es": name.title(), "en": name.title()}, series="ABCD"[n], duration_min=6)
            for n, name in enumerate(SERVICES)
        ),
        *(f.Counter(id=str(n), zone="a", primary=primary_of(n), secondary=secondary_of(n)) for n in counted(counters)),
        *(staff(f"clerk-{n}") for n in counted(counters)),
        staff(RECEPTION, "clerk", "supervisor"),
        *appointments,
    ]


def counted(counters: int) -> range:
    return range(1, counters + 1)


def primary_of(number: int) -> tuple[str, ...]:
    return (SERVICES[number % 4], SERVICES[(number + 1) % 4])


def secondary_of(number: int) -> tuple[str, ...]:
    return (SERVICES[(number + 2) % 4], SERVICES[(number + 3) % 4])


def todays_appointments(count: int, within: timedelta) -> list[f.Appointment]:
    """So many bookings, spread evenly from now on."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    return [
        appointment(
            now + within * n / max(count, 1),
            SERVICES[n % 4],
            locator=locator(n),
            display_name=f"Fátima {chr(65 + n % 26)}.",
        )
        for n in range(count)
    ]


def locator(number: int) -> str:
    letters = "ACDEFGHJKMNPQRTUVWXY34679"
    text = ""
    for _ in range(6):
        number, rest = divmod(number, len(letters))
        text += letters[rest]
    return text


@contextmanager
def one_node(folder: Path, rate: float, rows: Sequence[f.Entity]) -> Iterator[Node]:
    """A node with its broker and no central, at ``rate``."""
    with ExitStack() as stack:
        broker = stack.enter_context(Broker(folder / "broker", dies_with_us=True))
        place = folder / "edge"
        prepare(place, rows)
        node = Node(OFFICE, place, broker.port, clock={"rate": rate})
        stack.callback(node.child.stop)
        node.child.start()
        yield node


def memory_mb(pid: int | None) -> float:
    """The proportional set size of a process; 0 when it does not run."""
    if pid is None:
        return 0.0
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0
