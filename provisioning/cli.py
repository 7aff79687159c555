"""``ventanilla``: one name for everything that is started by hand."""

from __future__ import annotations

import os
import sys

import click

from provisioning.demo.command import demo

PARTS = {
    "central": "Central: bookings, feed, pages.",
    "edge_node": "An office's edge node.",
    "kiosk_agent": "A kiosk, and the emulators of its printer and scanner.",
    "display_agent": "A waiting room's display.",
}


@click.group(epilog="Example: ventanilla demo")
def main() -> None:
    """Appointments and queues of a city's information offices."""


main.add_command(demo)


def _part(module: str, says: str, command: str = "") -> click.Command:
    """A command that becomes ``python -m MODULE``: the parts are processes, never imported here."""
    name = command or module.removesuffix("_agent").removesuffix("_node")
    first = [command] if command else []

    @click.command(
        name,
        help=says,
        epilog=f"Example: ventanilla {name} --help",
        context_settings={"ignore_unknown_options": True, "help_option_names": []},
    )
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def run(arguments: tuple[str, ...]) -> None:
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", module, *first, *arguments])  # noqa: S606 - replaces this process

    return run


for _module, _says in PARTS.items():
    main.add_command(_part(_module, _says))
main.add_command(_part("central", "How an office's queue is ordered: show, preview, set, replay.", "policy"))


if __name__ == "__main__":
    main()
