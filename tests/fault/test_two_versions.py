"""An office that is not upgraded yet, at a central that is; then its upgrade over the data it has.

The edge of the commit before handovers, leases and replacement runs from the project's own history.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from provisioning.demo.city import City
from provisioning.demo.plan import OfficePorts, edge_settings, on_free_ports, read_config
from provisioning.launchers.ports import free_port
from provisioning.launchers.process import Child, http_ready
from tests.kit.services import require
from tests.smoke.__main__ import addresses_of
from tests.smoke.day import SECRET, STAFF
from tests.smoke.faces import Central, Clerk

ROOT = Path(__file__).parents[2]
BEFORE = "b2b34359eb7e61abd9abb8f9c8fd437f038bc5d4"
"""The last commit whose edge knows protocol 1 without what came later."""
OFFICE = "real"
PACKAGES = ("sync", "ui", "provisioning", "edge_node")


@pytest.fixture
def old_code(tmp_path: Path) -> Path:
    """The packages of an edge as they were."""
    folder = tmp_path / "before"
    folder.mkdir()
    archive = subprocess.run(["git", "archive", BEFORE, *PACKAGES], cwd=ROOT, capture_output=True, check=False)
    require(archive.returncode == 0, "the project's history does not go back far enough")
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    return folder


class MixedCity(City):
    """A city where one office's edge runs other code than all the rest."""

    old_code: Path

    def _launch_edge(self, office: OfficePorts) -> None:
        if office.id != OFFICE:
            super()._launch_edge(office)
            return
        file = self.places.office(OFFICE) / "edge.toml"
        self._write(file, edge_settings(self.config, self.places, office))
        command = [sys.executable, "-m", "edge_node", "serve", "--config", str(file)]
        ready = http_ready(self.config.url(office.edge) + "/health/ready")
        log = self.places.logs / "old.edge.log"
        self.children[f"{OFFICE}.edge"] = Child(f"{OFFICE}.edge", command, log=log, ready=ready)
        self.run_edge(self.old_code)

    def run_edge(self, code: Path | None) -> None:
        """Start the office's edge anew, with this code (none: the present one)."""
        child = self.children[f"{OFFICE}.edge"]
        child.kill()
        env = {name: value for name, value in os.environ.items() if not name.startswith("VENTANILLA_")}
        if code is not None:
            env["PYTHONPATH"] = str(code)
        migrate = [*child.command[:3], "migrate", *child.command[4:]]
        subprocess.run(migrate, env=env, cwd=code, capture_output=True, check=True)
        child._env, child._cwd = env, code
        child.start()


@pytest.fixture
def city(old_code: Path, tmp_path: Path) -> Iterator[MixedCity]:
    mixed = MixedCity(tmp_path / "city", on_free_ports(read_config(), free_port))
    mixed.old_code = old_code
    with mixed:
        yield mixed


async def until_told(central: Central, clerk: Clerk) -> None:
    """Central has every fact of the office."""
    deadline = time.monotonic() + 30
    while (await central.overview())[OFFICE]["acked_seq"] != (await clerk.queue())["seq"]:
        assert time.monotonic() < deadline, "central does not take the facts"


async def clerk_at(base: str) -> Clerk:
    """A clerk at a counter, as soon as the office knows its staff."""
    deadline = time.monotonic() + 30
    while True:
        clerk = Clerk(base, STAFF[OFFICE][0])
        try:
            await clerk.sign_in(SECRET)
        except httpx.HTTPError:
            await clerk.http.aclose()
            assert time.monotonic() < deadline, "nobody can sign in"
            await asyncio.sleep(0.2)
        else:
            await clerk.open("1")
            return clerk


@pytest.mark.city
@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_an_old_edge_works_with_a_new_central_and_is_upgraded_over_its_data(city: MixedCity) -> None:
    addresses = addresses_of(city)
    central, base = Central(addresses.central, addresses.api_secret), addresses.offices[OFFICE]["edge"]

    clerk = await clerk_at(base)
    first = await clerk.do("take_ticket", service="registro")
    assert first["outcome"] == "done"
    await until_told(central, clerk)
    start = (await central.starts(OFFICE, "registro"))[0]
    booked = await central.book(OFFICE, "registro", start, 4711)
    assert booked is not None
    async with contextlib.aclosing(clerk.agenda_stream()) as rows:  # type: ignore[type-var]
        async for _, row in rows:
            if row["id"] == booked["appointment_id"]:
                break

    await asyncio.to_thread(city.run_edge, None)
    again = await clerk_at(base)
    queue = await again.queue()
    assert [ticket["label"] for ticket in queue["waiting"]] == [first["ticket"]["label"]]
    second = await again.do("take_ticket", service="registro")
    assert second["ticket"]["label"] != first["ticket"]["label"]
    await until_told(central, again)
    for each in (clerk, again, central):
        await each.http.aclose()
