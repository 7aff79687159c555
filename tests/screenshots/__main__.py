"""``python -m tests.screenshots``: writes docs/screenshots/{console,managers,overseeing,watching}-*.png and start.png, and says how large they are."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from tests.screenshots.managers import take_managers
from tests.screenshots.overseeing import take_overseeing
from tests.screenshots.pictures import take
from tests.screenshots.start import take_start
from tests.screenshots.watching import take_watching

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
KINDS = {
    "console": take,
    "managers": take_managers,
    "overseeing": take_overseeing,
    "start": take_start,
    "watching": take_watching,
}


@click.command()
@click.option("--only", type=click.Choice(list(KINDS)), help="One kind of screens; else all.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=FOLDER, help="Where to write them.")
def main(only: str | None, out: Path) -> None:
    """Take the pictures of the documentation.

    Example: python -m tests.screenshots --out /tmp/pictures
    """
    out.mkdir(parents=True, exist_ok=True)
    for kind, taking in KINDS.items():
        if only in (None, kind):
            with TemporaryDirectory() as folder:
                for file in asyncio.run(taking(Path(folder), out)):
                    click.echo(f"{file.name}: {file.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
