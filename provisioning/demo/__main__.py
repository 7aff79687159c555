"""``python -m provisioning.demo``: the desk's process."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
import msgspec

from provisioning import logs
from provisioning.demo.desk import Desk
from provisioning.demo.desk_routes import create_app
from provisioning.demo.plan import DemoConfig, Places
from provisioning.serving import serve


@click.command(epilog="Example: python -m provisioning.demo --config demo.json --folder .demo")
@click.option(
    "--config", type=click.Path(path_type=Path, exists=True), required=True, help="The demo's ports, as JSON."
)
@click.option("--folder", type=click.Path(path_type=Path), required=True, help="The demo's folder.")
def main(config: Path, folder: Path) -> None:
    """Serve the demo's start page, its mailbox and its network until stopped."""
    logs.configure("desk", "info", "json")
    asyncio.run(_serve(msgspec.json.decode(config.read_bytes(), type=DemoConfig), Places(folder)))


async def _serve(config: DemoConfig, places: Places) -> None:
    desk = Desk(config, places)
    async with desk.running():
        await serve(create_app(desk), config.host, config.start_page, desk.stopping.set)


if __name__ == "__main__":
    main()
