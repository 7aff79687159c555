"""``python -m tests.bench.replace_node``: from "replace" to the first call at the new node, by the commands that operators use.

A city runs; an office has people waiting and being served. Its edge is killed and its disk is gone. Then: a key is made, central is
told to replace the node, the new node starts with its activation, a clerk signs in and calls. The last line is JSON. The limit
beside it is what the same node takes to start again on its own disk, from the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provisioning.demo.city import City
from provisioning.demo.plan import edge_settings
from tests.kit.city import running_city
from tests.smoke.__main__ import addresses_of, tell
from tests.smoke.day import SECRET, SERVICES, STAFF
from tests.smoke.faces import Central, Clerk, new_id

OFFICE = "centro"
READY_S = 60.0
GOAL_S = 600.0


async def fill(clerk: Clerk, people: int) -> dict[str, str]:
    """People take tickets, one is being served; the label of each open ticket."""
    await clerk.open("1")
    labels = {}
    for number in range(people):
        reply = await clerk.do("take_ticket", service=SERVICES[number % len(SERVICES)])
        labels[reply["ticket"]["ticket_id"]] = reply["ticket"]["label"]
    called = await clerk.do("call_next", session=clerk.session["session"], after=None)
    await clerk.do("start", session=clerk.session["session"], ticket_id=called["ticket"]["ticket_id"])
    return labels


async def caught_up(central: Central, seq: int) -> None:
    """Central has acknowledged everything up to ``seq``."""
    async with asyncio.timeout(READY_S):
        while (await central.overview())[OFFICE]["acked_seq"] < seq:  # noqa: ASYNC110 - it lives in another process
            await asyncio.sleep(0.05)


async def first_call(base: str) -> tuple[Clerk, dict[str, Any]]:
    """Sign in and call, as soon as that is possible."""
    async with asyncio.timeout(READY_S):
        while True:
            clerk = Clerk(base, STAFF[OFFICE][0])
            try:
                await clerk.sign_in(SECRET)
                await clerk.open("1")
                reply = await clerk.do("call_next", session=clerk.session["session"], after=None)
            except Exception:
                reply = {}
            if reply.get("outcome") == "done":
                return clerk, reply
            await clerk.http.aclose()
            await asyncio.sleep(0.1)


def replace(city: City) -> Path:
    """What an operator does: a key on the new box, the replacement at central, the settings; the settings' file."""
    folder = city.places.office(OFFICE) / "new"
    folder.mkdir()
    key = Ed25519PrivateKey.generate()
    private, public, activation = folder / "node.pem", folder / "node.pub.pem", folder / "activation.json"
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    public.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    command = [
        *(sys.executable, "-m", "central", "replace-node", OFFICE, "--node", "edge-centro-2"),
        *("--public-key", str(public), "--activation", str(activation), "--attest", "the disk is destroyed"),
        *("--config", str(city.places.central / "central.toml")),
    ]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    tell(f"· {told.stdout.strip()}")
    office = next(each for each in city.config.offices if each.id == OFFICE)
    settings = edge_settings(city.config, city.places, office)
    settings["office"]["node"] = "edge-centro-2"
    settings["data"]["folder"] = str(folder / "edge")
    settings["central"] |= {"node_key_file": str(private), "activation_file": str(activation)}
    file = folder / "edge.toml"
    file.write_bytes(msgspec.toml.encode(settings))
    return file


def start_with(city: City, settings: Path) -> None:
    """Start the office's edge with other settings."""
    subprocess.run(
        [sys.executable, "-m", "edge_node", "migrate", "--config", str(settings)], capture_output=True, check=True
    )
    child = city.children[f"{OFFICE}.edge"]
    child.command[-1] = str(settings)
    child.start()


async def measure(city: City, people: int) -> dict[str, Any]:
    addresses = addresses_of(city)
    central, base = Central(addresses.central, addresses.api_secret), addresses.offices[OFFICE]["edge"]
    clerk = Clerk(base, STAFF[OFFICE][0])
    await clerk.sign_in(SECRET)
    labels = await fill(clerk, people)
    child = city.children[f"{OFFICE}.edge"]

    began = time.monotonic()
    child.kill()
    await asyncio.to_thread(child.start)
    restart_s = time.monotonic() - began
    await caught_up(central, (await clerk.queue())["seq"])

    child.kill()
    shutil.rmtree(city.places.office(OFFICE) / "edge")
    tell("· the edge is dead and its disk is gone")
    began = time.monotonic()
    settings = await asyncio.to_thread(replace, city)
    replaced_s = time.monotonic() - began
    await asyncio.to_thread(start_with, city, settings)
    ready_s = time.monotonic() - began
    clerk, reply = await first_call(base)
    first_call_s = time.monotonic() - began
    queue = await clerk.queue()
    found = {
        ticket["ticket_id"]: ticket["label"]
        for state in ("waiting", "called", "serving", "missed", "parked")
        for ticket in queue.get(state, [])
    }
    fresh = await clerk.do("take_ticket", service=SERVICES[0], request_id=new_id())
    return {
        "first_call_s": round(first_call_s, 2),
        "replaced_s": round(replaced_s, 2),
        "ready_s": round(ready_s, 2),
        "goal_s": GOAL_S,
        "restart_s": round(restart_s, 2),
        "ratio_to_restart": round(first_call_s / restart_s, 2),
        "tickets_open": len(labels),
        "tickets_recovered": sum(found.get(ticket_id) == label for ticket_id, label in labels.items()),
        "first_called": reply["ticket"]["label"],
        "next_new_label": fresh["ticket"]["label"],
        "duplicate_labels": int(fresh["ticket"]["label"] in labels.values()),
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.replace_node",
        description=__doc__,
        epilog="Example: python -m tests.bench.replace_node --people 40",
    )
    parser.add_argument("--people", type=int, default=25, help="open tickets when the node dies")
    options = parser.parse_args()
    with running_city(lambda text: tell(f"  {text}")) as city:
        line = asyncio.run(measure(city, options.people))
    print(json.dumps(line))
    whole = line["tickets_recovered"] == line["tickets_open"] and not line["duplicate_labels"]
    return 0 if whole and line["first_call_s"] <= GOAL_S else 1


if __name__ == "__main__":
    sys.exit(main())
